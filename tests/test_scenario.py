from __future__ import annotations

from pathlib import Path

import pytest

from rfplan.errors import ScenarioError
from rfplan.propagation.names import MODELS, model_class
from rfplan.scenario import BUILT_IN, Scenario, load_scenario

BASE = """
schema_version = 1
name = "small"

[terrain]
files = ["ground.tif"]
resolution_m = 90

[demand]
communes = "communes.geojson"

[network]
sites = "sites.csv"

[coverage]
radius_m = 10000
method = "sweep"

[model]
name = "P1812"
time_percent = 50

[service]
name = "indoor"

[target]
population = 0.999

[[published]]
label = "as published"
"""


def write(folder: Path, text: str = BASE) -> Path:
    path = folder / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_sections_into_objects(tmp_path: Path) -> None:
    scenario = load_scenario(write(tmp_path))
    assert scenario.terrain.files == ("ground.tif",)
    assert scenario.path("ground.tif") == tmp_path / "ground.tif"
    assert scenario.make_service().required_rsrp_dbm == -100.0
    assert scenario.make_model().time_percent == 50
    assert scenario.make_receiver().height_agl_m == 1.5
    assert scenario.target.area is None


def test_service_level_beats_the_name(tmp_path: Path) -> None:
    text = BASE.replace('name = "indoor"', 'name = "indoor"\nrequired_rsrp_dbm = -97')
    assert load_scenario(write(tmp_path, text)).make_service().required_rsrp_dbm == -97


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_scenarios_load(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.synthetic
    assert "synthetic" in scenario.synthetic_note.lower()
    assert scenario.generate == name


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("resolution_m = 90", "resolution_m = -3", ("terrain.resolution_m", "-3", "greater than 0", "10,000 m")),
        ("resolution_m = 90", "resolution = 90", ("terrain.resolution", "unknown key", "did you mean resolution_m?")),
        ("resolution_m = 90", "resolution_m = nan", ("terrain.resolution_m", "finite")),
        ("radius_m = 10000", 'radius_m = "far"', ("coverage.radius_m", "'far'", "number")),
        ('method = "sweep"', 'method = "fast"', ("coverage.method", "'fast'", "'sweep' or 'exact'")),
        ("time_percent = 50", "time_percent = 99", ("model.time_percent", "99", "1 to 50")),
        ("time_percent = 50", "time_pct = 50", ("model.time_pct", "did you mean time_percent?")),
        ("time_percent = 50", 'time_percent = "half"', ("model.time_percent", "'half'", "number")),
        ('name = "P1812"', 'name = "P1813"', ("model.name", "'P1813'", "P1812")),
        ('sites = "sites.csv"', "", ("network", "either sites or synthesize")),
        ('sites = "sites.csv"', "synthesize = { count = 0 }", ("network.synthesize.count", "0", "100,000")),
        ('communes = "communes.geojson"', "", ("demand", "population, communes or both")),
        ('files = ["ground.tif"]', "files = []", ("terrain.files", "one elevation file or more")),
        ('files = ["ground.tif"]', "", ("terrain.files", "missing")),
        ("schema_version = 1", "schema_version = 2", ("schema_version", "2", "reads 1")),
        ("schema_version = 1", "", ("schema_version", "missing")),
        ("population = 0.999", "population = 99.9", ("target.population", "99.9", "share 0 to 1")),
        ('label = "as published"', "area_percent = 120", ("published[0].area_percent", "120", "0 to 100")),
        ("[target]", "[targets]", ("targets", "unknown key", "did you mean target?")),
        ("[target]", '[candidates]\nkinds = ["tower"]\n[target]', ("candidates.kinds", "tower", "mast")),
        ("[target]", "[candidates]\nspacing_m = -1\n[target]", ("candidates.spacing_m", "-1")),
        ("[target]", "[receiver]\nheight_agl_m = 0\n[target]", ("receiver.height_agl_m", "0", "0.1")),
        ("[target]", "[receiver]\nheight_agl_m = true\n[target]", ("receiver.height_agl_m", "True", "number")),
        ("[target]", "[target", ("not valid TOML", "line")),
        ("[target]", '[licences]\n"network.site" = "CC0"\n[target]', ("licences.network.site", "network.sites")),
    ],
)
def test_errors_name_key_value_and_what_is_allowed(tmp_path: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    assert old in BASE
    path = write(tmp_path, BASE.replace(old, new))
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    for word in (str(path), *words):
        assert word in str(caught.value)


def test_several_errors_come_at_once(tmp_path: Path) -> None:
    text = BASE.replace("resolution_m = 90", "resolution_m = 0").replace("population = 0.999", "population = 2")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(write(tmp_path, text))
    assert "terrain.resolution_m" in str(caught.value)
    assert "target.population" in str(caught.value)


def test_paths_start_from_data_dir(tmp_path: Path) -> None:
    path = write(tmp_path, BASE.replace('name = "small"', 'name = "small"\ndata_dir = "../data"'))
    assert load_scenario(path).path("a") == tmp_path / "../data/a"
    assert load_scenario(path, data_dir=tmp_path / "other").path("a") == tmp_path / "other" / "a"


def test_missing_input_names_key_and_place(tmp_path: Path) -> None:
    scenario = load_scenario(write(tmp_path))
    with pytest.raises(ScenarioError, match=r"terrain\.files\[0\]: no file at .*ground\.tif"):
        scenario.check_files()


def test_unknown_scenario_lists_the_built_in_ones(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="phu-tho"):
        load_scenario(tmp_path / "none.toml")


def test_text_of_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_bytes(BASE.replace("small", "Phú Thọ").encode("utf-16"))
    with pytest.raises(ScenarioError, match="UTF-8"):
        load_scenario(path)


def test_a_mark_at_the_start_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(BASE, encoding="utf-8-sig")
    assert load_scenario(path).name == "small"


def test_edits_leave_the_scenario_alone(tmp_path: Path) -> None:
    scenario = load_scenario(write(tmp_path))
    assert scenario.with_seed(7).solve.seed == 7
    assert scenario.solve.seed == 1
    assert scenario.in_folder("/x").path("a") == Path("/x/a")
    assert scenario.with_seed(7).path("a") == tmp_path / "a"
    assert isinstance(scenario, Scenario)


@pytest.mark.parametrize("name", MODELS)
def test_every_listed_model_exists(name: str) -> None:
    kind = model_class(name)
    assert kind.needs in ("distance", "geometry", "profile")
    assert hasattr(kind, "path_loss_db")
