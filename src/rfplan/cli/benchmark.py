"""The command that measures this machine: bench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rfplan.cli.options import QuietOption
from rfplan.cli.progress import shown_progress


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
    with shown_progress(quiet) as progress:
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
