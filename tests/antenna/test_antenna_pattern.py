from __future__ import annotations

import numpy as np
import pytest

from naive.antenna import naive_gain_dbi
from rfplan.antenna import BUILT_IN, Antenna, ParametricPattern, find_antenna, omni_antenna, parametric_antenna
from rfplan.errors import ParameterError

CUT_H = np.minimum(12.0 * (((np.arange(360) + 180.0) % 360.0 - 180.0) / 65.0) ** 2, 27.0)
CUT_V = np.minimum(12.0 * ((((np.arange(360) - 6.0) + 180.0) % 360.0 - 180.0) / 7.0) ** 2, 18.0)


def two_cut(method: str = "horizontal-projection") -> Antenna:
    return Antenna("cuts", 16.0, CUT_H, CUT_V, method=method, electrical_tilt_deg=6.0)  # type: ignore[arg-type]


@pytest.mark.nojit
@pytest.mark.boundscheck
def test_tr36814_values() -> None:
    antenna = parametric_antenna("a", 17.0)
    # Half power at half the beam width, 12 dB at the full one, the floor of 25 dB behind.
    gain = antenna.gain_dbi_at([0.0, 35.0, 70.0, 180.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, -5.0, -80.0])
    np.testing.assert_allclose(gain, [17.0, 14.0, 5.0, -8.0, 14.0, -3.0], atol=1e-12)


def test_electrical_tilt_moves_every_azimuth_and_mechanical_tilt_only_the_front() -> None:
    antenna = BUILT_IN["tr36814"]
    assert antenna.gain_dbi_at(0.0, -6.0, electrical_tilt_deg=6.0) == pytest.approx(17.0)
    assert antenna.gain_dbi_at(0.0, -6.0, mechanical_tilt_deg=6.0) == pytest.approx(17.0)
    side_mechanical = antenna.gain_dbi_at(90.0, 0.0, mechanical_tilt_deg=6.0)
    side_electrical = antenna.gain_dbi_at(90.0, 0.0, electrical_tilt_deg=6.0)
    untilted = antenna.gain_dbi_at(90.0, 0.0)
    assert side_mechanical == pytest.approx(untilted, abs=0.1)
    assert side_electrical < untilted - 3.0
    # The back lobe of a mechanically tilted antenna looks up.
    wide = parametric_antenna("w", 0.0, ParametricPattern(1e9, 10.0, 0.0, 20.0, 40.0))
    assert wide.gain_dbi_at(180.0, 6.0, mechanical_tilt_deg=6.0) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("method", ["horizontal-projection", "sum", "cross-weighted"])
def test_two_cuts_against_naive(method: str) -> None:
    antenna = two_cut(method)
    rng = np.random.default_rng(3)
    azimuth = rng.uniform(-400.0, 400.0, 200)
    elevation = rng.uniform(-89.0, 89.0, 200)
    for mechanical, electrical in ((0.0, None), (4.0, 6.0), (-3.0, 9.5)):
        got = antenna.gain_dbi_at(azimuth, elevation, mechanical_tilt_deg=mechanical, electrical_tilt_deg=electrical)
        want = [
            naive_gain_dbi(
                16.0, CUT_H, CUT_V, method, a, e, mechanical, 0.0 if electrical is None else electrical - 6.0
            )
            for a, e in zip(azimuth, elevation, strict=True)
        ]
        np.testing.assert_allclose(got, want, atol=1e-9)


def test_projection_is_exact_on_both_cuts() -> None:
    antenna = two_cut()
    down = np.arange(-80, 81)
    np.testing.assert_allclose(16.0 - antenna.gain_dbi_at(0.0, -down), CUT_V[down % 360], atol=1e-9)
    np.testing.assert_allclose(16.0 - antenna.gain_dbi_at(180.0, -down), CUT_V[(180 - down) % 360], atol=1e-9)


def test_sampled_sphere_is_bilinear() -> None:
    rows, columns = np.meshgrid(np.arange(181.0), np.arange(360.0), indexing="ij")
    antenna = Antenna(
        "s", 0.0, CUT_H, CUT_V, sampled_loss_db=(rows + 0.5 * np.minimum(columns, 360 - columns)).astype(np.float32)
    )
    assert antenna.gain_dbi_at(10.5, -20.25) == pytest.approx(-(110.25 + 5.25), abs=1e-4)
    assert antenna.gain_dbi_at(-0.5, 90.0) == pytest.approx(-0.25, abs=1e-4)


def test_omni_and_isotropic() -> None:
    np.testing.assert_array_equal(omni_antenna().gain_dbi_at(np.arange(0, 360, 17), 40.0), np.zeros(22))
    assert BUILT_IN["omni"].gain_dbi_at(123.0, -8.0) == pytest.approx(8.0 - 3.0)


def test_bad_input_is_named() -> None:
    with pytest.raises(ParameterError, match="360 numbers"):
        Antenna("x", 0.0, np.zeros(359), np.zeros(360))
    with pytest.raises(ParameterError, match="method"):
        two_cut("magic")
    with pytest.raises(ParameterError, match="sector-1800"):
        find_antenna("nothing")
    with pytest.raises(ParameterError, match="horizontal_width_deg"):
        ParametricPattern(horizontal_width_deg=0.0)
