"""Longley–Rice area mode against NTIA's published vectors and example tables."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from rfplan.errors import ParameterError, ValidityWarning
from rfplan.profile import Paths
from rfplan.propagation.itm import ITMMode, VariabilityMode
from rfplan.propagation.itm_area import ITMArea, Siting, itm_area_loss_db


def test_matches_ntia_area_vectors(reference_dir):
    with (reference_dir / "itm" / "area.csv").open(encoding="utf-8-sig") as rows:
        cases = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(rows)]
    assert len(cases) == 5
    for case in cases:
        model = ITMArea(
            time_percent=case["time"],
            location_percent=case["location"],
            situation_percent=case["situation"],
            variability_mode=int(case["mdvar"]),
            climate=int(case["climate"]),
            n0=case["N_0"],
            permittivity=case["epsilon"],
            conductivity_s_m=case["sigma"],
            delta_h_m=case["delta_h__meter"],
            tx_siting=int(case["tx_siting_criteria"]),
            rx_siting=int(case["rx_siting_criteria"]),
        )
        paths = Paths.from_distance(
            case["d__km"] * 1e3,
            case["f__mhz"],
            case["h_tx__meter"],
            case["h_rx__meter"],
            polarization="vertical" if case["pol"] == 1 else "horizontal",
        )
        assert model.path_loss_db(paths)[0] == pytest.approx(case["A__db"], abs=0.05)


SMOOTH = {
    "climate": 5,
    "n0": 301.0,
    "conductivity_s_m": 0.005,
    "delta_h_m": 0.0,
    "variability_mode": VariabilityMode.BROADCAST,
}


@pytest.mark.nojit
def test_step_values_of_the_command_line_examples():
    # NTIA ITM v1.4 examples o_areatls.txt and o_areacr.txt, printed to these digits
    rough = ITMArea(
        climate=5, n0=301.0, delta_h_m=20.0, variability_mode=VariabilityMode.ACCIDENTAL, conductivity_s_m=0.005
    )
    result = rough.evaluate(Paths.from_distance(10e3, 3500.0, 15.0, 3.0))
    assert result.loss_db[0] == pytest.approx(134.5, abs=0.05)
    assert result.free_space_db[0] == pytest.approx(123.3, abs=0.05)
    assert result.reference_db[0] == pytest.approx(11.2, abs=0.05)
    assert result.theta_tx_rad[0] * 1e3 == pytest.approx(-1.811, abs=0.0005)
    assert result.theta_rx_rad[0] * 1e3 == pytest.approx(-0.567, abs=0.0005)
    assert result.horizon_tx_m[0] == pytest.approx(14722, abs=0.5)
    assert result.horizon_rx_m[0] == pytest.approx(6206, abs=0.5)
    assert result.mode_of(0) is ITMMode.LINE_OF_SIGHT

    near = ITMArea.with_confidence(77, 90, **SMOOTH).evaluate(Paths.from_distance(1e3, 10_000.0, 3.0, 3.0))
    assert near.loss_db[0] == pytest.approx(118.3, abs=0.05)
    assert near.free_space_db[0] == pytest.approx(112.5, abs=0.05)
    assert near.horizon_tx_m[0] == pytest.approx(7138, abs=0.5)
    assert near.theta_tx_rad[0] * 1e3 == pytest.approx(-0.841, abs=0.0005)


def test_confidence_tables_of_the_command_line_example():
    # NTIA ITM v1.4 example o_areacr_tbl.txt: reliability 90, confidence 50, 75, 90
    table = {
        10: (147.0, 151.7, 155.9),
        40: (213.0, 217.3, 221.0),
        100: (224.8, 229.0, 232.7),
        200: (234.6, 238.5, 241.9),
        1000: (295.6, 299.1, 302.2),
    }
    for km, row in table.items():
        for confidence, expected in zip((50, 75, 90), row, strict=True):
            model = ITMArea.with_confidence(confidence, 90, **SMOOTH)
            loss = model.path_loss_db(Paths.from_distance(km * 1e3, 10_000.0, 3.0, 3.0))[0]
            assert loss == pytest.approx(expected, abs=0.0501)


def test_careful_siting_never_loses_more():
    paths = Paths.from_distance(20e3, 450.0, 6.0, 3.0)
    random, careful, very = (ITMArea(tx_siting=s, rx_siting=s).path_loss_db(paths)[0] for s in Siting)
    assert random >= careful >= very
    assert random > very + 3.0


def test_loss_grows_with_distance_and_parts_add_up():
    paths = Paths.from_distance(np.geomspace(3e3, 8e5, 60), 600.0, 50.0, 3.0)
    model = ITMArea(delta_h_m=60.0)
    loss = model.path_loss_db(paths)
    assert np.all(np.diff(loss) > 0)
    assert sum(model.loss_parts(paths).values()) == pytest.approx(loss)


def test_the_free_function_takes_scalars_and_arrays():
    expected = ITMArea(delta_h_m=30.0).path_loss_db(Paths.from_distance(15e3, 450.0, 30.0, 3.0))[0]
    assert itm_area_loss_db(15e3, 450.0, 30.0, 3.0, delta_h_m=30.0) == expected
    grid = itm_area_loss_db(np.array([[15e3], [30e3]]), [450.0, 900.0, 1800.0], 30.0, 3.0, delta_h_m=30.0)
    assert grid.shape == (2, 3)
    assert grid[0, 0] == expected


def test_wrong_inputs_are_named():
    with pytest.raises(ParameterError, match="delta_h_m is -1"):
        ITMArea(delta_h_m=-1)
    with pytest.raises(ParameterError, match="tx_siting is 3"):
        ITMArea(tx_siting=3)
    with pytest.raises(ParameterError, match="frequency_mhz is 5"):
        ITMArea().path_loss_db(Paths.from_distance(5e3, 5.0, 30.0, 1.5))
    with pytest.warns(ValidityWarning, match="DISTANCE_SMALL"):
        ITMArea().path_loss_db(Paths.from_distance(500.0, 900.0, 30.0, 1.5))
