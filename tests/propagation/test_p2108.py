"""P.2108 against the published cases of its three methods, and its limits."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rfplan.errors import ParameterError
from rfplan.profile import Paths
from rfplan.propagation.p2108 import (
    TerrestrialClutterLoss,
    clutter_height_gain_db,
    clutter_loss_slant_db,
    clutter_loss_terrestrial_db,
)

CLUTTER = {1: "water", 2: "open", 3: "suburban", 4: "urban", 5: "trees", 6: "dense-urban"}


def _rows(path: Path) -> list[dict[str, float]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def _check(rows: list[dict[str, float]], call, published: str) -> None:  # type: ignore[no-untyped-def]
    errors = 0
    for row in rows:
        if row["rtn"]:
            errors += 1
            with pytest.raises(ParameterError):
                call(row)
        else:
            # The files give one decimal, and use an approximate inverse normal (error below 4.5e-4).
            assert float(call(row)) == pytest.approx(row[published], abs=0.0531), row
    assert errors >= 5


def test_published_terrestrial(reference_dir: Path) -> None:
    rows = _rows(reference_dir / "p2108" / "TerrestrialStatisticalModelTestData.csv")
    assert len(rows) == 12
    _check(rows, lambda r: clutter_loss_terrestrial_db(r["f__ghz"] * 1e3, r["d__km"] * 1e3, r["p"]), "L_ctt__db")


def test_published_slant(reference_dir: Path) -> None:
    rows = _rows(reference_dir / "p2108" / "AeronauticalStatisticalModelTestData.csv")
    assert len(rows) == 13
    _check(rows, lambda r: clutter_loss_slant_db(r["f__ghz"] * 1e3, r["theta_deg"], r["p"]), "L_ces__db")


def test_published_height_gain(reference_dir: Path) -> None:
    rows = _rows(reference_dir / "p2108" / "HeightGainTerminalCorrectionModelTestData.csv")
    assert len(rows) == 23
    _check(
        rows,
        lambda r: clutter_height_gain_db(
            r["f__ghz"] * 1e3,
            r["h__meter"],
            clutter=CLUTTER.get(int(r["clutter_type"]), "?"),  # type: ignore[arg-type]
            clutter_height_m=r["R__meter"],
            street_width_m=r["w_s__meter"],
        ),
        "A_h__db",
    )


@settings(max_examples=25, deadline=None)
@given(st.floats(500, 67e3), st.floats(250, 50e3), st.floats(1, 98))
def test_terrestrial_grows_with_locations_and_distance(f: float, d: float, p: float) -> None:
    assert clutter_loss_terrestrial_db(f, d, p) < clutter_loss_terrestrial_db(f, d, p + 1)
    # The spread narrows as the steadier long-range term takes over, so only the median is sure to grow.
    assert clutter_loss_terrestrial_db(f, d) <= clutter_loss_terrestrial_db(f, d * 1.1) + 1e-12


def test_terrestrial_stays_at_its_value_for_2_km() -> None:
    assert clutter_loss_terrestrial_db(3500, 30e3) == clutter_loss_terrestrial_db(3500, 2e3)


@settings(max_examples=25, deadline=None)
@given(st.floats(30, 3000), st.floats(0.5, 9.0), st.sampled_from(list(CLUTTER.values())))
def test_height_gain_falls_with_height(f: float, h: float, clutter: str) -> None:
    low = clutter_height_gain_db(f, h, clutter=clutter)  # type: ignore[arg-type]
    high = clutter_height_gain_db(f, h + 0.5, clutter=clutter)  # type: ignore[arg-type]
    assert high < low


def test_height_gain_is_zero_above_clutter() -> None:
    np.testing.assert_array_equal(clutter_height_gain_db(900, [15.0, 40.0], clutter="urban"), [0.0, 0.0])


def test_correction_counts_both_ends_from_1_km() -> None:
    paths = Paths.from_distance([500.0, 2000.0], 1800.0, 1.5, 1.5)
    once = TerrestrialClutterLoss().correction_db(paths)
    twice = TerrestrialClutterLoss(both_ends=True).correction_db(paths)
    np.testing.assert_allclose(twice / once, [1.0, 2.0])


def test_wrong_input_is_named() -> None:
    with pytest.raises(ParameterError, match=r"distance_m.*100.*250"):
        clutter_loss_terrestrial_db(1800, 100)
    with pytest.raises(ParameterError, match="location_percent"):
        clutter_loss_terrestrial_db(1800, 1000, float("nan"))
    with pytest.raises(ParameterError, match="elevation_deg"):
        clutter_loss_slant_db(30e3, -1.0)
    with pytest.raises(ParameterError, match="height_agl_m"):
        clutter_height_gain_db(1800, 0.0)
    with pytest.raises(ParameterError, match="clutter"):
        clutter_height_gain_db(1800, 1.5, clutter="jungle")  # type: ignore[arg-type]
