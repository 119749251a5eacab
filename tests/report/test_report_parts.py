"""Pieces of the page: pictures, charts, markup, JSON."""

from __future__ import annotations

import base64
import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.io import MemoryFile

from rfplan.colours import NOTHING, ground_scale, hillshade, signal_scale
from rfplan.report import write_report
from rfplan.report.charts import Axes, Series, line_chart, ticks
from rfplan.report.images import Mercator, png, shade_indices, shade_palette
from rfplan.report.markup import Column, number, percent, share_bar, table
from rfplan.report.payload import json_for_html


def test_png_is_read_back_by_another_program() -> None:
    rng = np.random.default_rng(1)
    indices = rng.integers(0, 4, (13, 17)).astype(np.uint8)
    indices[0, 0] = NOTHING
    palette = [(1, 2, 3), (10, 20, 30), (100, 150, 200), (255, 255, 0)]
    with MemoryFile(png(indices, palette)) as memory:
        with pytest.warns(match="no geotransform"):
            file = memory.open()
        np.testing.assert_array_equal(file.read(1), indices)
        colours = file.colormap(1)
        file.close()
    assert colours[2] == (100, 150, 200, 255)
    assert colours[NOTHING][3] == 0


def test_overlay_puts_a_known_place_where_it_is() -> None:
    from pyproj import Transformer

    east, north = Transformer.from_crs("EPSG:4326", "EPSG:32648", always_xy=True).transform(105.5440, 21.4573)
    x0, y0 = east - 30_025.0, north + 20_025.0
    indices = np.zeros((900, 1200), np.uint8)
    indices[400, 600] = 1  # its centre is the place
    grid = Mercator.covering(shape=(900, 1200), x0_m=x0, y0_m=y0, resolution_m=50.0, crs="EPSG:32648")
    rows, columns = np.nonzero(grid.warp(indices) == 1)
    assert len(rows) >= 1
    (south, west), (high, right) = grid.bounds
    lon = west + (columns.mean() + 0.5) / grid.columns * (right - west)
    mercator = [math.log(math.tan(math.pi / 4 + math.radians(v) / 2)) for v in (south, high)]
    y = mercator[1] - (rows.mean() + 0.5) / grid.rows * (mercator[1] - mercator[0])
    lat = math.degrees(2 * math.atan(math.exp(y)) - math.pi / 2)
    assert lon == pytest.approx(105.5440, abs=0.0006)
    assert lat == pytest.approx(21.4573, abs=0.0006)


def test_large_grids_are_thinned_for_the_page() -> None:
    grid = Mercator.covering(shape=(6000, 3000), x0_m=500_000, y0_m=2_400_000, resolution_m=30, crs="EPSG:32648")
    assert max(grid.rows, grid.columns) <= 2201
    assert abs(grid.rows / grid.columns - 2) < 0.05


def test_signal_colours_are_distinct_and_split_at_the_required_level() -> None:
    scale = signal_scale(-110)
    palette = scale.palette()
    assert len(set(palette)) == len(palette) == len(scale.levels) < NOTHING
    assert -110.0 in scale.edges
    assert scale.edges == tuple(sorted(scale.edges, reverse=True))
    values = np.array([-200.0, -130.0, -110.5, -110.0, -40.0, 20.0, np.nan])
    index = scale.indices(values)
    assert index[0] == index[6] == NOTHING
    assert scale.levels[index[2]] == -111.0
    assert scale.levels[index[3]] == -110.0
    assert scale.levels[index[4]] == scale.levels[index[5]] == -40.0
    near = [max(abs(a - b) for a, b in zip(palette[i], palette[i + 1], strict=True)) for i in range(19)]
    assert max(near) <= 8  # one class, one colour to the eye


def test_ground_colours_cover_the_range() -> None:
    for low, high in ((0.0, 8.0), (-60.0, 1591.0), (100.0, 100.0), (0.0, 8848.0)):
        scale = ground_scale(low, high)
        assert scale.edges[-1] <= low
        assert scale.top >= high
        assert len(set(scale.palette())) == len(scale.levels)
        assert not (scale.indices(np.array([low, high])) == NOTHING).any()


