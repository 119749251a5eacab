from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from coverage_helpers import LogDistance, flat_terrain
from rfplan.coverage import BuildingEntry, CarEntry, Service, compute_coverage
from rfplan.errors import ParameterError
from rfplan.network import Network


def test_published_losses() -> None:
    building = BuildingEntry()
    for frequency, median in ((700.0, 14.10), (1800.0, 14.84), (2600.0, 15.29), (3500.0, 15.72)):
        assert building.loss_db(frequency, 3) == pytest.approx(median, abs=0.005)
    assert BuildingEntry(probability=0.9).loss_db(1800.0, 3) == pytest.approx(26.82, abs=0.005)
    low, high = BuildingEntry("tr38901").loss_db(1800.0, 3), BuildingEntry("tr38901").loss_db(1800.0, 5)
    assert (low, high) == (pytest.approx(11.65, abs=0.005), pytest.approx(21.74, abs=0.005))
    assert BuildingEntry("tr38901").loss_db(3500.0, 5) == pytest.approx(26.85, abs=0.005)
    assert CarEntry().loss_db(1800.0, 0) == 9.0
    assert CarEntry(probability=0.841345).loss_db(1800.0, 0) == pytest.approx(14.0, abs=1e-3)


def test_loss_by_clutter_class() -> None:
    terrain = flat_terrain(15)
    classes = np.full(terrain.shape, 2, dtype=np.uint8)
    classes[:, 8:] = 5
    terrain = replace(terrain, clutter_class=classes)
    lon, lat = terrain.lonlat([terrain.x0_m + 680.0], [terrain.y0_m - 680.0])
    network = Network.with_sectors(pd.DataFrame({"lon_deg": lon, "lat_deg": lat}))
    settings = {"model": LogDistance(), "radius_m": 600.0, "method": "exact"}
    out = compute_coverage(network, terrain, **settings)
    inside = compute_coverage(network, terrain, service=Service("indoor", penetration=BuildingEntry()), **settings)
    for layer in ("rsrp_dbm", "margin_db"):
        loss = out.layers[layer].values - inside.layers[layer].values
        for code in (2, 5):
            here = loss[(classes == code) & np.isfinite(loss)]
            assert here.size
            np.testing.assert_allclose(here, BuildingEntry().loss_db(1842.5, code), atol=1e-4)


def test_bad_settings() -> None:
    with pytest.raises(ParameterError, match="probability"):
        BuildingEntry(probability=1.0)
    with pytest.raises(ParameterError, match="p2109"):
        BuildingEntry(model="brick")  # type: ignore[arg-type]
