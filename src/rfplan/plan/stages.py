"""The stages of a run, each from the scenario's words to one object."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rfplan.errors import ScenarioError
from rfplan.io.tables import write_csv
from rfplan.plan.bookkeeping import Run, sha256
from rfplan.plan.fetched import use_fetched
from rfplan.plan.keeping import keep_table
from rfplan.scenario import Scenario

if TYPE_CHECKING:
    from rfplan.coverage import Coverage
    from rfplan.coverage.predict import SharedSettings
    from rfplan.demand import Demand
    from rfplan.network import Network
    from rfplan.optimize import JointCover, TargetCover
    from rfplan.optimize.candidates import Candidates
    from rfplan.optimize.instance import Rules
    from rfplan.terrain import Terrain


def inputs(run: Run) -> Scenario:
    """Make the inputs of a synthetic scenario; check and hash all inputs."""
    scenario = run.scenario
    if scenario.generate is not None:
        from rfplan.builtin import write_inputs

        folder = run.inputs_folder()

        def work() -> tuple[dict[str, str], dict[str, Any]]:
            return {path.name: sha256(path) for path in write_inputs(folder).values()}, {}

        memo = run.memo.on(scenario.generate)
        made = memo.recall("inputs", work).about
        if any(not (folder / name).is_file() or sha256(folder / name) != known for name, known in made.items()):
            work()
        scenario = scenario.in_folder(folder)
    scenario, fetched = use_fetched(scenario)
    scenario.check_files()
    for key, path in scenario.input_files().items():
        note = "fetched" if key in fetched else ("synthetic" if scenario.generate is not None else "")
        run.inputs.append(
            {"role": key, "name": path.name, "sha256": sha256(path), "bytes": path.stat().st_size}
            | ({"note": note} if note else {})
            | ({"licence": scenario.licences[key]} if key in scenario.licences else {})
        )
    return scenario


def terrain(scenario: Scenario) -> Terrain:
    """Open the ground; clutter is derived later, from the demand."""
    from rfplan.terrain import open_terrain, with_sea

    section = scenario.terrain
    clutter: Any = section.clutter
    if not isinstance(clutter, str):
        clutter = [scenario.path(name) for name in clutter]
    elif clutter == "derived":
        clutter = "default"
    elif clutter not in ("default", "bare-earth"):
        clutter = scenario.path(clutter)
    ground = open_terrain(
        [scenario.path(name) for name in section.files],
        crs=section.crs,
        resolution_m=section.resolution_m,
        bounds=section.bounds,
        clutter=clutter,
        clutter_table=section.clutter_table,
        default_clutter_height_m=section.default_clutter_height_m,
        nodata=section.nodata,
        vertical_datum=section.vertical_datum,
    )
    if section.sea is None:
        return ground
    return with_sea(ground, section.sea if section.sea == "water" else scenario.path(section.sea))


def demand(run: Run, scenario: Scenario, terrain: Terrain) -> tuple[Demand, Terrain]:
    """Open the demand, derive clutter from it where asked for, and keep its table."""
    from rfplan.demand import derive_clutter, open_demand

    section = scenario.demand
    demand = open_demand(
        None if section.population is None else scenario.path(section.population),
        None if section.communes is None else scenario.path(section.communes),
        population_field=section.population_field,
        code_field=section.code_field,
        name_field=section.name_field,
    )
    if scenario.terrain.clutter == "derived":
        terrain = derive_clutter(terrain, demand)
    keep_table(run, "demand.csv", demand.on_grid(terrain).communes)
    return demand, terrain


def network(run: Run, scenario: Scenario, terrain: Terrain, demand: Demand) -> tuple[Network, Any]:
    """Read the network, or make a synthetic list of sites and read that."""
    from rfplan.network import read_network

    section = scenario.network
    if section.sites is not None:
        network = read_network(
            scenario.path(section.sites),
            section.column_map or None,
            sectors=None if section.sectors is None else scenario.path(section.sectors),
            cells=None if section.cells is None else scenario.path(section.cells),
            technology=scenario.coverage.technology,
        )
    else:
        network = _synthetic_network(run, scenario, terrain, demand)
    if section.antenna is not None:
        network = _with_antenna(network, scenario.coverage.technology, section.antenna)
    report = network.validate(terrain)
    keep_table(run, "network_report.csv", report.table)
    return network, report


def _synthetic_network(run: Run, scenario: Scenario, terrain: Terrain, demand: Demand) -> Network:
    """Site stations where people live; the terrain gets its share, by people, of the count."""
    from rfplan.builtin import synthesize_sites
    from rfplan.network import read_network

    settings = scenario.network.synthesize
    assert settings is not None
    grid = demand.on_grid(terrain)
    everybody = float(grid.communes["population"].sum())
    share = float(grid.communes["population_on_terrain"].sum()) / everybody if everybody > 0 else 1.0
    count = max(1, round(settings.count * share))
    table = synthesize_sites(terrain, grid, count, settings.seed)
    path = write_csv(run.inputs_folder() / "synthetic_sites.csv", table)
    run.inputs.append(
        {
            "role": "network.synthesize",
            "name": path.name,
            "sha256": sha256(path),
            "bytes": path.stat().st_size,
            "note": f"synthetic: {count} of {settings.count} stations, the terrain's share of the people",
        }
    )
    return read_network(path, technology=scenario.coverage.technology)


def _with_antenna(network: Network, technology: str, antenna: str) -> Network:
    """Put one antenna on every sector that carries the technology."""
    cells = network.cells
    carrying = set(cells.loc[cells["technology"] == technology, "sector_id"])
    sectors = network.sectors.copy()
    sectors.loc[sectors["sector_id"].isin(carrying), "antenna"] = antenna
    return dataclasses.replace(network, sectors=sectors)


def antennas(scenario: Scenario) -> dict[str, Any] | None:
    """Read the antenna patterns the scenario names, and check that the one it uses is known."""
    from rfplan.antenna import find_antenna, read_antenna

    antennas = {name: read_antenna(scenario.path(file), name=name) for name, file in scenario.network.antennas.items()}
    if scenario.network.antenna is not None:
        try:
            find_antenna(scenario.network.antenna, antennas)
        except ValueError as error:
            raise ScenarioError(f"{scenario.source}: network.antenna: {error}") from error
    return antennas or None


def shared_masts(scenario: Scenario) -> pd.DataFrame | None:
    """Read the masts of others that may be used."""
    from rfplan.network import read_network

    if scenario.network.shared_masts is None:
        return None
    masts = read_network(scenario.path(scenario.network.shared_masts), technology=scenario.coverage.technology)
    height = masts.sectors.groupby("site_id")["tx_height_agl_m"].max()
    return masts.sites.assign(tx_height_agl_m=masts.sites["site_id"].map(height).astype(float))


def settings(scenario: Scenario) -> SharedSettings:
    """Return what every prediction of the scenario has in common."""
    return {
        "model": scenario.make_model(),
        "receiver": scenario.make_receiver(),
        "radius_m": scenario.coverage.radius_m,
        "method": scenario.coverage.method,
        "antennas": antennas(scenario),
        "path_loss_store": scenario.coverage.path_loss_store,
    }


def site_rules(scenario: Scenario, candidates: Candidates) -> Rules:
    """Return the rule that work on an existing site costs a visit, once for all that is done there."""
    from rfplan.optimize.instance import Rules

    if scenario.costs.site_visit == 0.0:
        return Rules()
    host = candidates.table["site_id"].astype(str)
    site_of, names = pd.factorize(host.where(host != ""))  # -1 for candidates that stand on no existing site
    return Rules(site_of=site_of, opening_cost=np.full(len(names), scenario.costs.site_visit))


def site_problem(
    scenario: Scenario, coverage: Coverage, demand: Demand, candidates: Candidates, rules: Rules
) -> TargetCover | JointCover:
    """Return what the choice of sites is to solve."""
    from rfplan.optimize import JointCover, TargetCover

    target, asked = scenario.target, scenario.make_requirement()
    if asked is not None:
        return JointCover(
            coverage,
            demand,
            candidates,
            rules=rules,
            probability=asked.probability,
            least_probability=asked.least_probability,
            population_target=target.population,
            area_target=target.area,
        )
    return TargetCover(
        coverage,
        demand,
        candidates,
        rules=rules,
        population_target=target.population,
        area_target=target.area,
        commune_population_floor=target.commune_population_floor,
    )


def template(scenario: Scenario) -> Any:
    """Return the sectors of new sites: the technology's defaults, with the scenario's antenna where it names one."""
    from rfplan.network import SectorTemplate

    return SectorTemplate(technologies=scenario.coverage.technology, antenna=scenario.network.antenna)
