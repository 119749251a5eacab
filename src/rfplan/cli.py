"""The command line: the only place where words become objects.

Exit codes: 0 done; 1 something unexpected (a bug: the traceback is shown with ``RFPLAN_DEBUG=1``); 2 bad input, the
message on stderr; 3 the plan was made and written but is not verified or misses its target; 130 interrupted.

Nothing heavy is imported here at module level: every ``--help`` must appear at once.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rfplan.plan import Baseline
    from rfplan.scenario import Scenario

OK, UNEXPECTED, BAD_INPUT, TARGET_MISSED, INTERRUPTED = 0, 1, 2, 3, 130

app = typer.Typer(
    name="rfplan",
    help="Radio network planning: where there is coverage, and which sites to build.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ScenarioArgument = Annotated[str, typer.Argument(help="A scenario file (TOML) or a built-in name: phu-tho.")]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the results.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no table: only errors.")]
DataDirOption = Annotated[
    Path | None, typer.Option(help="Folder that the scenario's input paths are relative to, in place of its own.")
]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        code = app(arguments, prog_name="rfplan", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", INTERRUPTED)
    except Exception as error:
        if hasattr(error, "format_message"):  # the command line's own complaint: unknown option, missing argument
            error.show()  # type: ignore[attr-defined]
            return BAD_INPUT
        if isinstance(error, ValueError) and _is_ours(error):
            return _fail(str(error), BAD_INPUT)
        if os.environ.get("RFPLAN_DEBUG"):
            raise
        return _fail(f"unexpected {type(error).__name__}: {error}\nset RFPLAN_DEBUG=1 for the traceback", UNEXPECTED)
    return _fail("interrupted", INTERRUPTED) if code == INTERRUPTED else int(code or OK)


def _is_ours(error: ValueError) -> bool:
    from rfplan.errors import RfplanError

    return isinstance(error, RfplanError)


def _fail(message: str, code: int) -> int:
    print(f"rfplan: {message}", file=sys.stderr)
    return code


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False) -> None:
    if version:
        import rfplan

        print(rfplan.__version__)
        raise typer.Exit


@app.command()
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

    loaded = _load(scenario, data_dir)
    loaded = loaded if seed is None else loaded.with_seed(seed)
    folder = out or Path(loaded.output.folder or Path("out") / loaded.name)
    with claimed(folder), _warnings(quiet), _progress(quiet) as progress:
        made = run_plan(loaded, out=folder, progress=progress)
        progress("report", 0.0, 0.0)
        page = write_report(made, folder, context=made.metadata)
    if not quiet:
        _show_plan(made, page)
    if not made.verified or made.status == "infeasible":
        raise typer.Exit(TARGET_MISSED)


@app.command()
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

    loaded = _load(scenario, data_dir)
    folder = out or Path(loaded.output.folder or Path("out") / loaded.name)
    with _warnings(quiet), _progress(quiet) as progress:
        made = run_prediction(loaded, out=folder, progress=progress)
        _draw_baseline(made.baseline, folder, " (synthetic data)" if loaded.synthetic else "")
    if not quiet:
        print(made.key_figures)
        if made.baseline is not None:
            print(f"\n{made.baseline}")
        print(f"maps and tables: {folder / 'stages'}")


def _draw_baseline(baseline: Baseline | None, folder: Path, synthetic: str) -> None:
    """Draw the baseline, where there is one, beside its tables."""
    if baseline is None:
        return
    import io

    from matplotlib.figure import Figure

    from rfplan.io.atomic import write_bytes
    from rfplan.plot import plot_best_technology, plot_sweep

    for name, draw, title, size in (
        ("best_technology_before", plot_best_technology, "Newest technology that covers", (7.0, 8.0)),
        ("baseline_sweep", plot_sweep, "Threshold sweep, both links", (6.0, 4.0)),
    ):
        figure, picture = Figure(figsize=size, layout="constrained"), io.BytesIO()
        draw(baseline, ax=figure.add_subplot(), title=title + synthetic)
        figure.savefig(picture, format="png", dpi=150)
        write_bytes(folder / "stages" / f"{name}.png", picture.getvalue())


@app.command()
def validate(
    scenario: ScenarioArgument,
    quiet: QuietOption = False,
    data_dir: DataDirOption = None,
) -> None:
    """Check a scenario and its input files, and show what was found in them; nothing is predicted."""
    from rfplan.plan import open_inputs

    loaded = _load(scenario, data_dir)
    with _warnings(quiet), _progress(quiet) as progress:
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


@app.command()
def link(
    terrain: Annotated[list[Path], typer.Argument(help="Elevation files.")],
    start: Annotated[str, typer.Option("--from", help="Transmitter: LON,LAT in degrees.")],
    end: Annotated[str, typer.Option("--to", help="Receiver: LON,LAT in degrees.")],
    frequency_mhz: Annotated[float, typer.Option(help="Frequency, MHz.")] = 1800.0,
    tx_height_agl_m: Annotated[float, typer.Option(help="Transmitter height above ground, m.")] = 30.0,
    rx_height_agl_m: Annotated[float, typer.Option(help="Receiver height above ground, m.")] = 1.5,
    model: Annotated[str, typer.Option(help="A model; `rfplan models` lists them.")] = "P1812",
    clutter: Annotated[str, typer.Option(help="default, bare-earth or a land-cover file.")] = "default",
) -> None:
    """Predict one link over terrain: distance, path loss and its parts."""
    import rfplan
    from rfplan.propagation.names import model_class

    _known_model(model)
    a, b = _lonlat("--from", start), _lonlat("--to", end)
    ground = rfplan.open_terrain(list(terrain), clutter=clutter, bounds=_around(a, b))
    profile = ground.profile(a, b)
    paths = profile.paths(frequency_mhz=frequency_mhz, tx_height_agl_m=tx_height_agl_m, rx_height_agl_m=rx_height_agl_m)
    predictor = model_class(model)()
    rows: list[tuple[str, float, str]] = [("distance", profile.distance_m[-1] / 1000.0, "km")]
    rows += [
        ("transmitter ground", profile.elevation_amsl_m[0], "m"),
        ("receiver ground", profile.elevation_amsl_m[-1], "m"),
    ]
    rows += [("highest ground between", max(profile.elevation_amsl_m), "m")]
    rows += [(f"path loss, {model}", float(predictor.path_loss_db(paths)[0]), "dB")]
    if hasattr(predictor, "loss_parts"):
        rows += [(f"  {name}", float(part[0]), "") for name, part in predictor.loss_parts(paths).items()]
    for name, value, unit in rows:
        print(f"{name:<34s} {value:10.2f} {unit}".rstrip())


@app.command()
def fetch(
    bbox: Annotated[str, typer.Option(help="WEST,SOUTH,EAST,NORTH in degrees.")],
    what: Annotated[str, typer.Option(help="Sources, comma-separated.")] = "glo30,worldcover,worldpop,osm",
    folder: Annotated[Path | None, typer.Option(help="Cache folder, in place of the user's.")] = None,
    show: Annotated[bool, typer.Option("--list", help="Only list the files; nothing is downloaded.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Download open elevation, ground cover, population and roads of an area into the cache.

    Sources: glo30, worldcover, worldpop, ghs-pop, osm, opencellid (needs your key in OPENCELLID_KEY). Each file is
    checked; an interrupted download goes on where it stopped.
    """
    from rfplan.io import fetch as fetching
    from rfplan.io.sources import LICENCES

    area = _numbers("--bbox", bbox, 4, "WEST,SOUTH,EAST,NORTH")
    box = (area[0], area[1], area[2], area[3])
    sources = [word.strip() for word in what.split(",") if word.strip()]
    key = os.environ.get("OPENCELLID_KEY")
    if show:
        for remote in fetching.list_files(box, sources, opencellid_key=key):
            print(remote.shown_url)
    else:
        with _warnings(quiet), _progress(quiet) as progress:
            found = fetching.fetch(box, sources, folder=folder, progress=_bytes_as_stages(progress), opencellid_key=key)
        for item in found:
            state = "nothing there" if item.path is None else str(item.path)
            print(f"{state}{' (from the cache)' if item.from_cache else ''}")
    if not quiet:
        for name in dict.fromkeys(sources):
            print(f"{name}: {LICENCES[name]}", file=sys.stderr)


