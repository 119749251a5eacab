"""Calibration on simulated drive tests whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rfplan as rf
from rfplan.calibration import CalibrationSettings, Measurements, calibrate, detect_rssi_convention, load_calibration
from rfplan.calibration.fit import prepare
from rfplan.calibration.links import predict_links
from rfplan.calibration.measurements import read_measurements
from rfplan.calibration.rssi import apply_rssi_convention
from rfplan.errors import InputFileError, ParameterError
from rfplan.propagation.grid import path_loss_pixels
from rfplan.terrain import Terrain

OFFSET, SLOPE, SIGMA, TAU = -9.0, -6.0, 5.0, 7.0
FREQUENCY = 900.0


def make_terrain() -> Terrain:
    y, x = np.mgrid[0:160, 0:160]
    elevation = 60 + 40 * np.sin(x / 17) * np.cos(y / 23) + 15 * np.sin((x + 2 * y) / 9)
    rng = np.random.default_rng(5)
    blocks = np.kron(rng.integers(0, 3, (20, 20)), np.ones((8, 8), dtype=int))
    return Terrain.from_arrays(
        elevation.astype(np.float32),
        x0_m=500_000.0,
        y0_m=2_350_000.0,
        resolution_m=90.0,
        crs="EPSG:32648",
        clutter_class=np.array([2, 3, 5], dtype=np.uint8)[blocks],
        clutter_height_m=np.array([0.0, 10.0, 20.0], dtype=np.float32)[blocks],
    )


@pytest.fixture(scope="module")
def terrain() -> Terrain:
    return make_terrain()


def simulate(terrain: Terrain, seed: int, sites: int = 6, per_site: int = 250, extra=None):
    """Levels of the model plus offset, slope, site offsets and noise; positions carry 8 m of GPS error."""
    rng = np.random.default_rng(seed)
    rows, transmitters = [], []
    for k in range(sites):
        tx = 500_000 + 90 * rng.uniform(30, 130)
        ty = 2_350_000 - 90 * rng.uniform(30, 130)
        lon, lat = terrain.lonlat(tx, ty)
        name = f"site {k}"
        transmitters.append((name, float(lon), float(lat), 30.0, 40.0))
        r, c = rng.integers(0, 160, per_site), rng.integers(0, 160, per_site)
        loss = path_loss_pixels(
            terrain, tx, ty, r, c, model=rf.P1812(), frequency_mhz=FREQUENCY, tx_height_agl_m=30, rx_height_agl_m=1.5
        )[0]
        x, y = 500_000 + 90 * (c + 0.5), 2_350_000 - 90 * (r + 0.5)
        d = np.hypot(x - tx, y - ty)
        level = 40.0 - loss + OFFSET + SLOPE * np.log10(d / 1000) + rng.normal(0, TAU) + rng.normal(0, SIGMA, per_site)
        if extra is not None:
            level = level + extra(d, terrain.clutter_height_m[r, c])
        gx, gy = x + rng.normal(0, 8, per_site), y + rng.normal(0, 8, per_site)
        mlon, mlat = terrain.lonlat(gx, gy)
        rows.append(pd.DataFrame({"lon_deg": mlon, "lat_deg": mlat, "level_dbm": level, "site_id": name}))
    columns = ["site_id", "lon_deg", "lat_deg", "tx_height_agl_m", "eirp_dbm"]
    return pd.concat(rows, ignore_index=True), pd.DataFrame(transmitters, columns=columns)


SETTINGS = CalibrationSettings(frequency_mhz=FREQUENCY)


def test_slope_and_sigmas_are_recovered(terrain: Terrain) -> None:
    table, transmitters = simulate(terrain, 1)
    result = calibrate(Measurements(table), transmitters, terrain, model=rf.P1812(), settings=SETTINGS)
    assert result.variant.startswith("offset + slope")
    assert result.fit is not None
    slope = result.fit.names.index("slope")
    assert abs(result.fit.coefficients[slope] - SLOPE) < 4 * result.fit.standard_errors[slope]
    assert result.sigma_within_db == pytest.approx(SIGMA, rel=0.12)
    assert 0.4 * TAU < result.sigma_between_db < 2 * TAU
    assert set(result.site_offset_db) == set(transmitters["site_id"])
    assert np.nanstd(result.residuals["residual_db"]) < 12


def test_outliers_hardly_matter(terrain: Terrain) -> None:
    table, transmitters = simulate(terrain, 2)
    rng = np.random.default_rng(0)
    bad = rng.random(len(table)) < 0.05
    table.loc[bad, "level_dbm"] = rng.uniform(-120, -40, bad.sum())
    result = calibrate(Measurements(table), transmitters, terrain, model=rf.P1812(), settings=SETTINGS)
    assert result.model.slope_db_per_decade == pytest.approx(SLOPE, abs=2.0)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_with_truth_of_another_form_it_is_never_worse_than_uncalibrated(terrain: Terrain, seed: int) -> None:
    table, transmitters = simulate(terrain, seed, sites=4, per_site=60, extra=lambda d, _: 9 * np.cos(d / 900.0))
    result = calibrate(Measurements(table), transmitters, terrain, model=rf.P1812(), settings=SETTINGS)
    own = result.table.set_index("variant")["site_rmse_db"]
    assert own[result.variant] <= own["uncalibrated"]


def test_clutter_offsets_are_recovered_and_reach_the_grid(terrain: Terrain) -> None:
    truth = {0.0: 6.0, 10.0: 0.0, 20.0: -8.0}
    table, transmitters = simulate(terrain, 6, extra=lambda _, h: np.vectorize(truth.get)(h.astype(float)))
    result = calibrate(Measurements(table), transmitters, terrain, model=rf.P1812(), settings=SETTINGS)
    assert result.variant == "offset + slope + clutter"
    found = dict(result.model.clutter_offset_db)
    assert found[0.0] - found[20.0] == pytest.approx(14.0, abs=1.5)
    site = transmitters.iloc[0]
    arguments = {"frequency_mhz": FREQUENCY, "tx_height_agl_m": 30, "rx_height_agl_m": 1.5}
    x, y = (float(v) for v in terrain.xy(site["lon_deg"], site["lat_deg"]))
    r = c = np.arange(10, 150, 7)
    loss = path_loss_pixels(terrain, x, y, r, c, model=result.model, **arguments)[0]
    base = path_loss_pixels(terrain, x, y, r, c, model=rf.P1812(), **arguments)[0]
    d = np.hypot(500_000 + 90 * (c + 0.5) - x, 2_350_000 - 90 * (r + 0.5) - y)
    np.testing.assert_allclose(base - loss, result.model.correction_db(d, terrain.clutter_height_m[r, c]), atol=1e-9)


def test_non_receptions_undo_the_flattened_slope(terrain: Terrain) -> None:
    table, transmitters = simulate(terrain, 7, sites=8)
    limit = float(table["level_dbm"].quantile(0.35))
    table.loc[table["level_dbm"] < limit, "level_dbm"] = np.nan
    tobit = calibrate(
        Measurements(table),
        transmitters,
        terrain,
        model=rf.P1812(),
        settings=replace(SETTINGS, sensitivity_dbm=limit),
    )
    heard = calibrate(Measurements(table), transmitters, terrain, model=rf.P1812(), settings=SETTINGS)
    assert any("not received" in note for note in heard.notes)
    assert tobit.fit is not None
    assert tobit.fit.n_censored > 300
    assert abs(tobit.model.slope_db_per_decade - SLOPE) < abs(heard.model.slope_db_per_decade - SLOPE)
    assert tobit.sigma_within_db > heard.sigma_within_db


def test_other_models_stand_beside_it_and_a_saved_file_reloads_bit_identically(
    terrain: Terrain, tmp_path: Path
) -> None:
    table, transmitters = simulate(terrain, 8, sites=3, per_site=80)
    result = calibrate(
        Measurements(table), transmitters, terrain, model=rf.P1812(), settings=SETTINGS, compare=[rf.FreeSpace()]
    )
    assert set(result.table["model"]) == {"P1812", "FreeSpace"}
    assert not ((result.table["model"] == "FreeSpace") & result.table["variant"].str.contains("clutter")).any()
    path = result.save(tmp_path / "calibration.json")
    assert load_calibration(path, rf.P1812()) == result.model
    with pytest.raises(InputFileError, match="made for P1812"):
        load_calibration(path, rf.FreeSpace())
    path.write_text("{}")
    with pytest.raises(InputFileError, match="not a calibration file"):
        load_calibration(path, rf.P1812())
    assert "dB within a site" in str(result)


def test_one_site_is_judged_by_blocks(terrain: Terrain) -> None:
    table, transmitters = simulate(terrain, 9, sites=1)
    result = calibrate(Measurements(table), transmitters, terrain, model=rf.P1812(), settings=SETTINGS)
    assert result.notes[-1] == "variant chosen by block_rmse_db"
    assert result.sigma_between_db == 0.0
    assert result.model.sigma_between_db == 9.0
    assert any("1 site(s) can't tell how sites differ" in note for note in result.notes)


def test_nothing_usable_says_why(terrain: Terrain) -> None:
    table, transmitters = simulate(terrain, 10, sites=1, per_site=5)
    with pytest.raises(ParameterError, match="5 measurements match no transmitter"):
        calibrate(Measurements(table.assign(site_id="other")), transmitters, terrain, model=rf.P1812())


def test_the_convention_of_rssi_is_told_from_its_slope() -> None:
    rng = np.random.default_rng(0)
    snr = rng.uniform(-18, 8, 800)
    signal = -125 + snr + rng.normal(0, 1, 800)
    channel = 10 * np.log10(10 ** (signal / 10) + 10 ** (-125 / 10)) + rng.normal(0, 0.5, 800)
    assert detect_rssi_convention(signal, snr)[0] == "signal"
    assert detect_rssi_convention(channel, snr)[0] == "channel_power"
    table = pd.DataFrame({"lon_deg": 105.0, "lat_deg": 21.0, "level_dbm": channel, "snr_db": snr})
    esp = apply_rssi_convention(Measurements(table)).table["level_dbm"]
    assert np.abs(esp - signal).mean() < 2.0


def test_files_are_read_by_alias_and_by_map(tmp_path: Path) -> None:
    path = tmp_path / "drive.csv"
    path.write_text("Time;Longitude;Latitude;RSSI;SNR;gateway\n1;105,1;21,2;-101,5;3;g1\n2;;;-100;2;g1\n")
    with pytest.warns(rf.DataWarning, match="1 rows without a position"):
        got = read_measurements(path)
    assert got.table["level_dbm"].tolist() == [-101.5]
    assert got.table["site_id"].tolist() == ["g1"]
    (tmp_path / "b.csv").write_text("lon,lat,strength\n105,21,-90\n")
    with pytest.raises(InputFileError, match="no column for level_dbm"):
        read_measurements(tmp_path / "b.csv")
    assert len(read_measurements(tmp_path / "b.csv", column_map={"level_dbm": "strength"})) == 1
    book = tmp_path / "drive.xlsx"
    pd.DataFrame({"lon": [105.0], "lat": [21.0], "rsrp": [-90.0]}).to_excel(book, index=False)
    assert read_measurements(book).table["level_dbm"].tolist() == [-90.0]


def test_impossible_rows_are_named() -> None:
    good = {"lon_deg": [105.0], "lat_deg": [21.0], "level_dbm": [-90.0]}
    with pytest.raises(ParameterError, match="no position"):
        Measurements(pd.DataFrame(good | {"lat_deg": [2350000.0]}))
    with pytest.raises(ParameterError, match="level_dbm 90"):
        Measurements(pd.DataFrame(good | {"level_dbm": [90.0]}))


FORMS = {
    "waves": lambda seed, d, h: 9 * np.cos(d / 900.0 + seed),
    "steep beyond 4 km": lambda seed, d, h: -12.0 * np.maximum(d / 4000.0 - 1.0, 0.0),
    "clutter that grows with distance": lambda seed, d, h: -0.4 * h * np.log10(d / 300.0 + 1.0),
    "nothing to learn": lambda seed, d, h: -OFFSET - SLOPE * np.log10(d / 1000.0),
}


@pytest.mark.parametrize("form", FORMS)
def test_on_sites_that_no_fit_has_seen_calibration_is_no_loss(terrain: Terrain, form: str) -> None:
    """Twelve campaigns a form of truth: five sites to learn from, four that even the choice of variant never saw."""
    differences = []
    for seed in range(12):
        table, transmitters = simulate(
            terrain, 100 + seed, sites=9, per_site=70, extra=lambda d, h, seed=seed: FORMS[form](seed, d, h)
        )
        seen = set(transmitters["site_id"].iloc[:5])
        known = table["site_id"].isin(seen)
        result = calibrate(Measurements(table[known]), transmitters, terrain, model=rf.P1812(), settings=SETTINGS)
        own = result.table.set_index("variant")["site_rmse_db"]
        assert own[result.variant] <= own["uncalibrated"]
        fresh = prepare(Measurements(table[~known]), transmitters, terrain, SETTINGS).links
        error = {
            name: fresh.level_dbm - predict_links(fresh, terrain, model, FREQUENCY, 1.5)
            for name, model in (("as it is", rf.P1812()), ("calibrated", result.model))
        }
        rmse = {name: float(np.sqrt(np.mean(values**2))) for name, values in error.items()}
        differences.append(rmse["calibrated"] - rmse["as it is"])
    # With nothing to learn, the mean of five sites is off by TAU / sqrt(5) all the same; it may cost that, no more.
    assert np.mean(differences) < (0.8 if form == "nothing to learn" else -1.0)
    assert max(differences) < 4.0
