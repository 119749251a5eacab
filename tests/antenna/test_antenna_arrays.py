from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rfplan.antenna import (
    Array,
    Beam,
    array_antenna,
    element_antenna,
    parametric_antenna,
    polar_plot,
    read_antenna,
    ssb_beams,
    traffic_beams,
    write_antenna,
)
from rfplan.antenna.arrays import array_factor_db
from rfplan.errors import ParameterError


def test_element_of_tr38901() -> None:
    element = element_antenna()
    gain = element.gain_dbi_at([0.0, 32.5, 65.0, 180.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 32.5, -90.0])
    np.testing.assert_allclose(gain, [8.0, 5.0, -4.0, -22.0, 5.0, 8.0 - 12 * (90 / 65) ** 2], atol=1e-12)


def test_array_factor_is_the_plain_sum_of_phasors() -> None:
    array, beam = Array(4, 6, 0.7, 0.5), Beam(20.0, 6.0)
    rng = np.random.default_rng(2)
    azimuth, down = rng.uniform(-90, 90, 50), rng.uniform(-60, 60, 50)

    def position_phase(a: float, d: float) -> np.ndarray:
        m, n = np.meshgrid(np.arange(4), np.arange(6), indexing="ij")
        return 2 * np.pi * (0.7 * m * np.sin(np.radians(d)) + 0.5 * n * np.cos(np.radians(d)) * np.sin(np.radians(a)))

    weights = np.exp(-1j * position_phase(20.0, 6.0)) / np.sqrt(24)
    naive = [
        20 * np.log10(abs((weights * np.exp(1j * position_phase(a, d))).sum()))
        for a, d in zip(azimuth, down, strict=True)
    ]
    np.testing.assert_allclose(array_factor_db(array, beam, azimuth, down), naive, atol=1e-6)
    assert array_factor_db(array, beam, 20.0, 6.0) == pytest.approx(10 * np.log10(24))


def test_array_antenna_gain_and_tilt() -> None:
    antenna = array_antenna("panel", Array(8, 4), [Beam(0.0, 6.0)])
    assert antenna.gain_dbi == pytest.approx(8.0 + 10 * np.log10(32) - 12 * (6 / 65) ** 2, abs=0.02)
    assert antenna.electrical_tilt_deg == 6.0
    everywhere = antenna.gain_dbi_at(np.arange(-180, 180)[:, None], np.arange(-90, 91)[None, :])
    assert everywhere.max() == pytest.approx(antenna.gain_dbi, abs=1e-4)
    assert antenna.gain_dbi_at(0.0, -6.0) == pytest.approx(antenna.gain_dbi, abs=1e-4)
    assert antenna.gain_dbi_at(0.0, -9.0, electrical_tilt_deg=9.0) == pytest.approx(antenna.gain_dbi, abs=1e-4)
    # Both cuts are slices of the sphere.
    np.testing.assert_allclose(
        antenna.vertical_loss_db[20], antenna.gain_dbi - antenna.gain_dbi_at(0.0, -20.0), atol=1e-4
    )
    np.testing.assert_allclose(
        antenna.vertical_loss_db[170], antenna.gain_dbi - antenna.gain_dbi_at(180.0, -10.0), atol=1e-4
    )


def test_envelopes_are_the_best_beam() -> None:
    array = Array(8, 8)
    beams = ssb_beams(8)
    assert len(beams) == 8
    assert beams[0].azimuth_deg == -52.5
    envelope = array_antenna("ssb", array, beams)
    direction = (np.linspace(-60, 60, 13), -3.0)
    each = np.max([array_antenna("b", array, [b]).gain_dbi_at(*direction) for b in beams], axis=0)
    np.testing.assert_allclose(envelope.gain_dbi_at(*direction), each, atol=0.05)
    wide = array_antenna("traffic", array, traffic_beams())
    assert (wide.gain_dbi_at(*direction) >= envelope.gain_dbi_at(*direction) - 0.5).all()
    assert np.ptp(wide.gain_dbi_at(np.arange(-40, 41, 1.0), -4.0)) < 6.0


def test_bad_arrays() -> None:
    with pytest.raises(ParameterError, match="must be 1…64"):
        Array(0, 4)
    with pytest.raises(ParameterError, match="wavelengths"):
        Array(4, 4, 5.0)
    with pytest.raises(ParameterError, match="at least one beam"):
        array_antenna("x", Array(), [])
    with pytest.raises(ParameterError, match="SSB"):
        ssb_beams(0)


def test_write_and_read_back(tmp_path: Path) -> None:
    antenna = array_antenna("panel", Array(8, 4), [Beam(0.0, 6.0)])
    again = read_antenna(write_antenna(antenna, tmp_path / "panel.msi"))
    assert again.name == "panel"
    assert again.gain_dbi == pytest.approx(antenna.gain_dbi, abs=5e-4)
    assert again.electrical_tilt_deg == 6.0
    np.testing.assert_allclose(again.horizontal_loss_db, antenna.horizontal_loss_db, atol=5.01e-4)
    np.testing.assert_allclose(again.vertical_loss_db, antenna.vertical_loss_db, atol=5.01e-4)


def test_real_files_survive_a_round_trip(data_dir: Path, tmp_path: Path) -> None:
    for file in sorted((data_dir / "antennas").iterdir()):
        antenna = read_antenna(file)
        again = read_antenna(write_antenna(antenna, tmp_path / "copy.msi"), name=antenna.name)
        assert again.gain_dbi == pytest.approx(antenna.gain_dbi, abs=1e-3)
        assert again.electrical_tilt_deg == antenna.electrical_tilt_deg
        assert again.cut_azimuth_deg == antenna.cut_azimuth_deg
        np.testing.assert_allclose(again.horizontal_loss_db, antenna.horizontal_loss_db, atol=5.01e-4)
        np.testing.assert_allclose(again.vertical_loss_db, antenna.vertical_loss_db, atol=5.01e-4)


def test_polar_plot(tmp_path: Path) -> None:
    figure = polar_plot(parametric_antenna("p", 17.0), tmp_path / "p.png")
    assert len(figure.axes) == 2
    line = figure.axes[0].lines[0]
    assert line.get_ydata()[35] == pytest.approx(-3.0)
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"