@app.command()
def calibrate(
    measurements: Annotated[Path, typer.Argument(help="Drive test or device report, CSV or XLSX.")],
    transmitters: Annotated[Path, typer.Option(help="Table: site_id, lon_deg, lat_deg, tx_height_agl_m, eirp_dbm.")],
    terrain: Annotated[list[Path], typer.Option(help="Elevation file; may be given several times.")],
    out: OutOption = None,
    model: Annotated[str, typer.Option(help="A model; `rfplan models` lists them.")] = "P1812",
    frequency_mhz: Annotated[float, typer.Option(help="Frequency where a transmitter states none, MHz.")] = 1800.0,
    rx_height_agl_m: Annotated[float, typer.Option(help="Receiver height above ground, m.")] = 1.5,
    sensitivity_dbm: Annotated[float | None, typer.Option(help="Level below which nothing is received, dBm.")] = None,
    eirp_dbm: Annotated[float | None, typer.Option(help="EIRP of transmitters that state none, dBm.")] = None,
    from_packets: Annotated[bool, typer.Option(help="Count what other sites of a packet did not hear.")] = False,
    clutter: Annotated[str, typer.Option(help="default, bare-earth or a land-cover file.")] = "default",
    compare: Annotated[bool, typer.Option(help="Set every model that suits the frequency beside it.")] = False,
) -> None:
    """Calibrate a model on measurements and judge it on held-out sites.

    SPM gets its constants and clutter losses fitted, other models a correction. Into the output folder go
    calibration.json (for [model] calibrated in a scenario), tables, residuals as points, and plots.
    """
    import rfplan
    from rfplan.calibration import CalibrationSettings
    from rfplan.propagation.names import model_class

    _known_model(model)
    with _warnings(False):
        settings = CalibrationSettings(
            frequency_mhz=frequency_mhz,
            rx_height_agl_m=rx_height_agl_m,
            sensitivity_dbm=sensitivity_dbm,
            eirp_dbm=eirp_dbm,
            non_receptions="packets" if from_packets else "given",
        )
        ground = rfplan.open_terrain(list(terrain), clutter=clutter)
        table = rfplan.read_measurements(measurements)
        if model == "SPM":
            found = rfplan.calibrate_spm(table, transmitters, ground, settings=settings)
        else:
            found = rfplan.calibrate(
                table,
                transmitters,
                ground,
                model=model_class(model)(),
                settings=settings,
                compare="all" if compare else (),
            )
    print(found)
    for note in found.notes:
        print(f"note: {note}")
    if out is not None:
        for path in rfplan.write_calibration(found, out):
            print(path)


