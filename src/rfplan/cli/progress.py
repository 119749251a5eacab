"""Progress and warnings on stderr, so that stdout holds results only."""

from __future__ import annotations

import contextlib
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def plain_warnings(quiet: bool) -> Iterator[None]:
    """Show warnings as one plain line each on stderr, or not at all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if quiet else "default")
        warnings.showwarning = lambda message, *_args, **_kw: print(f"rfplan: warning: {message}", file=sys.stderr)
        yield


@contextlib.contextmanager
def shown_progress(quiet: bool) -> Iterator[Callable[[str, float, float], None]]:
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


def bytes_as_stages(progress: Callable[[str, float, float], None]) -> Callable[[str, int, int | None], None]:
    """Show each download as a stage, in megabytes."""
    return lambda name, done, total: progress(Path(name).name, done / 1e6, (total or 0) / 1e6)
