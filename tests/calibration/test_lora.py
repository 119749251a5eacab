"""A whole synthetic campaign of LoRaWAN-like devices on cars, from raw tables to a judged calibration."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lora_world import World, make_world

import rfplan as rf
from rfplan.calibration import CalibrationSettings, Measurements, calibrate
from rfplan.calibration.measurements import as_measurements, drop_duplicates
from rfplan.calibration.packets import add_non_receptions
from rfplan.calibration.rssi import apply_rssi_convention
from rfplan.calibration.transmitters import as_transmitters, place_transmitters
from rfplan.errors import DataWarning, ParameterError
from rfplan.propagation.grid import path_loss_pixels

SETTINGS = CalibrationSettings(frequency_mhz=868.0, eirp_dbm=17.0)


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(1, packets=2400)


def run(world: World, **changes: object) -> rf.Calibration:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return calibrate(world.measurements, world.gateways, world.terrain, settings=replace(SETTINGS, **changes))


@pytest.fixture(scope="module")
def given(world: World) -> rf.Calibration:
    return run(world)


def test_raw_tables_are_enough(world: World, given: rf.Calibration) -> None:
    """No renaming, no cleaning: the tables as they come, with their usual names."""
    notes = " | ".join(given.notes)
    assert "exact duplicates left out" in notes
    assert "lie off the terrain" in notes
    assert "14 report the channel's power" in notes
    assert set(given.site_offset_db) <= set(world.gateways["gateway_eui"])
    own = given.table.set_index("variant")
    assert given.variant != "uncalibrated"
    assert own.loc[given.variant, "site_rmse_db"] < own.loc["uncalibrated", "site_rmse_db"]
    assert own.loc[given.variant, "site_rmse_db"] < 14.0
    assert given.table.iloc[0]["variant"] == given.variant
    assert given.best == f"P1812, {given.variant}"


def test_gateways_with_wrong_positions_are_found_and_no_others(world: World, given: rf.Calibration) -> None:
    doubted = set(given.transmitters.loc[given.transmitters["doubt"] != "", "site_id"])
    assert doubted == world.misplaced
    assert not doubted & set(given.site_offset_db)
    with pytest.warns(DataWarning, match="positions of 2 transmitters can't be true"):
        calibrate(world.measurements, world.gateways, world.terrain, settings=SETTINGS)
    kept = run(world, doubtful_positions="keep")
    assert world.misplaced <= set(kept.site_offset_db)
    assert kept.table.iloc[0]["site_rmse_db"] > given.table.iloc[0]["site_rmse_db"]


def test_channel_power_becomes_the_signals(world: World) -> None:
    clean = apply_rssi_convention(as_measurements(world.measurements)).table
    raw = world.measurements["rssi"].to_numpy()
    low = (world.measurements["snr"] < -10).to_numpy() & (raw < -110)
    assert np.median(raw[low] - clean["level_dbm"].to_numpy()[low]) > 9.0
    # below 0 dB SNR a fit to raw RSSI sees little but the noise floor
    assert np.ptp(np.percentile(raw[low], [5, 95])) < 0.4 * np.ptp(np.percentile(clean["level_dbm"][low], [5, 95]))


def test_non_receptions_bring_the_prediction_down_to_what_there_is(world: World, given: rf.Calibration) -> None:
    """Mean error over every place and gateway, heard or not, against the true level that nobody measured."""
    silent = run(world, non_receptions="packets")
    assert any("non-receptions added" in note for note in silent.notes)
    assert silent.chosen_by == "site_log_score"
    terrain, packets = world.terrain, world.packets
    row, col = terrain.nearest(packets["x"].to_numpy(), packets["y"].to_numpy())
    at = np.flatnonzero(row >= 0)[::4]
    placed = place_transmitters(as_transmitters(world.gateways), terrain, 17.0).table
    mean = {}
    for name, result in (("heard only", given), ("with silence", silent)):
        errors = []
        for k, gateway in placed.iterrows():
            if gateway["site_id"] in world.misplaced:
                continue
            loss = path_loss_pixels(
                terrain,
                gateway["x_m"],
                gateway["y_m"],
                row[at],
                col[at],
                model=result.model,
                frequency_mhz=868.0,
                tx_height_agl_m=gateway["tx_height_agl_m"],
                rx_height_agl_m=1.5,
            )[0]
            errors.append(17.0 - loss - world.true_level_dbm[at, int(k)])
        mean[name] = float(np.mean(np.concatenate(errors)))
    assert mean["heard only"] > 4.0  # too optimistic by far
    assert abs(mean["with silence"]) < 0.5 * mean["heard only"]
    assert silent.sigma_within_db > given.sigma_within_db


def test_without_packets_silence_cannot_be_told(world: World) -> None:
    table = world.measurements.drop(columns=["time"])
    with pytest.raises(ParameterError, match="give packet_id"):
        add_non_receptions(drop_duplicates(Measurements(table)))
    alone = world.measurements[world.measurements["gateway_eui"] == "eui-0005"]
    with pytest.raises(ParameterError, match="under 1 % of the packets"):
        add_non_receptions(drop_duplicates(Measurements(alone)))


def test_packets_by_counter_and_by_second_agree(world: World) -> None:
    by_time = add_non_receptions(drop_duplicates(Measurements(world.measurements)))
    numbered = world.measurements.assign(fcnt=world.measurements.groupby(["dev_eui", "time"]).ngroup())
    by_counter = add_non_receptions(drop_duplicates(Measurements(numbered)))
    assert len(by_time) == len(by_counter)
    silent = by_time.table["level_dbm"].isna()
    # every packet and gateway once: heard or not
    pairs = by_time.table.groupby(["device_id", "time", "site_id"]).size()
    assert silent.sum() > 1000
    assert pairs.index.is_unique


def test_unknown_eirp_is_said(world: World) -> None:
    notes = run(world, eirp_dbm=None).notes
    assert any("14 transmitters state no eirp_dbm" in note for note in notes)


def test_gateways_by_altitude(world: World) -> None:
    x, y = world.terrain.xy(world.gateways["longitude"], world.gateways["latitude"])
    ground = world.terrain.elevation_at(x, y)
    table = world.gateways.drop(columns=["antenna_height"]).assign(altitude=ground + 21.0)
    table.loc[0, "altitude"] = ground[0] + 900.0
    placed = place_transmitters(as_transmitters(table), world.terrain, 0.0)
    assert placed.table["tx_height_agl_m"].tolist() == pytest.approx([30.0] + [21.0] * (len(table) - 1))
    assert any("1 altitudes disagree with the terrain (eui-0000)" in note for note in placed.notes)
    named = world.gateways.assign(antenna_height=np.where(np.arange(len(table)) == 3, ground + 20.0, 20.0))
    notes = place_transmitters(as_transmitters(named), world.terrain, 0.0).notes
    assert any("look like heights above sea level (eui-0003)" in note for note in notes)


def test_frequencies_in_hertz_and_per_measurement(world: World) -> None:
    table = world.measurements.assign(frequency=868_300_000.0).iloc[:3000]
    hertz = calibrate(
        table,
        world.gateways,
        world.terrain,
        settings=replace(SETTINGS, frequency_mhz=2000.0, doubtful_positions="keep"),
    )
    mhz = calibrate(
        table.drop(columns="frequency"),
        world.gateways,
        world.terrain,
        settings=replace(SETTINGS, frequency_mhz=868.3, doubtful_positions="keep"),
    )
    pd.testing.assert_frame_equal(hertz.residuals, mhz.residuals)


def test_a_measured_site_keeps_its_own_offset(given: rf.Calibration) -> None:
    name = max(given.site_offset_db, key=lambda k: abs(given.site_offset_db[k]))
    known = given.at_site(name)
    assert known.offset_db == given.model.offset_db + given.site_offset_db[name]
    assert known.shadowing_sigma_db == given.sigma_within_db
    assert given.model.shadowing_sigma_db == pytest.approx(np.hypot(given.sigma_within_db, given.sigma_between_db))
    with pytest.raises(ParameterError, match="was not measured"):
        given.at_site("nowhere")