@app.command()
def bench(
    radius_km: Annotated[list[float] | None, typer.Option(help="Radius, km; may be given several times.")] = None,
    resolution_m: Annotated[float, typer.Option(help="Pixel of the synthetic ground, m.")] = 30.0,
    repeat: Annotated[int, typer.Option(min=1, help="Timed runs a figure; the best one counts.")] = 3,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="JSON file for machine and figures.")] = None,
    cold_start: Annotated[bool, typer.Option(help="Also time import, first compile and cached first call.")] = True,
    quiet: QuietOption = False,
) -> None:
    """Measure how fast and how exact this machine predicts, on synthetic ground."""
    from rfplan.bench import run_bench

    radii = [1000.0 * value for value in radius_km or (5.0, 15.0)]
    with _progress(quiet) as progress:
        measured = run_bench(
            radius_m=radii,
            resolution_m=resolution_m,
            repeat=repeat,
            with_cold_start=cold_start,
            progress=lambda step: progress(step, 0.0, 0.0),
        )
    if not quiet:
        print(measured)
    if out is not None:
        measured.to_json(out)


@app.command()
def models() -> None:
    """List the propagation models a scenario may name, with what they need and their parameters."""
    import dataclasses

    from rfplan.propagation.names import MODELS, model_class

    for name in MODELS:
        kind = model_class(name)
        print(f"{name} (needs {kind.needs}): {getattr(kind, 'citation', '')}")
        for field in dataclasses.fields(kind):
            if field.init:
                default = "required" if field.default is dataclasses.MISSING else f"{field.default!r}"
                print(f"    {field.name} = {default}")


def _load(scenario: str, data_dir: Path | None) -> Scenario:
    from rfplan.scenario import load_scenario

    return load_scenario(scenario, data_dir=data_dir)


def _known_model(name: str) -> None:
    from rfplan.errors import ParameterError
    from rfplan.propagation.names import MODELS

    if name not in MODELS:
        raise ParameterError(f"--model {name!r} is not known; allowed are {', '.join(MODELS)}")


def _numbers(option: str, text: str, count: int, form: str) -> list[float]:
    """Return the numbers of an option such as ``--bbox W,S,E,N``."""
    from rfplan.errors import ParameterError

    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count:
        raise ParameterError(f"{option} {text!r}: give {form} in degrees, decimal points, no blanks")
    return values


def _lonlat(option: str, text: str) -> tuple[float, float]:
    from rfplan.errors import ParameterError

    lon, lat = _numbers(option, text, 2, "LON,LAT")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise ParameterError(f"{option} {text!r}: longitude is -180 to 180 and latitude -90 to 90, longitude first")
    return lon, lat


