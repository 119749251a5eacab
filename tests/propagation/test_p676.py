"""P.676 against 400 published line-by-line values, and its limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rfplan.errors import ParameterError
from rfplan.profile import Paths
from rfplan.propagation.p676 import (
    GasAttenuation,
    gas_attenuation_db,
    oxygen_attenuation_db_km,
    water_vapour_attenuation_db_km,
)


def test_published_values(reference_dir: Path) -> None:
    f_ghz, p, rho, t, oxygen, vapour = np.loadtxt(
        reference_dir / "p676" / "validation.csv", delimiter=",", skiprows=1
    ).T
    assert f_ghz.size == 400
    assert np.abs(oxygen_attenuation_db_km(f_ghz * 1e3, p, t, rho) - oxygen).max() < 1e-12
    # The largest value is 31 515 dB/km: a rounding in the last place is 7e-12.
    assert np.abs(water_vapour_attenuation_db_km(f_ghz * 1e3, p, t, rho) - vapour).max() < 1e-9


@pytest.mark.parametrize(
    ("f_ghz", "oxygen", "vapour"),
    # ITU-R Study Group 3 validation examples for P.676, 1013.25 hPa, 288.15 K, 7.5 g/m3
    [
        (12, 0.00869826, 0.00953539),
        (20, 0.01188355, 0.09704730),
        (60, 14.62347480, 0.15484184),
        (90, 0.03886971, 0.34197339),
        (130, 0.04150908, 0.75184470),
    ],
)
def test_study_group_examples(f_ghz: float, oxygen: float, vapour: float) -> None:
    assert oxygen_attenuation_db_km(f_ghz * 1e3) == pytest.approx(oxygen, abs=1e-8)
    assert water_vapour_attenuation_db_km(f_ghz * 1e3) == pytest.approx(vapour, abs=1e-8)


def test_against_a_sum_written_line_by_line() -> None:
    from rfplan.propagation.p676_lines import OXYGEN_LINES

    f, p, t, rho = 55.3, 990.0, 280.0, 9.0
    theta, e = 300 / t, rho * t / 216.7
    total = 0.0
    for f0, a1, a2, a3, a4, a5, a6 in OXYGEN_LINES.tolist():
        s = a1 * 1e-7 * p * theta**3 * np.exp(a2 * (1 - theta))
        w = np.sqrt((a3 * 1e-4 * (p * theta ** (0.8 - a4) + 1.1 * e * theta)) ** 2 + 2.25e-6)
        d = (a5 + a6 * theta) * 1e-4 * (p + e) * theta**0.8
        total += (
            s * f / f0 * ((w - d * (f0 - f)) / ((f0 - f) ** 2 + w * w) + (w - d * (f0 + f)) / ((f0 + f) ** 2 + w * w))
        )
    w = 5.6e-4 * (p + e) * theta**0.8
    total += f * p * theta**2 * (6.14e-5 / (w * (1 + (f / w) ** 2)) + 1.4e-12 * p * theta**1.5 / (1 + 1.9e-5 * f**1.5))
    assert oxygen_attenuation_db_km(f * 1e3, p, t, rho) == pytest.approx(0.182 * f * total, rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.floats(1e3, 1e6), st.floats(0.0, 30.0))
def test_positive_and_growing_with_humidity(frequency_mhz: float, rho: float) -> None:
    dry = water_vapour_attenuation_db_km(frequency_mhz, water_vapour_g_m3=rho)
    wet = water_vapour_attenuation_db_km(frequency_mhz, water_vapour_g_m3=rho + 1)
    assert 0.0 <= dry < wet
    assert oxygen_attenuation_db_km(frequency_mhz, water_vapour_g_m3=rho) > 0.0


def test_loss_is_proportional_to_length() -> None:
    assert gas_attenuation_db(20e3, 23e3) == pytest.approx(2 * gas_attenuation_db(10e3, 23e3), rel=1e-12)
    assert gas_attenuation_db([1e3, 2e3], [[18e3], [38e3]]).shape == (2, 2)


def test_correction_of_paths() -> None:
    paths = Paths.from_distance([10e3, 10e3, 5e3], [700.0, 23e3, 23e3], 30.0, 30.0)
    loss = GasAttenuation().correction_db(paths)
    assert loss[0] == 0.0
    assert loss[1] == pytest.approx(2 * loss[2])


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"frequency_mhz": 23.0}, "frequency_mhz"),
        ({"frequency_mhz": 2e6}, "frequency_mhz"),
        ({"frequency_mhz": 23e3, "temperature_k": 15.0}, "temperature_k"),
        ({"frequency_mhz": 23e3, "water_vapour_g_m3": -1.0}, "water_vapour_g_m3"),
        ({"frequency_mhz": 23e3, "dry_pressure_hpa": 101325.0}, "dry_pressure_hpa"),
        ({"frequency_mhz": float("nan")}, "frequency_mhz"),
    ],
)
def test_wrong_input_is_named(arguments: dict[str, float], name: str) -> None:
    with pytest.raises(ParameterError, match=name):
        oxygen_attenuation_db_km(**arguments)
