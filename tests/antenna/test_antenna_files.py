from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rfplan.antenna import read_antenna
from rfplan.errors import InputFileError

# name: gain dBi, electrical tilt, azimuth of the vertical cut
REAL = {
    "AMB4520R8v06_05T.msi": (16.95 + 2.15, 5.0, 32.5),
    "AMB4520R8v06_1845_M45_04T_y2.msi": (16.94 + 2.15, 4.0, -32.5),
    "AMB4520R8v06_1845_P45_04T_y1.msi": (16.46 + 2.15, 4.0, 31.5),
    "B800A065-18-0E.pln": (13.6 + 2.15, 0.0, 0.0),
    "LTE-L_1960MHz_P1.txt": (3.43, 0.0, 0.0),
    "SV460-SF2SNM_0920_00T.msi": (17.15, 0.0, 0.0),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files(data_dir: Path, name: str) -> None:
    antenna = read_antenna(data_dir / "antennas" / name)
    gain, tilt, cut = REAL[name]
    assert antenna.gain_dbi == pytest.approx(gain)
    assert antenna.electrical_tilt_deg == tilt
    assert antenna.cut_azimuth_deg == pytest.approx(cut)
    assert antenna.notes
    # The strongest direction is where the cuts say it is, and no direction beats GAIN.
    everywhere = antenna.gain_dbi_at(np.arange(-180.0, 180.0)[:, None], np.arange(-90.0, 91.0, 5.0)[None, :])
    assert everywhere.max() <= gain + 1e-9
    ahead = float(antenna.gain_dbi_at(cut, -tilt))
    assert ahead == pytest.approx(gain, abs=0.05 if name[0] != "L" else 3.0)


def test_real_files_explain_what_they_left_open(data_dir: Path) -> None:
    folder = data_dir / "antennas"
    assert any("boresight is not at 0°" in n for n in read_antenna(folder / "AMB4520R8v06_05T.msi").notes)
    assert any("FRONT_TO_BACK -30.1" in n for n in read_antenna(folder / "B800A065-18-0E.pln").notes)
    assert any("neither cut reaches GAIN" in n for n in read_antenna(folder / "LTE-L_1960MHz_P1.txt").notes)
    assert any("lacks MAKE" in n for n in read_antenna(folder / "SV460-SF2SNM_0920_00T.msi").notes)


def write(path: Path, head: str, h: str = "", v: str = "") -> Path:
    rows = "\n".join(f"{i}\t{min(i, 360 - i) / 10}" for i in range(360))
    path.write_text(f"{head}\nHORIZONTAL 360\n{h or rows}\nVERTICAL 360\n{v or rows}\n", encoding="utf-8")
    return path


def test_bare_gain_is_dbd_and_names_may_lack_their_keyword(tmp_path: Path) -> None:
    antenna = read_antenna(write(tmp_path / "a.msi", "Some Panel 65\nFREQUENCY 1.8 GHz\nGAIN 15"))
    assert antenna.gain_dbi == pytest.approx(17.15)
    assert antenna.frequency_mhz == pytest.approx(1800.0)
    assert any("taken as dBd" in n for n in antenna.notes)


def test_negative_losses_and_other_spacings(tmp_path: Path) -> None:
    rows = "\n".join(f"{i} {-min(i, 360 - i) / 10:.1f}" for i in range(0, 360, 5))
    antenna = read_antenna(write(tmp_path / "n.msi", "NAME n\nGAIN 10 dBi", rows, rows))
    assert antenna.horizontal_loss_db[90] == pytest.approx(9.0)
    assert antenna.horizontal_loss_db[92] == pytest.approx(9.2)
    assert any("negative" in n for n in antenna.notes)


def test_broken_files(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot be read"):
        read_antenna(tmp_path / "absent.msi")
    with pytest.raises(InputFileError, match="GAIN"):
        read_antenna(write(tmp_path / "g.msi", "NAME g"))
    with pytest.raises(InputFileError, match="line 5"):
        read_antenna(write(tmp_path / "l.msi", "NAME g\nGAIN 3", "0 0\n1 x\n"))
    with pytest.raises(InputFileError, match="one sign"):
        read_antenna(write(tmp_path / "s.msi", "NAME g\nGAIN 3", "0 -3\n1 3\n"))
    (tmp_path / "c.msi").write_text("NAME c\nGAIN 3\nHORIZONTAL 360\n0 0\n1 1\n", encoding="utf-8")
    with pytest.raises(InputFileError, match="no VERTICAL"):
        read_antenna(tmp_path / "c.msi")
    (tmp_path / "b.msi").write_bytes(b"\x00\x01\x02NAME")
    with pytest.raises(InputFileError, match="binary"):
        read_antenna(tmp_path / "b.msi")