def _bytes_as_stages(progress: Callable[[str, float, float], None]) -> Callable[[str, int, int | None], None]:
    """Show each download as a stage, in megabytes."""
    return lambda name, done, total: progress(Path(name).name, done / 1e6, (total or 0) / 1e6)


def _around(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float, float, float]:
    """Return a box a little larger than a link: only that much of the terrain is read."""
    pad = 0.02
    lon, lat = sorted((a[0], b[0])), sorted((a[1], b[1]))
    return lon[0] - pad, lat[0] - pad, lon[1] + pad, lat[1] + pad


@contextlib.contextmanager
def _warnings(quiet: bool) -> Iterator[None]:
    """Show warnings as one plain line each on stderr, or not at all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if quiet else "default")
        warnings.showwarning = lambda message, *_args, **_kw: print(f"rfplan: warning: {message}", file=sys.stderr)
        yield


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str, float, float], None]]:
    """Give a callable that shows stages as progress bars on stderr; on a pipe, one line a stage."""
    if quiet:
        yield lambda _stage, _done, _total: None
        return
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<20s}"),
        BarColumn(),
        TextColumn("{task.fields[note]:<18s}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def tell(stage: str, done: float, total: float) -> None:
            if stage not in tasks:
                for task in tasks.values():
                    bars.update(task, total=1.0, completed=1.0)
                    bars.stop_task(task)
                tasks[stage] = bars.add_task(stage, total=None, note="")
            if total and total > 0:
                counted = f"{done:,.0f} of {total:,.0f}" if total > 1 else ""
                bars.update(tasks[stage], total=total, completed=done, note=counted)

        yield tell


def _lines() -> Callable[[str, float, float], None]:
    """Give a callable that prints each stage once, with the seconds since the start."""
    seen: set[str] = set()
    start = time.monotonic()

    def tell(stage: str, _done: float, _total: float) -> None:
        if stage not in seen:
            seen.add(stage)
            print(f"[{time.monotonic() - start:6.1f} s] {stage}", file=sys.stderr, flush=True)

    return tell


def _show_additions(made: Any) -> None:
    """Print years, backhaul, 5G and parameters where there are any."""
    extra = made.additions
    if extra.rollout is not None:
        for row in extra.rollout.years.to_dict("records"):
            milestone = "" if row["met"] else "  MILESTONE MISSED: " + row["reason"]
            print(
                f"  {row['year']}: {row['sites']:4d} sites, cost {row['spent']:8.2f}, "
                f"people {row['people_percent']:.2f} %, area {row['area_percent']:.2f} %{milestone}"
            )
    if extra.backhaul is not None:
        counts = extra.backhaul.sites["medium"].value_counts()
        print("backhaul: " + ", ".join(f"{count} x {name}" for name, count in counts.items()))
    if extra.expansion_5g is not None:
        before, after = extra.expansion_5g.figures_before.total, extra.expansion_5g.figures_after.total
        print(
            f"5G: {len(extra.expansion_5g.plan.sites)} carriers, people {before['covered_population_percent']:.2f} -> "
            f"{after['covered_population_percent']:.2f} %"
        )
    if extra.parameters is not None:
        print(f"parameters: {extra.parameters.collisions} collisions, {extra.parameters.confusions} confusions")


def _show_plan(made: Any, page: Path) -> None:
    """Print what a planner wants to know first."""
    before, after = (figures.table.iloc[-1] for figures in (made.key_figures_before, made.key_figures_after))
    print(f"{'':24s}{'before':>12s}{'after':>12s}")
    for words, column in (
        ("people covered, %", "covered_population_percent"),
        ("area covered, %", "covered_area_percent"),
    ):
        print(f"{words:24s}{before[column]:12.2f}{after[column]:12.2f}")
    _show_additions(made)
    rest = made.uncoverable
    people = float(rest["people"].sum()) if len(rest) else 0.0
    area = float(rest["area_km2"].sum()) if len(rest) else 0.0
    print(
        f"sites to build: {len(made.sites)}, cost {made.sites['cost'].sum():g} {made.additions.cost_unit} "
        f"(objective {made.objective:g}, proven bound {made.bound:g}, gap {100 * made.gap:.1f} %), "
        f"{'verified' if made.verified else 'NOT VERIFIED'}\n"
        f"beyond any candidate: {people:,.0f} people, {area:,.1f} km2\n"
        f"report: {page}"
    )
