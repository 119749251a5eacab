"""Plots: the geometry they draw is checked against hand calculations, the drawings for what they show."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from rfplan.errors import ParameterError
from rfplan.plot import path_geometry, plot_coverage, plot_curve, plot_profile
from rfplan.profile import PathProfile
from rfplan.terrain import Terrain

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _close_figures() -> Any:
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def ridge(height_m: float, clutter_m: float | None = None) -> PathProfile:
    """A 10 km plain at 100 m with one ridge in the middle."""
    distance = np.linspace(0, 10_000, 101)
    ground = np.full(101, 100.0)
    ground[50] += height_m
    clutter = None if clutter_m is None else np.full(101, clutter_m)
    return PathProfile(distance, ground, clutter)


LINK = {"frequency_mhz": 1800.0, "tx_height_agl_m": 40.0, "rx_height_agl_m": 40.0}


def test_single_ridge_matches_the_knife_edge_formula() -> None:
    got = path_geometry(ridge(100.0), **LINK)
    radius_km = 6371 * 157 / (157 - 45)
    top = 200 + 500 * 5 * 5 / radius_km
    wavelength = 299.792458 / 1800
    over = top - 140
    assert not got.line_of_sight
    assert got.tx_horizon == got.rx_horizon == 50
    assert got.edge_km == pytest.approx(5.0, abs=1e-9)
    assert got.edge_m == pytest.approx(top, abs=1e-9)
    assert got.nu == pytest.approx(over * math.sqrt(2 * 10_000 / (wavelength * 5000 * 5000)), rel=1e-9)
    assert got.clearance == pytest.approx(-over / math.sqrt(wavelength * 2500), rel=1e-9)


def test_two_ridges_meet_at_the_bullington_edge() -> None:
    distance = np.linspace(0, 9_000, 91)
    ground = np.zeros(91)
    ground[30], ground[60] = 100.0, 100.0
    got = path_geometry(PathProfile(distance, ground), **LINK)
    assert (got.tx_horizon, got.rx_horizon) == (30, 60)
    assert got.edge_km == pytest.approx(4.5)
    slope = (100 + got.bulge_m[30] - 40) / 3.0
    assert got.edge_m == pytest.approx(40 + 4.5 * slope)


def test_flat_ground_is_in_sight_and_its_tightest_point_is_in_the_middle() -> None:
    got = path_geometry(ridge(0.0), **LINK)
    assert got.line_of_sight
    assert got.clearance > 0
    assert got.nu < 0
    bulge = 500 * 25 / (6371 * 157 / 112)
    middle = (40 - bulge) / got.fresnel_m[50]
    assert got.clearance <= middle + 1e-12


def test_clutter_counts_between_the_ends_only() -> None:
    bare, wooded = path_geometry(ridge(0.0), **LINK), path_geometry(ridge(0.0, 15.0), **LINK)
    assert wooded.clearance < bare.clearance
    assert wooded.surface_m[0] == wooded.ground_m[0]
    assert wooded.line_m[0] == bare.line_m[0]
    assert np.allclose(wooded.surface_m[1:-1] - wooded.ground_m[1:-1], 15.0)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"frequency_mhz": 0.0}, "frequency_mhz"),
        ({"tx_height_agl_m": -1.0}, "tx_height_agl_m"),
        ({"rx_height_agl_m": math.nan}, "rx_height_agl_m"),
        ({"delta_n": 157.0}, "delta_n"),
    ],
)
def test_impossible_parameters_are_named(change: dict[str, float], word: str) -> None:
    with pytest.raises(ParameterError, match=word):
        path_geometry(ridge(10.0), **{**LINK, **change})


def test_profile_plot_says_what_it_shows() -> None:
    axes = plot_profile(ridge(100.0, 10.0), **LINK)
    words = {text.get_text() for text in axes.get_legend().get_texts()}
    assert {"Clutter", "Straight line", "0.6 of first Fresnel zone", "Horizons"} <= words
    assert any(word.startswith("Bullington edge") for word in words)
    assert "km" in axes.get_xlabel()
    assert "blocked" in axes.get_title(loc="left")
    assert axes.get_ylim()[1] > 200
    clear = plot_profile(ridge(0.0), **LINK)
    assert "line of sight" in clear.get_title(loc="left")
    assert "Tightest point" in {text.get_text() for text in clear.get_legend().get_texts()}


def coverage() -> Any:
    ground = np.add.outer(np.arange(20.0), np.arange(30.0)).astype(np.float32)
    ground[0, 0] = np.nan
    terrain = Terrain.from_arrays(ground, x0_m=500_000, y0_m=2_300_000, resolution_m=100, crs="EPSG:32648")
    rsrp = np.linspace(-130, -60, 600).reshape(20, 30)
    rsrp[5, 5] = np.nan
    layers = xr.Dataset(
        {
            "rsrp_dbm": (("y", "x"), rsrp),
            "covered": (("y", "x"), rsrp > -110),
            "margin_db": (("y", "x"), rsrp + 110),
            "best_server": (("y", "x"), np.where(rsrp > -120, 3, -1)),
        }
    )
    lon, lat = terrain.lonlat(501_000, 2_299_000)
    sites = pd.DataFrame({"lon_deg": [float(lon)], "lat_deg": [float(lat)]})
    return SimpleNamespace(
        layers=layers,
        terrain=terrain,
        network=SimpleNamespace(sites=sites),
        service=SimpleNamespace(required_rsrp_dbm=-110.0),
        technology="4G",
    )


@pytest.mark.parametrize("layer", ["rsrp_dbm", "covered", "margin_db", "best_server"])
def test_coverage_plot_is_north_up_with_sites_in_place(layer: Any) -> None:
    axes = plot_coverage(coverage(), layer)
    relief, image = axes.get_images()
    assert relief.get_extent() == image.get_extent() == [500.0, 503.0, 2298.0, 2300.0]
    assert image.get_array().shape == (20, 30)
    assert bool(np.ma.getmaskarray(image.get_array())[0, 0])  # unknown ground is not drawn
    x, y = axes.get_lines()[-1].get_data()
    assert (float(x[0]), float(y[0])) == pytest.approx((501.0, 2299.0), abs=1e-5)
    axes.figure.canvas.draw()


def test_unknown_layer_is_refused() -> None:
    with pytest.raises(ParameterError, match="allowed: rsrp_dbm"):
        plot_coverage(coverage(), "colour")  # type: ignore[arg-type]


def test_curve_plot_draws_both_shares_over_cost() -> None:
    curve = pd.DataFrame({"sites": [0, 1], "cost": [0.0, 2.0], "people_percent": [90, 95], "area_percent": [80, 88]})
    axes = plot_curve(SimpleNamespace(curve=curve))
    assert [line.get_label() for line in axes.get_lines()] == ["Population", "Area"]
    assert axes.get_lines()[0].get_xdata().tolist() == [0.0, 2.0]
    assert axes.get_xlabel() == "Cost spent"
    with pytest.raises(ParameterError, match="people_percent"):
        plot_curve(SimpleNamespace(curve=curve[["sites"]]))


def test_matplotlib_is_not_loaded_with_the_module() -> None:
    import subprocess
    import sys

    code = "import sys, rfplan.plot; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