def test_hillshade_lights_slopes_to_the_north_west() -> None:
    row, column = np.mgrid[0:40, 0:40]
    facing_nw = hillshade(-(20.0 - row) + column * 1.0, 30.0)  # rises to the south-east
    facing_se = hillshade((20.0 - row) - column * 1.0, 30.0)
    assert facing_nw[5:-5, 5:-5].mean() > facing_se[5:-5, 5:-5].mean() + 0.1
    flat = hillshade(np.full((3, 3), 7.0), 30.0)
    assert np.ptp(flat) == 0
    holed = hillshade(np.where(np.eye(4) > 0, np.nan, 1.0), 30.0)
    assert (shade_indices(holed)[np.eye(4) > 0] == NOTHING).all()
    assert len(shade_palette()) == 128


def test_percent_never_rounds_to_all_or_nothing() -> None:
    assert percent(100.0) == "100.00 %"
    assert percent(99.9999) == "99.99 %"
    assert percent(1e-5) == "0.01 %"
    assert percent(0.0) == "0.00 %"
    assert percent(float("nan")) == "–"
    assert number(-1234.5, 1) == "−1,234.5"
    assert number(-0.0001, 1) == "0.0"
    assert number(None) == "–"


def test_markup_escapes_everything() -> None:
    nasty = "<script>\"&'</script>"
    made = table("t", nasty, [Column(nasty, [nasty], kind="goto"), Column("n", [1.5], 1)], goto=[nasty], foot=True)
    assert "<script>" not in made
    assert "&lt;script&gt;&quot;&amp;&#x27;" in made
    chart = line_chart(
        [Series(nasty, [0, 1], [0, 1], "s", dots=True)], Axes(nasty, nasty, nasty, horizontal=((0.5, nasty),))
    )
    assert "<script>" not in chart
    assert " style=" not in chart + made  # the content security policy forbids it
    text = json_for_html({"a": nasty + "\u2028"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": nasty + "\u2028"}
    with pytest.raises(ValueError, match="JSON"):
        json_for_html({"a": float("nan")})


def test_chart_places_points_and_survives_odd_data() -> None:
    chart = line_chart([Series("s", [0, 5, 10], [0, 50, 100], "s")], Axes("x", "y", "t", y_range=(0, 100)))
    points = re.search(r'points="([^"]+)"', chart)
    assert points is not None
    assert points.group(1) == "58,270 301,142 544,14"
    assert "Nothing to draw" in line_chart([Series("s", [1], [math.nan], "s")], Axes("x", "y", "t"))
    assert "<circle" in line_chart([Series("s", [3], [7], "s")], Axes("x", "y", "t"))
    assert ticks(0, 100) == [0, 20, 40, 60, 80, 100]
    assert ticks(99.2, 100.0)[-1] == 100.0
    assert ticks(5, 5) == [5]


def test_share_bar_stays_inside() -> None:
    assert 'class="was" width="0.00"' in share_bar(float("nan"), 50)
    assert 'class="plus" x="60.00" width="40.00"' in share_bar(60, 130)


def test_page_is_self_contained_and_small(plan_factory: Callable[..., Any], tmp_path: Path) -> None:
    page = write_report(plan_factory(hostile=True), tmp_path).read_text(encoding="utf-8")
    assert len(page) < 3_000_000
    markup = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)[^"']*["']""", markup)
    assert "sourceMappingURL" not in page
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert policy.group(1).startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy.group(1)
    assert "alert(1)>" not in page.replace("alert(1)\\u003e", "").replace("alert(1)&gt;", "")
    images = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page)
    assert len(images) >= 8
    assert all(base64.b64decode(i).startswith(b"\x89PNG") for i in images)
    assert io.StringIO(page).readline() == "<!DOCTYPE html>\n"
