"""Radio climate: defaults without maps, values from a named folder or raster, and clear refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rfplan.constants import NORTHERN_VIETNAM_DELTA_N, NORTHERN_VIETNAM_N0
from rfplan.errors import InputFileError, ParameterError
from rfplan.propagation.p1812 import P1812
from rfplan.propagation.radio_climate import RadioClimate, open_radio_climate


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Synthetic maps under ITU's names, spread over subfolders."""
    (tmp_path / "p1812").mkdir()
    np.savetxt(tmp_path / "p1812" / "dn50.txt", np.full((121, 241), 47.5), fmt="%.1f")
    np.savetxt(tmp_path / "LogK.csv", np.full((721, 1441), -3.5), fmt="%.1f", delimiter=",")
    return tmp_path


def test_defaults_without_maps() -> None:
    climate = open_radio_climate()
    values = climate.refractivity(105.3, 21.3)
    assert values == {"delta_n": NORTHERN_VIETNAM_DELTA_N, "n0": NORTHERN_VIETNAM_N0}
    assert P1812(**values) == P1812()
    with pytest.raises(ParameterError, match=r"rain_rate_mm_h has no map and no default.*R001.TXT"):
        climate.value("rain_rate_mm_h", 105.3, 21.3)


def test_folder_of_maps(folder: Path) -> None:
    climate = open_radio_climate(folder)
    assert set(climate.maps) == {"delta_n", "lg_geoclimatic_factor"}
    assert climate.refractivity(105.3, 21.3) == {"delta_n": pytest.approx(47.5), "n0": NORTHERN_VIETNAM_N0}
    np.testing.assert_allclose(climate.value("delta_n", [105.0, 106.0], 21.0), [47.5, 47.5])
    with pytest.raises(ParameterError, match="dn75 has no map"):
        climate.multipath(105.3, 21.3)


def test_own_raster_wins(folder: Path) -> None:
    own = folder / "mine.txt"
    np.savetxt(own, np.full((121, 241), 60.0), fmt="%.1f")
    climate = open_radio_climate(folder, rasters={"delta_n": own, "dn75": own})
    assert climate.refractivity(105.3, 21.3)["delta_n"] == pytest.approx(60.0)
    both = climate.multipath(105.3, 21.3)
    assert both == {"geoclimatic_factor": pytest.approx(10**-3.5), "dn75": pytest.approx(60.0)}


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no such folder"):
        open_radio_climate(tmp_path / "nowhere")
    with pytest.raises(InputFileError, match=r"holds none of the ITU-R maps DN50.TXT"):
        open_radio_climate(tmp_path)
    with pytest.raises(ParameterError, match="quantity is 'humidity'"):
        RadioClimate({"humidity": tmp_path})
    with pytest.raises(InputFileError, match="no such map of n0"):
        open_radio_climate(rasters={"n0": tmp_path / "n0.tif"})
    with pytest.raises(InputFileError, match="is gone"):
        RadioClimate({"n0": tmp_path / "n0.tif"}).value("n0", 105, 21)
