"""The constants of the Standard Propagation Model are found again in drive tests simulated from them."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rfplan as rf
from rfplan.calibration import CalibrationSettings, calibrate_spm, load_calibration
from rfplan.calibration.spm_fit import LOG_H, SLOPE_DB, Terms
from rfplan.errors import ParameterError, ValidityWarning
from rfplan.propagation.grid import path_loss_pixels
from rfplan.propagation.spm import SPM, spm_loss_db
from rfplan.terrain import Terrain

CLUTTER_DB = {0.0: -4.0, 10.0: 0.0, 20.0: 9.0}
TRUTH = SPM(k1=29.0, k2=39.0, k3=2.0, k4=0.7, k5=-4.5, clutter_loss_db=tuple(CLUTTER_DB.items()))
SETTINGS = CalibrationSettings(frequency_mhz=1800.0)
SIGMA, TAU = 6.0, 4.0
X0, Y0, STEP, SIDE = 500_000.0, 2_350_000.0, 100.0, 150


@pytest.fixture(scope="module")
def terrain() -> Terrain:
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    elevation = 120 + 55 * np.sin(x / 13) * np.cos(y / 17) + 25 * np.sin((x + 2 * y) / 7)
    rng = np.random.default_rng(5)
    blocks = np.kron(rng.integers(0, 3, (30, 30)), np.ones((5, 5), dtype=int))
    heights = np.array([0.0, 10.0, 20.0], dtype=np.float32)[blocks]
    where = {"x0_m": X0, "y0_m": Y0, "resolution_m": STEP, "crs": "EPSG:32648"}
    return Terrain.from_arrays(elevation.astype(np.float32), clutter_height_m=heights, **where)


def drive(terrain: Terrain, model: object, seed: int, sites: int = 10, per_site: int = 250, distort=None):
    """Levels of a model with site offsets, shadowing, a twentieth of gross outliers and 10 m of GPS error."""
    rng = np.random.default_rng(seed)
    rows, transmitters = [], []
    for k in range(sites):
        tx, ty = X0 + STEP * rng.uniform(30, 120), Y0 - STEP * rng.uniform(30, 120)
        height = float(rng.uniform(20, 60))
        lon, lat = terrain.lonlat(tx, ty)
        transmitters.append((f"s{k}", float(lon), float(lat), height, 60.0))
        r, c = rng.integers(0, SIDE, per_site), rng.integers(0, SIDE, per_site)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ValidityWarning)
            loss = path_loss_pixels(
                terrain, tx, ty, r, c, model=model, frequency_mhz=1800.0, tx_height_agl_m=height, rx_height_agl_m=1.5
            )[0]
        x, y = X0 + STEP * (c + 0.5), Y0 - STEP * (r + 0.5)
        level = 60.0 - loss + rng.normal(0, TAU) + rng.normal(0, SIGMA, per_site)
        if distort is not None:
            level = level + distort(np.hypot(x - tx, y - ty), terrain.clutter_height_m[r, c])
        bad = rng.random(per_site) < 0.05
        level[bad] += rng.normal(0, 25, bad.sum())
        lon, lat = terrain.lonlat(x + rng.normal(0, 10, per_site), y + rng.normal(0, 10, per_site))
        rows.append(pd.DataFrame({"lon": lon, "lat": lat, "rsrp": np.clip(level, -170, -25), "site_id": f"s{k}"}))
    columns = ["site_id", "lon_deg", "lat_deg", "tx_height_agl_m", "eirp_dbm"]
    return pd.concat(rows, ignore_index=True), pd.DataFrame(transmitters, columns=columns)


@pytest.fixture(scope="module")
def found(terrain: Terrain) -> list[rf.Calibration]:
    return [calibrate_spm(*drive(terrain, TRUTH, seed), terrain, settings=SETTINGS) for seed in range(10)]


def test_constants_and_clutter_losses_lie_within_their_intervals(found: list[rf.Calibration]) -> None:
    truth = {name.upper(): getattr(TRUTH, name) for name in ("k1", "k2", "k3", "k4", "k5")}
    inside: dict[str, list[bool]] = {}
    z: dict[str, list[float]] = {}
    for result in found:
        assert result.variant == "K1 to K5 clutter"
        table = result.coefficients.set_index("name")
        reference = next(h for h, v in result.model.base.clutter_loss_db if v == 0.0)
        here = truth | {f"clutter {h:g} m": v - CLUTTER_DB[reference] for h, v in CLUTTER_DB.items() if h != reference}
        here["K1"] += CLUTTER_DB[reference]
        for name, value in here.items():
            row = table.loc[name]
            inside.setdefault(name, []).append(row["low_95"] <= value <= row["high_95"])
            z.setdefault(name, []).append((row["value"] - value) / row["standard_error"])
    share = {name: np.mean(hits) for name, hits in inside.items()}
    assert min(share.values()) >= 0.8, share
    assert np.mean([hit for hits in inside.values() for hit in hits]) >= 0.9, share
    assert max(abs(np.mean(values)) for values in z.values()) < 1.0, z
    assert 0.5 < np.std([value for values in z.values() for value in values]) < 1.4


def test_the_intervals_are_narrow_enough_to_mean_something(found: list[rf.Calibration]) -> None:
    wide = pd.concat([result.coefficients.set_index("name")["standard_error"] for result in found], axis=1).max(axis=1)
    assert wide["K4"] < 0.1
    assert wide[[name for name in wide.index if name.startswith("clutter")]].max() < 1.0
    assert wide["K2"] < 8.0


def test_sigmas_are_found(found: list[rf.Calibration]) -> None:
    assert np.mean([result.sigma_within_db for result in found]) == pytest.approx(SIGMA, rel=0.1)
    assert np.mean([result.sigma_between_db for result in found]) == pytest.approx(TAU, rel=0.35)


def test_held_out_errors_come_near_what_no_model_can_remove(found: list[rf.Calibration]) -> None:
    for result in found:
        table = result.table.set_index("variant")
        assert table.iloc[0]["site_rmse_db"] < table.loc["uncalibrated", "site_rmse_db"]
    middle = np.mean([np.nanmedian(np.abs(result.residuals["held_out_db"])) for result in found])
    assert middle < 1.1 * 0.6745 * np.hypot(SIGMA, TAU)


def test_physics_is_kept_where_the_measurements_defy_it(terrain: Terrain) -> None:
    """Levels that rise with distance and with obstruction."""

    def rising(d: np.ndarray, _: np.ndarray) -> np.ndarray:
        return 70.0 * np.log10(d / 1000.0)

    table, transmitters = drive(terrain, TRUTH, 3, sites=5, distort=rising)
    result = calibrate_spm(table, transmitters, terrain, settings=SETTINGS)
    spm = result.model.base
    for lg_h in LOG_H:
        assert SLOPE_DB[0] - 1e-9 <= spm.k2 + spm.k5 * lg_h <= SLOPE_DB[1] + 1e-9
    assert 0.1 <= spm.k4 <= 2.0
    assert (result.coefficients["note"] == "held at its bound").any() or result.variant in ("uncalibrated", "K1")


def test_the_calibrated_model_on_a_grid_is_the_one_that_was_judged(
    terrain: Terrain, found: list[rf.Calibration], tmp_path: Path
) -> None:
    result = found[0]
    _, transmitters = drive(terrain, TRUTH, 0)
    site = transmitters.iloc[2]
    links = result.residuals[result.residuals["site_id"] == site["site_id"]]
    x, y = terrain.xy(links["lon_deg"], links["lat_deg"])
    r, c = terrain.nearest(x, y)
    px, py = terrain.xy(site["lon_deg"], site["lat_deg"])
    loaded = load_calibration(result.save(tmp_path / "spm.json"))
    assert loaded == result.model
    assert loaded.shadowing_sigma_db == result.model.shadowing_sigma_db
    for model in (result.model, loaded):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ValidityWarning)
            loss = path_loss_pixels(
                terrain,
                float(px),
                float(py),
                r,
                c,
                model=model,
                frequency_mhz=1800.0,
                tx_height_agl_m=site["tx_height_agl_m"],
                rx_height_agl_m=1.5,
            )[0]
        np.testing.assert_allclose(60.0 - loss, links["predicted_dbm"], atol=1e-8)


def test_parameters_and_constants_say_the_same() -> None:
    """The centred parameters that are fitted, and K1 … K7 made from them, give one loss."""
    rng = np.random.default_rng(0)
    lg_d, lg_h, bent, rx = (
        rng.uniform(2, 4.5, 50),
        rng.uniform(*LOG_H, 50),
        rng.uniform(0, 30, 50),
        rng.uniform(1, 9, 50),
    )
    terms = Terms(lg_d, lg_h, bent, rx, 3.4, 1.7)
    names = ("level", "slope", "slope_low", "slope_high", "height", "k4", "k6", "k7")
    value = rng.normal(size=len(names))
    shift = -sum(terms.columns()[name] * v for name, v in zip(names, value, strict=True))
    k = sum(terms.to_k(name) * v for name, v in zip(names, value, strict=True))
    direct = spm_loss_db(10**lg_d, 10**lg_h, rx, diffraction_db=bent, k=tuple(k))
    np.testing.assert_allclose(shift, direct, atol=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_with_truth_of_another_form_no_held_out_error_grows(terrain: Terrain, seed: int) -> None:
    def other(d: np.ndarray, clutter: np.ndarray) -> np.ndarray:
        return 8.0 * np.sin(d / 700.0 + seed) - 0.3 * clutter * np.log10(d / 500.0 + 1.0)

    table, transmitters = drive(terrain, rf.P1812(), seed, sites=4, per_site=60, distort=other)
    result = calibrate_spm(table, transmitters, terrain, settings=SETTINGS)
    own = result.table.set_index("variant")["site_rmse_db"]
    assert own[result.variant] <= own["uncalibrated"]


def test_two_bands_are_refused(terrain: Terrain) -> None:
    table, transmitters = drive(terrain, TRUTH, 1, sites=2, per_site=50)
    with pytest.raises(ParameterError, match="calibrate band by band"):
        calibrate_spm(table, transmitters.assign(frequency_mhz=[800.0, 1800.0]), terrain, settings=SETTINGS)
