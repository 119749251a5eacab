"""Commands on a whole scenario: plan, predict, validate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rfplan.cli.codes import TARGET_MISSED
from rfplan.cli.options import DataDirOption, OutOption, QuietOption, ScenarioArgument, load
from rfplan.cli.progress import plain_warnings, shown_progress
from rfplan.cli.results import draw_baseline, show_plan


def plan(
    scenario: ScenarioArgument,
    out: OutOption = None,
    quiet: QuietOption = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the search, in place of the scenario's.")] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Plan new sites: coverage today, what to build and in which order, report.

    Writes index.html, maps, tables and a manifest into the output folder (default: the scenario's, else out/NAME).
    """
    from rfplan.plan import run_plan
    from rfplan.plan.bookkeeping import claimed
    from rfplan.report import write_report

    loaded = load(scenario, data_dir)
    loaded = loaded if seed is None else loaded.with_seed(seed)
    folder = out or Path(loaded.output.folder or Path("out") / loaded.name)
    with claimed(folder), plain_warnings(quiet), shown_progress(quiet) as progress:
        made = run_plan(loaded, out=folder, progress=progress)
        progress("report", 0.0, 0.0)
        page = write_report(made, folder, context=made.metadata)
    if not quiet:
        show_plan(made, page)
    if not made.verified or made.status == "infeasible":
        raise typer.Exit(TARGET_MISSED)


def predict(
    scenario: ScenarioArgument,
    out: OutOption = None,
    quiet: QuietOption = False,
    data_dir: DataDirOption = None,
) -> None:
    """Predict the existing network of a scenario: level and margin maps, key figures a commune.

    With a [baseline] in the scenario also every technology and operator: figures, maps, threshold sweep.

    Writes into stages/ of the output folder (default: the scenario's, else out/NAME).
    """
    from rfplan.plan import run_prediction

    loaded = load(scenario, data_dir)
    folder = out or Path(loaded.output.folder or Path("out") / loaded.name)
    with plain_warnings(quiet), shown_progress(quiet) as progress:
        made = run_prediction(loaded, out=folder, progress=progress)
        draw_baseline(made.baseline, folder, " (synthetic data)" if loaded.synthetic else "")
    if not quiet:
        print(made.key_figures)
        if made.baseline is not None:
            print(f"\n{made.baseline}")
        print(f"maps and tables: {folder / 'stages'}")


def validate(
    scenario: ScenarioArgument,
    quiet: QuietOption = False,
    data_dir: DataDirOption = None,
) -> None:
    """Check a scenario and its input files, and show what was found in them; nothing is predicted."""
    from rfplan.plan import open_inputs

    loaded = load(scenario, data_dir)
    with plain_warnings(quiet), shown_progress(quiet) as progress:
        made = open_inputs(loaded, progress=progress)
    if not quiet:
        totals = made.demand.on_grid(made.terrain).totals()
        ny, nx = made.terrain.shape
        print(f"terrain: {nx} x {ny} pixels of {made.terrain.resolution_m:g} m, {made.terrain.crs}")
        print(
            f"demand: {totals['population']:,.0f} people, {totals['population_on_terrain']:,.0f} on the terrain; "
            f"{totals['area_km2']:,.0f} km2, {totals['area_on_terrain_km2']:,.0f} on the terrain"
        )
        print(f"network: {made.network!r}\n{made.network_report}")
