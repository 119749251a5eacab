from __future__ import annotations

import json
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import rasterio
from pyproj import Transformer

from rfplan.builtin import phu_tho, units
from rfplan.builtin.sites import nearest_spacing_m

TO_METRES = Transformer.from_crs("EPSG:4326", phu_tho.CRS, always_xy=True)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return phu_tho.write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def ground(inputs: dict[str, Path]) -> tuple[np.ndarray, rasterio.Affine]:
    with rasterio.open(inputs["terrain"]) as source:
        assert source.crs.to_epsg() == 32648
        assert source.tags()["SYNTHETIC"] == "yes"
        return source.read(1), source.transform


def _within(ground: tuple[np.ndarray, rasterio.Affine], lon: float, lat: float, radius_m: float) -> np.ndarray:
    values, transform = ground
    x, y = TO_METRES.transform(lon, lat)
    row, col = np.indices(values.shape)
    px, py = transform.c + transform.a * (col + 0.5), transform.f + transform.e * (row + 0.5)
    return values[np.hypot(px - x, py - y) <= radius_m]


def test_every_file_says_it_is_synthetic(inputs: dict[str, Path]) -> None:
    assert all(path.name.startswith("synthetic_") for path in inputs.values())
    sites = pd.read_csv(inputs["sites"])
    assert sites["name"].str.startswith("synthetic").all()
    document = json.loads(inputs["communes"].read_text(encoding="utf-8"))
    assert all(feature["properties"]["synthetic"] for feature in document["features"])


def test_units_meet_the_published_figures(inputs: dict[str, Path]) -> None:
    communes = geopandas.read_file(inputs["communes"])
    assert len(communes) == 148
    assert (communes["kind"] == "ward").sum() == 15
    assert communes["population"].sum() == 4_022_638
    assert communes["population"].median() == 24_110
    by_code = communes.set_index("code")["population"]
    assert by_code["04795"] == by_code.max() == 78_605
    assert by_code["07900"] == 73_006
    assert by_code["04891"] == by_code.min() == 5_246
    assert communes["population"].is_unique or communes["population"].nunique() > 140


def test_borders_meet_the_published_areas_and_extent(inputs: dict[str, Path]) -> None:
    communes = geopandas.read_file(inputs["communes"])
    area = communes.to_crs(phu_tho.CRS).area / 1e6
    assert area.sum() == pytest.approx(9361.38, rel=1e-3)
    assert (area / communes["area_km2"] - 1).abs().max() < 0.06
    assert communes.is_valid.all()
    np.testing.assert_allclose(communes.total_bounds, (104.812, 20.307, 105.855, 21.721), atol=0.002)
    seats = geopandas.points_from_xy(communes["seat_lon"], communes["seat_lat"])
    assert communes.geometry.contains(geopandas.GeoSeries(seats, crs=communes.crs)).sum() >= 146


def test_communes_do_not_overlap_and_leave_no_gap(inputs: dict[str, Path]) -> None:
    communes = geopandas.read_file(inputs["communes"]).to_crs(phu_tho.CRS)
    union = communes.geometry.union_all()
    assert communes.area.sum() == pytest.approx(union.area, rel=1e-4)


def test_relief_meets_its_anchors(ground: tuple[np.ndarray, rasterio.Affine]) -> None:
    assert ground[0].max() == pytest.approx(1591, abs=0.1)
    assert _within(ground, 105.544, 21.573, 150).max() == pytest.approx(1591, abs=0.1)
    assert _within(ground, 105.368, 21.058, 150).max() == pytest.approx(1258, abs=0.1)
    assert _within(ground, 105.43, 20.985, 150).max() == pytest.approx(1030, abs=0.1)
    assert _within(ground, 105.352, 20.837, 8_000).mean() == pytest.approx(220, abs=12)
    assert _within(ground, 105.054, 20.693, 8_000).mean() == pytest.approx(820, abs=12)
    plain = _within(ground, 105.399, 21.33, 5_000)
    assert 10 <= np.median(plain) <= 40
    assert np.percentile(plain, 90) <= 40


def test_people_are_where_they_can_live(inputs: dict[str, Path]) -> None:
    with rasterio.open(inputs["population"]) as source:
        people, transform = source.read(1).astype(np.float64), source.transform
    assert people.sum() == pytest.approx(4_022_638, rel=1e-4)
    assert people.max() / (abs(transform.a * transform.e) / 1e6) <= 15_001
    # Most people on a small part of the ground, as everywhere.
    ordered = np.sort(people[people > 0])[::-1]
    assert ordered[: len(ordered) // 5].sum() > 0.5 * people.sum()


def test_stations_stand_where_people_live(inputs: dict[str, Path]) -> None:
    sites = pd.read_csv(inputs["sites"])
    assert len(sites) == 2283
    assert sites["site_id"].is_unique
    assert sites["technologies"].str.startswith("2G").all()
    share = {name: sites["technologies"].str.contains(name).mean() for name in ("3G", "4G", "5G")}
    assert share["4G"] > 0.9
    assert share["3G"] > 0.9
    assert 0.02 < share["5G"] < 0.5
    x, y = (np.asarray(v) for v in TO_METRES.transform(sites["lon_deg"].to_numpy(), sites["lat_deg"].to_numpy()))
    spacing = nearest_spacing_m(x, y)
    assert spacing.min() > 150
    town = sites["kind"] == "rooftop"
    assert np.median(spacing[town]) < 0.7 * np.median(spacing[~town])


def test_same_seed_same_province() -> None:
    first, again = (phu_tho.make_province(resolution_m=360.0) for _ in range(2))
    np.testing.assert_array_equal(first.relief.elevation_amsl_m, again.relief.elevation_amsl_m)
    np.testing.assert_array_equal(first.people, again.people)
    pd.testing.assert_frame_equal(phu_tho.station_table(first, 300, 4), phu_tho.station_table(again, 300, 4))
    assert not phu_tho.station_table(first, 300, 5).equals(phu_tho.station_table(first, 300, 4))


def test_population_follows_the_score() -> None:
    table = units.read_units()
    score = np.linspace(0.0, 1.0, len(table))
    people = units.assign_population(score, list(table["code"]))
    known = table["code"].isin(units.KNOWN_POPULATION).to_numpy()
    assert (np.diff(people[~known]) >= 0).all()
    assert people.sum() == units.TOTAL_POPULATION
