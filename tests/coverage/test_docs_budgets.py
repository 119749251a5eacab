"""The worked budgets of docs/radio.md come out of the API, to the last printed digit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from coverage_helpers import flat_terrain
from rfplan.coverage import compute_coverage, explain
from rfplan.network import Network, SectorTemplate
from rfplan.network.defaults import defaults_table

DOCS = Path(__file__).resolve().parents[2] / "docs" / "radio.md"


class GivenLoss:
    """A path loss that does not depend on anything."""

    needs = "distance"

    def __init__(self, loss_db: float) -> None:
        self.loss_db = loss_db

    def path_loss_db(self, paths: object) -> npt.NDArray[np.float64]:
        return np.full(len(paths), self.loss_db)  # type: ignore[arg-type]


def table(column: str) -> dict[str, float]:
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    start = lines.index(f"| line | {column} | unit |")
    rows: dict[str, float] = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        name, value, _ = (part.strip() for part in line.strip("|").split("|"))
        rows[name] = float(value)
    return rows


@pytest.mark.parametrize(("column", "technology", "loss_db"), [("LTE", "4G", 135.0), ("NR", "5G", 137.0)])
def test_worked_budget(column: str, technology: str, loss_db: float) -> None:
    terrain = flat_terrain(61, 50.0)
    x = terrain.x0_m + 30.5 * 50.0
    lon, lat = terrain.lonlat([x, x], [terrain.y0_m - 2525.0, terrain.y0_m - 525.0])
    # One sector that looks exactly along the grid's north.
    east, north = (
        float(b - a) for a, b in zip(terrain.xy(lon[0], lat[0]), terrain.xy(lon[0], lat[0] + 1e-3), strict=True)
    )
    sites = pd.DataFrame({"lon_deg": lon[:1], "lat_deg": lat[:1]})
    network = Network.with_sectors(sites, SectorTemplate(technology), azimuth_deg=(0.0,))
    network = network.with_values(
        "sectors", network.sectors["sector_id"], azimuth_deg=-np.degrees(np.arctan2(east, north))
    )
    coverage = compute_coverage(
        network, terrain, model=GivenLoss(loss_db), technology=technology, radius_m=2100.0, method="exact"
    )
    budget = explain(coverage, (float(lon[1]), float(lat[1]))).budget.set_index("line")["value"]
    for line, value in table(column).items():
        assert budget[line] == pytest.approx(value, abs=0.00501), line


def test_defaults_table_is_the_one_in_use() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for row in defaults_table().itertuples():
        line = next(
            line for line in text.splitlines() if line.startswith(f"| {row.technology} | {row.frequency_mhz:g}")
        )
        assert f"`{row.antenna}`" in line
        assert f"| {row.max_power_dbm:g} |" in line
        assert f"| {row.bandwidth_mhz:g} |" in line
