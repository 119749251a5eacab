"""A plan on fetched data: a cache filled from a server on 127.0.0.1 that serves the providers' layouts."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

import rfplan as rf
from rfplan.io.fetch import fetch, find_cached
from rfplan.io.raster import write_cog
from rfplan.plan import open_inputs
from rfplan.plan.fetched import use_fetched
from rfplan.scenario import load_scenario
from small_area import SCENARIO, write_area

BBOX = (105.38, 21.28, 105.45, 21.35)
SECTION = f"""
[fetched]
bbox = {list(BBOX)}
synthesize = 6

[terrain]"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


def serve_layouts(folder: Path) -> None:
    """Small rasters under the names and paths that the providers use."""
    stem = "Copernicus_DSM_COG_10_N21_00_E105_00_DEM"
    y, x = np.mgrid[0:600, 0:600]
    ground = (50 + 30 * np.sin(x / 9) * np.cos(y / 11)).astype(np.float32)
    tile = Affine(1 / 600, 0.0, 105.0, 0.0, -1 / 600, 22.0)
    (folder / stem).mkdir()
    write_cog(folder / stem / f"{stem}.tif", ground, transform=tile, crs="EPSG:4326", unit="m")
    cover = folder / "v200" / "2021" / "map"
    cover.mkdir(parents=True)
    codes = np.where((np.arange(900) // 7) % 2 == 0, 10, 40).astype(np.uint8)[None].repeat(900, axis=0)
    tile = Affine(3 / 900, 0.0, 105.0, 0.0, -3 / 900, 24.0)
    write_cog(cover / "ESA_WorldCover_10m_2021_v200_N21E105_Map.tif", codes, transform=tile, crs="EPSG:4326", nodata=0)
    people = folder / "GIS" / "Population" / "Global_2000_2020_1km" / "2020" / "VNM"
    people.mkdir(parents=True)
    counts = np.random.default_rng(1).uniform(50, 900, (120, 120)).astype(np.float32)
    tile = Affine(1 / 120, 0.0, 105.0, 0.0, -1 / 120, 22.0)
    write_cog(people / "vnm_ppp_2020_1km_Aggregated.tif", counts, transform=tile, crs="EPSG:4326", nodata=-1.0)


@pytest.fixture
def base(tmp_path: Path) -> Iterator[str]:
    served = tmp_path / "served"
    served.mkdir()
    serve_layouts(served)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(served)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RFPLAN_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "area"
    folder.mkdir()
    return write_area(folder, SCENARIO.replace("\n[terrain]", SECTION))


def fill(base: str, *what: str) -> None:
    fetch(BBOX, what, base_urls=dict.fromkeys(what, base))


def test_with_an_empty_cache_everything_stays_and_says_so(scenario: Path) -> None:
    given = open_inputs(scenario)
    assert given.terrain.attrs["sources"][0].endswith("synthetic_dem.tif")
    assert given.scenario.title == "A small synthetic area"
    (note,) = given.scenario.notes
    assert "No fetched data is used" in note
    assert "rfplan fetch --bbox 105.38,21.28,105.45,21.35 --what glo30,worldcover,worldpop" in note


def test_a_whole_cache_is_used_and_named(scenario: Path, base: str, tmp_path: Path) -> None:
    fill(base, "glo30", "worldcover", "worldpop")
    made = rf.run_plan(scenario, out=tmp_path / "out")
    terrain = made.coverage_after.terrain
    assert "Copernicus_DSM_COG_10_N21_00_E105_00_DEM.tif" in terrain.attrs["sources"][0]
    assert terrain.attrs["surface"] == "dsm"
    assert "ESA_WorldCover" in terrain.attrs["clutter_source"]
    inputs = {row["role"]: row for row in made.metadata["inputs"]}
    assert inputs["terrain.files[0]"]["note"] == "fetched"
    assert "Copernicus" in inputs["terrain.files[0]"]["licence"]
    assert inputs["terrain.clutter[0]"]["note"] == inputs["demand.population"]["note"] == "fetched"
    assert inputs["demand.communes"].get("note") != "fetched"
    assert inputs["network.synthesize"]["note"].startswith("synthetic")
    assert made.metadata["title"].endswith("(fetched ground, ground cover, people; synthetic stations and borders)")
    assert made.metadata["synthetic_note"].startswith("Real, fetched: ground (Copernicus GLO-30)")
    notes = " ".join(made.metadata["notes"])
    assert "people (WorldPop): fetched, 1 file." in notes
    page = rf.write_report(made, tmp_path / "out", context=made.metadata)
    text = page.read_text(encoding="utf-8")
    assert "Copernicus_DSM_COG_10_N21_00_E105_00_DEM.tif" in text
    assert "WorldPop, CC BY 4.0" in text
    assert str(tmp_path) not in text
    assert str(tmp_path) not in (tmp_path / "out" / "manifest.json").read_text(encoding="utf-8")


def test_a_source_counts_only_when_all_its_files_are_there(scenario: Path, base: str, tmp_path: Path) -> None:
    fill(base, "worldpop")
    loaded, keys = use_fetched(load_scenario(scenario))
    assert keys == {"demand.population"}
    assert loaded.terrain.files == ("synthetic_dem.tif",)
    assert loaded.network.synthesize is not None
    assert any("ground (Copernicus GLO-30): 0 of 1 files are in the cache" in note for note in loaded.notes)
    wide = (104.9, 20.9, 105.45, 21.35)  # four tiles, of which one was fetched
    fill(base, "glo30")
    files, count = find_cached(wide, ["glo30"])["glo30"]
    assert (len(files), count) == (1, 4)
    cut = files[0]
    cut.write_bytes(cut.read_bytes()[:5000])  # no longer what the receipt says
    assert find_cached(BBOX, ["glo30"])["glo30"] == ([], 1)


def test_the_built_in_province_looks_for_fetched_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RFPLAN_CACHE_DIR", str(tmp_path))
    loaded, keys = use_fetched(load_scenario("phu-tho"))
    assert loaded.fetched is not None
    assert keys == frozenset()
    assert "0 of 4 files" in loaded.notes[-1]
