"""What a run keeps account of: stages and their times, inputs and their hashes, warnings, results kept on the way."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

import rfplan
from rfplan.errors import OutputError
from rfplan.io.atomic import make_folder, write_text
from rfplan.io.memo import Memo
from rfplan.scenario import Scenario

#: Called with (stage, done, in all); all is 0 where it is not known.
Progress = Callable[[str, float, float], None]

_PACKAGES = ("numpy", "scipy", "numba", "xarray", "rasterio", "pyproj", "shapely", "geopandas", "pandas", "highspy")


class Run:
    """The bookkeeping of one run: stages, their times, what was warned of, and the folder that keeps results."""

    def __init__(self, scenario: Scenario, out: Path | None, progress: Progress | None) -> None:
        self.scenario = scenario
        self.out = out
        self.progress = progress
        self.timings_s: dict[str, float] = {}
        self.inputs: list[dict[str, Any]] = []
        self.warnings: list[str] = []
        self.kept: list[str] = []
        self.memo = Memo(None if out is None else out / "stages")
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def inputs_folder(self) -> Path:
        """Return the folder for inputs that are made: ``inputs/``, or a passing one without an output folder."""
        if self.out is not None:
            return self.out / "inputs"
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="rfplan-")
        return Path(self._scratch.name)

    def close(self) -> None:
        """Remove what was only needed during the run."""
        if self._scratch is not None:
            self._scratch.cleanup()

    def tell(self, stage: str, done: float = 0.0, total: float = 0.0) -> None:
        """Report progress."""
        if self.progress is not None:
            self.progress(stage, done, total)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; note its end, or its failure, in ``stages/run.json``."""
        self.tell(name)
        start = time.perf_counter()
        error: BaseException | None = None
        try:
            yield
        except BaseException as caught:
            error = caught
            raise
        finally:
            self.timings_s[name] = round(time.perf_counter() - start, 3)
            self._record(name, "running" if error is None else "failed", error)
        self.tell(name, 1.0, 1.0)

    def finish(self) -> None:
        """Note in ``stages/run.json`` that every stage is done."""
        if self.timings_s:
            self._record(next(reversed(self.timings_s)), "done", None)

    def keep(self, name: str) -> Path | None:
        """Return the path of a result to be kept, or None when there is no output folder."""
        if self.out is None:
            return None
        self.kept.append(name)
        return self.out / "stages" / name

    def _record(self, stage: str, state: str, error: BaseException | None) -> None:
        if self.out is None:
            return
        record = {
            "scenario": self.scenario.name,
            "source": self.scenario.source,
            "state": state,
            "stage": stage,
            "error": None if error is None else f"{type(error).__name__}: {error}",
            "inputs": self.inputs,
            "timings_s": self.timings_s,
            "peak_memory_mb": peak_memory_mb(),
            "warnings": self.warnings,
            "kept": self.kept,
            "versions": dict(versions()),
        }
        try:
            write_text(self.out / "stages" / "run.json", json.dumps(record, ensure_ascii=False, indent=1) + "\n")
        except OutputError:
            if error is None:  # else a full disk must not hide the error that is on its way up
                raise


_LEFTOVER = re.compile(r"\..*[0-9a-f]{12}\.tmp.*|\.rfplan-report-.*")


@contextlib.contextmanager
def claimed(out: str | os.PathLike[str]) -> Iterator[Path]:
    """Keep an output folder to this process, and remove what a run that was killed left half written.

    May be entered again by the same process. The claim ends with the process, however it ends.

    Raises
    ------
    OutputError
        If the folder cannot be written, or another run is at work in it.
    """
    folder = make_folder(out)
    lock = FileLock(make_folder(folder / "stages") / ".lock", timeout=0, is_singleton=True)
    try:
        lock.acquire()
    except Timeout:
        raise OutputError(
            f"another run is writing into the output folder {folder}; wait for it or choose another folder"
        ) from None
    except OSError as error:
        raise OutputError(f"cannot lock the output folder {folder}: {error.strerror or error}") from error
    try:
        if lock.lock_counter == 1:
            for path in [p for p in sorted(folder.rglob(".*")) if _LEFTOVER.fullmatch(p.name)]:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        yield folder
    finally:
        lock.release()


def sha256(path: Path) -> str:
    """Return a file's SHA-256 as hexadecimal text."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@functools.cache  # reading a package's metadata takes 2 ms, and the record of a run is written stage by stage
def versions() -> Mapping[str, str]:
    """Return the versions of rfplan, Python and the packages that bear on the numbers."""
    found = {"rfplan": rfplan.__version__, "python": platform.python_version()}
    for name in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def peak_memory_mb() -> float | None:
    """Return the largest memory this process has held, in MB, where the system tells."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024.0**2 if platform.system() == "Darwin" else 1024.0)
