"""Write the report of a plan into a folder: all files are made apart first, then moved in one by one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rfplan.errors import OutputError
from rfplan.io.atomic import make_folder, write_text
from rfplan.report.baseline import write_baseline
from rfplan.report.context import ReportContext
from rfplan.report.expansion import write_parameters
from rfplan.report.facts import gather
from rfplan.report.files import write_geopackage, write_rasters, write_tables
from rfplan.report.manifest import file_entry, manifest, run_record
from rfplan.report.page import render


def write_report(
    plan: Any, folder: str | os.PathLike[str], *, context: ReportContext | Mapping[str, Any] | None = None
) -> Path:
    """Write the report of a plan: page, maps, tables, GeoPackage and manifest.

    The folder gets ``index.html`` (one self-contained page that opens offline), ``manifest.json``, ``plan.gpkg``,
    ``rasters/*.tif`` (cloud-optimised GeoTIFFs), ``tables/*.csv``, where the plan has them ``parameters/*.csv``, and
    ``run.json`` (date, timings, memory). The same plan always gives the same bytes but for ``run.json``. Everything is
    written into a temporary
    folder beside its place first; only when all of it is there are the files renamed into place, the page last. So a
    failure leaves an earlier report as it was. Other files of the folder are not touched.

    Parameters
    ----------
    plan : Plan
        With ``sites, coverage_before, coverage_after, demand, uncoverable`` and what is known of
        ``objective, bound, gap, seed, time_s, verified, candidates, curve``.
    folder : path-like
        Made when it is not there.
    context : ReportContext or mapping, optional
        Title, provenance, published figures, the synthetic-data flag. Default: ``plan.metadata`` where the plan
        has one, else an empty context.

    Returns
    -------
    Path
        The page, ``folder/index.html``.

    Raises
    ------
    OutputError
        If the folder or a file cannot be written.
    ParameterError
        If the plan carries no coverage, or the context has unknown keys.
    """
    target = make_folder(folder)
    given = context if context is not None else getattr(plan, "metadata", None)
    facts = gather(plan, ReportContext.of(given))
    try:
        stage = Path(tempfile.mkdtemp(prefix=".rfplan-report-", dir=target))
    except OSError as error:
        raise OutputError(f"cannot write into {target}: {error.strerror or error}; choose another folder") from error
    try:
        write_rasters(facts, stage / "rasters")
        write_tables(facts, stage / "tables")
        write_parameters(facts, stage / "parameters")
        write_baseline(facts, stage / "rasters", stage / "tables")
        write_geopackage(facts, stage / "plan.gpkg")
        record = manifest(facts)
        write_text(stage / "index.html", render(facts, record))
        made = sorted(p for p in stage.rglob("*") if p.is_file())
        record["outputs"] = [file_entry(p, stage) for p in made]
        words = json.dumps(run_record(facts.context), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        write_text(stage / "run.json", words)
        write_text(stage / "manifest.json", json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
        _move_in(stage, target, last=("manifest.json", "index.html"))
    except OSError as error:
        raise OutputError(
            f"cannot write the report into {target}: {error.strerror or error}; "
            "free space or choose another folder; the plan itself is unharmed"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(stage)
    return target / "index.html"


def _move_in(stage: Path, target: Path, last: tuple[str, ...]) -> None:
    """Rename every staged file to its place; the names of `last` follow when all others are there."""
    names = sorted(p.relative_to(stage).as_posix() for p in stage.rglob("*") if p.is_file())
    for name in sorted(names, key=lambda n: (last.index(n) + 1 if n in last else 0, n)):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(stage / name, target / name)
