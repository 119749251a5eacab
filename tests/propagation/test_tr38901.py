"""TR 38.901: an independent transcription, published check values, continuity, sight by formula and by terrain."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rfplan.errors import ParameterError, ValidityWarning
from rfplan.profile import PathProfile, Paths
from rfplan.propagation.sight import line_of_sight
from rfplan.propagation.tr38901 import (
    TR38901,
    tr38901_los_probability,
    tr38901_loss_db,
    tr38901_penetration_db,
    tr38901_penetration_sigma_db,
    tr38901_shadow_sigma_db,
)

BASE = {"RMa": 35.0, "UMa": 25.0, "UMi": 10.0}
lg = math.log10


def naive(scenario: str, d: float, f: float, h_bs: float, h_ut: float, los: bool, h: float = 5, w: float = 20) -> float:
    """Table 7.4.1-1 row by row; f in GHz."""
    d3 = math.sqrt(d * d + (h_bs - h_ut) ** 2)
    if scenario == "RMa":

        def pl1(x: float) -> float:
            a, b = min(0.03 * h**1.72, 10), min(0.044 * h**1.72, 14.77)
            return 20 * lg(40 * math.pi * x * f / 3) + a * lg(x) - b + 0.002 * lg(h) * x

        bp = 2 * math.pi * h_bs * h_ut * f * 1e9 / 3e8
        visible = pl1(d3) if d <= bp else pl1(bp) + 40 * lg(d3 / bp)
        hidden = 161.04 - 7.1 * lg(w) + 7.5 * lg(h) - (24.37 - 3.7 * (h / h_bs) ** 2) * lg(h_bs)
        hidden += (43.42 - 3.1 * lg(h_bs)) * (lg(d3) - 3) + 20 * lg(f) - (3.2 * lg(11.75 * h_ut) ** 2 - 4.97)
    elif scenario == "UMa":
        bp = 4 * (h_bs - 1) * (h_ut - 1) * f * 1e9 / 3e8
        visible = 28 + 22 * lg(d3) + 20 * lg(f)
        if d > bp:
            visible = 28 + 40 * lg(d3) + 20 * lg(f) - 9 * lg(bp**2 + (h_bs - h_ut) ** 2)
        hidden = 13.54 + 39.08 * lg(d3) + 20 * lg(f) - 0.6 * (h_ut - 1.5)
    else:
        bp = 4 * (h_bs - 1) * (h_ut - 1) * f * 1e9 / 3e8
        visible = 32.4 + 21 * lg(d3) + 20 * lg(f)
        if d > bp:
            visible = 32.4 + 40 * lg(d3) + 20 * lg(f) - 9.5 * lg(bp**2 + (h_bs - h_ut) ** 2)
        hidden = 35.3 * lg(d3) + 22.4 + 21.3 * lg(f) - 0.3 * (h_ut - 1.5)
    return visible if los else max(visible, hidden)


@pytest.mark.parametrize("scenario", ["RMa", "UMa", "UMi"])
@settings(max_examples=25, deadline=None)
@given(d=st.floats(10, 5e3), f=st.floats(0.5, 30), h_ut=st.floats(1.5, 10), los=st.booleans())
def test_against_a_plain_transcription(scenario: str, d: float, f: float, h_ut: float, los: bool) -> None:
    loss = tr38901_loss_db(d, f * 1e3, BASE[scenario], h_ut, scenario=scenario, line_of_sight=los)  # type: ignore[arg-type]
    assert loss == pytest.approx(naive(scenario, d, f, BASE[scenario], h_ut, los), abs=1e-9)


@pytest.mark.parametrize("scenario", ["RMa", "UMa", "UMi"])
@settings(max_examples=20, deadline=None)
@given(d=st.floats(10, 4e3), f=st.floats(500, 24e3), los=st.booleans())
def test_grows_with_distance_and_frequency_and_blocking(scenario: str, d: float, f: float, los: bool) -> None:
    def loss(d: float, f: float, los: bool) -> float:
        return float(tr38901_loss_db(d, f, BASE[scenario], 1.5, scenario=scenario, line_of_sight=los))  # type: ignore[arg-type]

    assert loss(d, f, los) < loss(d * 1.2, f, los)
    assert loss(d, f, True) <= loss(d, f, False)
    if scenario == "RMa" or los is False:
        assert loss(d, f, los) < loss(d, f * 1.2, los) + 1e-9
    # A higher frequency moves the urban breakpoint out, so that far away in sight the loss can fall by what it gained.


def test_jump_at_the_breakpoint() -> None:
    for scenario, f, most in (("RMa", 900.0, 0.002), ("UMa", 3500.0, 1e-9), ("UMi", 3500.0, 1e-9)):
        h_bs, h_ut = BASE[scenario], 1.5
        bp = 2 * np.pi * h_bs * h_ut * f * 1e6 / 3e8 if scenario == "RMa" else 4 * (h_bs - 1) * 0.5 * f * 1e6 / 3e8
        at = tr38901_loss_db([bp, np.nextafter(bp, 1e9)], f, h_bs, h_ut, scenario=scenario, line_of_sight=True)  # type: ignore[arg-type]
        # RMa starts its far part from the breakpoint on the ground, not along the ray.
        assert 0.0 <= abs(at[1] - at[0]) < most * 10, scenario


def test_los_probability() -> None:
    np.testing.assert_array_equal(tr38901_los_probability([0, 5, 10], scenario="RMa"), 1.0)
    assert tr38901_los_probability(1010, scenario="RMa") == pytest.approx(math.exp(-1))
    for scenario, decay in (("UMa", 63.0), ("UMi", 36.0)):
        np.testing.assert_array_equal(tr38901_los_probability([0.0, 18.0], scenario=scenario), 1.0)  # type: ignore[arg-type]
        p = 18 / 100 + math.exp(-100 / decay) * (1 - 18 / 100)
        assert tr38901_los_probability(100, scenario=scenario) == pytest.approx(p)  # type: ignore[arg-type]
    tall = tr38901_los_probability(200, scenario="UMa", rx_height_agl_m=23)
    p = 18 / 200 + math.exp(-200 / 63) * (1 - 18 / 200)
    assert tall == pytest.approx(p * (1 + 1.25 * 8 * math.exp(-200 / 150)))
    assert (np.diff(tr38901_los_probability(np.linspace(10, 5e3, 200), scenario="UMa")) <= 0).all()


def test_penetration() -> None:
    np.testing.assert_allclose(tr38901_penetration_db([1800, 3500]), [11.65, 12.70], atol=0.005)
    np.testing.assert_allclose(tr38901_penetration_db([1800, 3500], penetration="high"), [21.74, 26.85], atol=0.005)
    deeper = tr38901_penetration_db(1800, indoor_distance_m=10) - tr38901_penetration_db(1800)
    assert deeper == pytest.approx(5.0)
    assert tr38901_penetration_db(1800, penetration="none") == 0.0
    assert (tr38901_penetration_sigma_db("low"), tr38901_penetration_sigma_db("high")) == (4.4, 6.5)


def test_shadow_sigma() -> None:
    bp = 2 * np.pi * 35 * 1.5 * 900e6 / 3e8
    near, far = tr38901_shadow_sigma_db([bp - 1, bp + 1], 900, 35, 1.5, scenario="RMa", line_of_sight=True)
    assert (near, far) == (4.0, 6.0)
    values = {s: float(tr38901_shadow_sigma_db(200, 3500, BASE[s], 1.5, scenario=s)) for s in BASE}  # type: ignore[arg-type]
    assert values == {"RMa": 8.0, "UMa": 6.0, "UMi": 7.82}


def test_model_mean_lies_between_and_parts_add_up() -> None:
    paths = Paths.from_distance([50.0, 300.0, 2e3], 3500.0, 25.0, 1.5)
    low, mean, high = (TR38901("UMa", sight).path_loss_db(paths) for sight in ("los", "mean", "nlos"))
    assert (low < mean).all()
    assert (mean < high).all()
    model = TR38901("UMa", "mean", penetration="low", indoor_distance_m=8.0)
    np.testing.assert_allclose(sum(model.loss_parts(paths).values()), model.path_loss_db(paths))
    np.testing.assert_allclose(model.path_loss_db(paths) - mean, tr38901_penetration_db(3500, indoor_distance_m=8.0))
    assert (model.shadow_sigma_db(paths) > 4.4).all()
    assert model.needs == "distance"


def test_sight_by_terrain() -> None:
    d = np.linspace(0, 3000, 61)
    flat = PathProfile(d, np.zeros(61))
    hill = PathProfile(d, np.where(np.abs(d - 1500) < 100, 60.0, 0.0))
    woods = PathProfile(d, np.zeros(61), np.full(61, 15.0))
    kwargs = {"frequency_mhz": 900.0, "tx_height_agl_m": 35.0, "rx_height_agl_m": 1.5}
    model = TR38901("RMa", "terrain")
    assert model.needs == "profile"
    in_sight = tr38901_loss_db(3000, 900, 35, 1.5, scenario="RMa", line_of_sight=True)
    blocked = tr38901_loss_db(3000, 900, 35, 1.5, scenario="RMa")
    assert model.path_loss_db(flat.paths(**kwargs))[0] == pytest.approx(in_sight)  # type: ignore[arg-type]
    assert model.path_loss_db(hill.paths(**kwargs))[0] == pytest.approx(blocked)  # type: ignore[arg-type]
    batch = Paths.concatenate([profile.paths(**kwargs) for profile in (flat, hill, woods)])  # type: ignore[arg-type]
    np.testing.assert_array_equal(line_of_sight(batch), [True, False, False])
    np.testing.assert_array_equal(line_of_sight(batch, clutter=False), [True, False, True])


@pytest.mark.nojit
def test_line_of_sight_against_a_loop() -> None:
    rng = np.random.default_rng(5)
    batches, expected = [], []
    for _ in range(30):
        n = int(rng.integers(2, 40))
        d = np.sort(np.r_[0.0, rng.uniform(100, 20e3, n - 1)])
        ground, clutter = rng.uniform(0, 40, n), rng.uniform(0, 10, n)
        h_t, h_r = rng.uniform(5, 80, 2)
        batches.append(
            PathProfile(d, ground, clutter).paths(frequency_mhz=900, tx_height_agl_m=h_t, rx_height_agl_m=h_r)
        )
        clear = True
        for i in range(1, n - 1):
            ray = (ground[0] + h_t) * (1 - d[i] / d[-1]) + (ground[-1] + h_r) * d[i] / d[-1]
            bulge = d[i] * (d[-1] - d[i]) / (2 * 6371e3 * 4 / 3)
            clear &= bool(ground[i] + clutter[i] + bulge <= ray)
        expected.append(clear)
    assert 0 < sum(expected) < 30
    np.testing.assert_array_equal(line_of_sight(Paths.concatenate(batches)), expected)
    reverse = Paths.concatenate(
        [
            batch.profile(0)
            .reversed()
            .paths(frequency_mhz=900, tx_height_agl_m=batch.rx_height_agl_m, rx_height_agl_m=batch.tx_height_agl_m)
            for batch in batches
        ]
    )
    np.testing.assert_array_equal(line_of_sight(reverse), expected)


def test_limits() -> None:
    with pytest.warns(ValidityWarning, match=r"tx_height_agl_m = 40 is outside 25 to 25"):
        tr38901_loss_db(500, 1800, 40, 1.5)
    with pytest.warns(ValidityWarning, match="frequency_mhz"):
        tr38901_loss_db(500, 40e3, 35, 1.5, scenario="RMa")
    with pytest.raises(ParameterError, match="scenario is 'InH'"):
        tr38901_loss_db(500, 1800, 25, 1.5, scenario="InH")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="sight"):
        TR38901(sight="maybe")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="carry distances only"):
        TR38901(sight="terrain").path_loss_db(Paths.from_distance(500.0, 1800.0, 25.0, 1.5))
    with pytest.raises(ParameterError, match="rx_height_agl_m is 40"):
        tr38901_los_probability(100, rx_height_agl_m=40)
    with pytest.raises(ParameterError, match="frequency_mhz"):
        tr38901_penetration_db(1.8)
