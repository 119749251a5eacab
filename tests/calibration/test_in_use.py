"""A calibrated model where models are used: coverage with its own uncertainty, scenarios that name its file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import norm

import rfplan as rf
from coverage_helpers import flat_terrain, omni_network
from rfplan.calibration import CalibratedModel, load_calibration
from rfplan.calibration.result import FORMAT
from rfplan.errors import InputFileError, ScenarioError
from rfplan.propagation.names import MODELS, describe_model, make_model, model_class
from rfplan.scenario import load_scenario
from small_area import write_area

BASE = rf.P1812(time_percent=50, latitude_deg=20.1)


def test_learnt_sigmas_are_those_of_the_probability_of_coverage() -> None:
    terrain = flat_terrain(41, 50.0)
    network = omni_network(terrain, [(1025.0, 1035.0)], 0.5)
    model = CalibratedModel(BASE, offset_db=-5.0, sigma_within_db=6.0, sigma_between_db=4.5)
    settings = {"radius_m": 1000.0, "method": "exact"}

    def probability(model: object, sigma_db: float | None = None) -> np.ndarray:
        service = rf.Service(required_rsrp_dbm=-92.0, shadowing_sigma_db=sigma_db)
        layers = rf.compute_radio(network, terrain, model=model, service=service, **settings).layers()
        return layers["coverage_probability"].values[18:23, 5:15]

    known = probability(model)
    assert 0.02 < known.mean() < 0.98
    np.testing.assert_allclose(norm.ppf(known) * 7.5, norm.ppf(probability(model, 8.0)) * 8.0, atol=1e-3)
    np.testing.assert_allclose(known, probability(model, 7.5), atol=1e-7)
    at_site = replace(model, sigma_between_db=0.0)
    np.testing.assert_allclose(probability(at_site), probability(model, 6.0), atol=1e-7)
    plain = replace(model, sigma_within_db=None, sigma_between_db=None)
    np.testing.assert_allclose(probability(plain), probability(model, 8.0), atol=1e-7)


def saved(folder: Path, **changes: object) -> Path:
    content = {
        "format": FORMAT,
        "base_model": describe_model(BASE),
        "offset_db": -3.25,
        "slope_db_per_decade": 1.5,
        "clutter_offset_db": [[0.0, 2.0], [10.0, -1.0]],
        "sigma_within_db": 6.5,
        "sigma_between_db": 5.0,
    } | changes
    path = folder / "model.json"
    path.write_text(json.dumps(content))
    return path


def test_a_scenario_uses_a_calibrated_model(tmp_path: Path) -> None:
    scenario = write_area(tmp_path)
    text = scenario.read_text(encoding="utf-8")
    scenario.write_text(text + '\n[model]\ncalibrated = "model.json"\n', encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"model\.calibrated: no file at"):
        load_scenario(scenario).check_files()
    saved(tmp_path)
    loaded = load_scenario(scenario)
    assert loaded.make_model() == CalibratedModel(BASE, -3.25, 1.5, ((0.0, 2.0), (10.0, -1.0)), 6.5, 5.0)
    assert loaded.input_files()["model.calibrated"] == tmp_path / "model.json"
    predicted = rf.run_prediction(loaded)
    assert predicted.coverage.model.base == BASE
    scenario.write_text(text + '\n[model]\ncalibrated = "model.json"\nname = "P1812"\n', encoding="utf-8")
    with pytest.raises(ScenarioError, match="write only"):
        load_scenario(scenario)


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_is_written_down_and_made_again(name: str) -> None:
    model = model_class(name)()
    assert make_model(json.loads(json.dumps(describe_model(model)))) == model


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 1}, "format 1 is not known"),
        ({"offset_db": "NaN"}, "not a calibration file"),
        ({"offset_db": [1]}, "not a calibration file"),
        ({"clutter_offset_db": [[1]]}, "not a calibration file"),
        ({"base_model": {"name": "os.system", "parameters": {}}}, "not known"),
        ({"base_model": {"name": "P1812", "parameters": {"delta_n": "x"}}}, "base model can't be made"),
        ({"base_model": {"name": "P1812", "parameters": {"colour": 1}}}, "no parameter colour"),
        ({"base_model": {"name": "P1812", "parameters": 7}}, "can't be made|not a calibration"),
        ({"base_model": 3}, "not a calibration file"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputFileError, match=message):
        load_calibration(saved(tmp_path, **changes))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("format", "base_model", "offset_db", "slope_db_per_decade", "clutter_offset_db", "sigma_within_db")


@settings(max_examples=200, deadline=None)
@given(st.one_of(JSON, st.dictionaries(st.sampled_from(KEYS), JSON, min_size=1, max_size=2)))
def test_hostile_files_end_in_a_model_or_a_stated_error(
    tmp_path_factory: pytest.TempPathFactory, content: object
) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    path = saved(folder)
    if isinstance(content, dict) and set(content) <= set(KEYS):
        content = json.loads(path.read_text()) | content
    path.write_text(json.dumps(content))
    try:
        model = load_calibration(path)
    except InputFileError:
        return
    assert np.isfinite(model.correction_db([100.0, 5000.0], [0.0, 9.0])).all()


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * 200_000)
    with pytest.raises(InputFileError, match="not a calibration file"):
        load_calibration(path)
