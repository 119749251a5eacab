"""P.530: plain transcriptions, an independent implementation's values, inversions and limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rfplan.errors import ParameterError, ValidityWarning
from rfplan.propagation.p530 import (
    Hop,
    annual_percent_from_worst_month,
    fade_exceeded_percent,
    first_fresnel_radius_m,
    hop_availability_percent,
    multipath_occurrence_percent,
    multipath_occurrence_quick_percent,
    rain_fade_db,
    rain_outage_percent,
)


@pytest.mark.parametrize(
    ("d_km", "f_ghz", "rate", "tilt", "fades"),
    # crc-covlib's formulas, evaluated once, at 0.001, 0.01, 0.1 and 1 %
    [
        (20, 15, 80, 90, (89.83517, 44.93680, 17.05685, 4.91288)),
        (5, 38, 110, 0, (149.42249, 78.64330, 29.66508, 8.01987)),
        (50, 7, 60, 90, (15.97135, 7.81379, 2.97401, 0.88061)),
    ],
)
def test_rain_as_crc_covlib(d_km: float, f_ghz: float, rate: float, tilt: float, fades: tuple[float, ...]) -> None:
    hop = Hop(d_km * 1e3, f_ghz * 1e3, 100.0, 100.0, tilt_deg=tilt)
    np.testing.assert_allclose(rain_fade_db(hop, [0.001, 0.01, 0.1, 1.0], rain_rate_mm_h=rate), fades, atol=1e-5)


def test_multipath_as_crc_covlib() -> None:
    low = Hop(40e3, 6e3, 120.0, 80.0, mean_terrain_amsl_m=20.0)
    assert multipath_occurrence_percent(low, geoclimatic_factor=10**-3.5, dn75=60) == pytest.approx(
        1463.05225, rel=1e-8
    )
    high = Hop(25e3, 11e3, 600.0, 300.0, mean_terrain_amsl_m=150.0)
    assert multipath_occurrence_percent(high, geoclimatic_factor=1e-4, dn75=30) == pytest.approx(3.8527273, rel=1e-8)


def test_quick_planning_by_hand() -> None:
    hop = Hop(30e3, 7e3, 150.0, 90.0)
    by_hand = 10 ** (-4.6 + 0.0027 * 300) * 30**3.1 * (1 + 2.0) ** -1.29 * 7**0.8 * 10 ** (-0.00089 * 90)
    assert multipath_occurrence_quick_percent(hop, dn1=-300) == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize(
    ("p0", "percents"),
    # crc-covlib's formulas, evaluated once, at 5, 10, 20, 30 and 40 dB
    [
        (1.0, (1.0823992, 0.1288163, 0.009375565, 0.001, 0.0001)),
        (100.0, (9.2365742, 3.8174322, 0.7883516, 0.1, 0.01)),
    ],
)
def test_fading_distribution(p0: float, percents: tuple[float, ...]) -> None:
    np.testing.assert_allclose(fade_exceeded_percent([5, 10, 20, 30, 40], p0), percents, rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 1000), st.floats(0, 60))
def test_deeper_fades_are_rarer_and_join_smoothly(p0: float, depth: float) -> None:
    shallow, deep = fade_exceeded_percent([depth, depth + 1.0], p0)
    assert deep < shallow <= 100.0 * (1 - math.exp(-1)) + 1e-9
    transition = 25 + 1.2 * math.log10(p0)
    under, over = fade_exceeded_percent([transition - 1e-9, transition], p0)
    assert under == pytest.approx(over, rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.floats(1, 59), st.floats(6, 80), st.floats(10, 150), st.floats(0.002, 0.9))
def test_outage_inverts_the_fade(d_km: float, f_ghz: float, rate: float, percent: float) -> None:
    hop = Hop(d_km * 1e3, f_ghz * 1e3, 100.0, 140.0)
    fade = float(rain_fade_db(hop, percent, rain_rate_mm_h=rate))
    if 1e-6 < fade < 300.0:
        assert rain_outage_percent(hop, fade, rain_rate_mm_h=rate) == pytest.approx(percent, rel=1e-9)


def test_short_hops_are_limited_to_a_factor_of_2_5() -> None:
    hop = Hop(200.0, 80e3, 50.0, 50.0)
    fade = float(rain_fade_db(hop, 0.01, rain_rate_mm_h=20))
    from rfplan.propagation.p838 import rain_attenuation_db_km

    c0 = 0.12 + 0.4 * math.log10(8**0.8)
    c2, c3 = 0.855 * c0 + 0.546 * (1 - c0), 0.139 * c0 + 0.043 * (1 - c0)
    at_001 = 0.07**c0 * 0.12 ** (1 - c0) * 0.01 ** -(c2 - 2 * c3)
    assert fade == pytest.approx(2.5 * 0.2 * float(rain_attenuation_db_km(20, 80e3)) * at_001, rel=1e-9)


def test_year_from_worst_month() -> None:
    hop = Hop(40e3, 6e3, 120.0, 80.0, latitude_deg=21.0)
    gain = 10.5 - 5.6 * math.log10(1.1 + math.cos(math.radians(42)) ** 0.7) - 2.7 * math.log10(40) + 1.7 * math.log10(2)
    assert annual_percent_from_worst_month(1.0, hop) == pytest.approx(10 ** (-gain / 10))
    polar = Hop(5e3, 6e3, 120.0, 80.0, latitude_deg=80.0)
    assert annual_percent_from_worst_month(1.0, polar) == pytest.approx(10**-1.08)  # the limit of 10.8 dB


def test_availability_adds_what_stops_the_hop() -> None:
    hop = Hop(12e3, 18e3, 100.0, 60.0)
    result = hop_availability_percent(hop, 40.0, rain_rate_mm_h=90, multipath_occurrence_percent=20.0)
    assert result["outage_percent"] == pytest.approx(result["rain_percent"] + result["multipath_percent"])
    assert result["availability_percent"] == pytest.approx(100 - result["outage_percent"])
    assert result["gas_db"] > 0.0
    better = hop_availability_percent(hop, 45.0, rain_rate_mm_h=90, multipath_occurrence_percent=20.0)
    assert better["availability_percent"] > result["availability_percent"]
    short = hop_availability_percent(Hop(4e3, 18e3, 100, 60), 40.0, rain_rate_mm_h=90, multipath_occurrence_percent=20)
    assert short["multipath_percent"] == 0.0
    assert rain_outage_percent(hop, 30.0, rain_rate_mm_h=0.0) == 0.0


def test_fresnel_radius() -> None:
    radius = first_fresnel_radius_m(5e3, 5e3, 7e3)
    assert radius == pytest.approx(math.sqrt(299.792458 / 7e3 * 5e3 * 5e3 / 10e3), rel=2e-3)


def test_limits() -> None:
    hop = Hop(12e3, 18e3, 100.0, 60.0)
    with pytest.raises(ParameterError, match=r"distance_m is 0.012"):
        Hop(0.012, 18e3, 100.0, 60.0)
    with pytest.raises(ParameterError, match="frequency_mhz is 18"):
        Hop(12e3, 18.0, 100.0, 60.0)
    with pytest.raises(ParameterError, match="time_percent"):
        rain_fade_db(hop, 5.0, rain_rate_mm_h=50)
    with pytest.raises(ParameterError, match="dn1"):
        multipath_occurrence_quick_percent(hop, dn1=300)
    with pytest.raises(ParameterError, match="clear air"):
        hop_availability_percent(Hop(12e3, 60e3, 100, 60), 40.0, rain_rate_mm_h=50)
    with pytest.warns(ValidityWarning, match="distance_m"):
        rain_fade_db(Hop(80e3, 7e3, 800, 900), 0.01, rain_rate_mm_h=50)
    with pytest.warns(ValidityWarning, match="frequency_mhz"):
        multipath_occurrence_percent(Hop(2e3, 6e3, 50, 50), geoclimatic_factor=1e-4, dn75=30)
