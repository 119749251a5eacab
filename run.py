#!/usr/bin/env python3
"""Set up and run rfplan with nothing but Python 3.11 or newer: standard library only.

    python3 run.py plan [SCENARIO] [OPTIONS]   run the main job (default: the built-in synthetic scenario phu-tho)
    python3 run.py test [PYTEST OPTIONS]       run the tests, and the marked subsets un-jitted and bounds-checked
    python3 run.py setup [EXTRA ...]           only make or repair the environment (extras: test, dev, docs)

The environment lives in .venv beside this file. A stamp written after the last install step says that it is
whole and which pyproject.toml and Python it was made for; without a valid stamp it is deleted and made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "rfplan-stamp.json"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
MINIMUM = (3, 11)
INTERRUPTED = 2  # exit code of pytest
PRINTING = threading.Lock()


class Job(NamedTuple):
    """One call of pytest."""

    name: str
    options: list[str]
    variables: tuple[tuple[str, str], ...] = ()


def digest() -> str:
    """What the environment depends on: the declared dependencies, the interpreter and where the tree stands."""
    parts = (ROOT / "pyproject.toml").read_bytes() + sys.version.encode() + str(ROOT).encode()
    return hashlib.sha256(parts).hexdigest()


def installed_extras() -> list[str] | None:
    """Extras the environment was completed with, or None where it must be made anew."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(stamp, dict) or stamp.get("digest") != digest() or not PYTHON.exists():
        return None
    return [str(extra) for extra in stamp.get("extras", [])]


def pip(*arguments: str) -> None:
    """Run pip of the environment; a failure ends the program with its exit code."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", *arguments]
    code = subprocess.call(command, cwd=ROOT)
    if code:
        sys.exit(f"run.py: '{' '.join(command)}' failed with exit code {code}; run again once it can succeed")


def setup(extras: list[str]) -> None:
    """Make or repair the environment so that it holds rfplan and the extras asked for."""
    have = installed_extras()
    if have is None:
        if VENV.exists():
            print(f"run.py: {VENV.name} is unfinished or stale; making it again", flush=True)
            shutil.rmtree(VENV)
        print(f"run.py: making {VENV.name} and installing rfplan (once, a few minutes)", flush=True)
        import venv

        try:
            venv.EnvBuilder(with_pip=True).create(VENV)
        except (Exception, SystemExit) as error:
            shutil.rmtree(VENV, ignore_errors=True)
            sys.exit(
                f"run.py: could not make a virtual environment ({error}); on Debian install python3-venv and run again"
            )
        have = []
    elif set(extras) <= set(have):
        return
    else:
        # Until the new extras are in, the environment counts as unfinished.
        STAMP.unlink()
    wanted = sorted(set(have) | set(extras))
    suffix = f"[{','.join(wanted)}]" if wanted else ""
    pip("install", "--quiet", "--editable", f".{suffix}")
    STAMP.write_text(json.dumps({"digest": digest(), "extras": wanted}), encoding="utf-8")


def run(*command: str) -> int:
    """Run a command of the environment and return its exit code."""
    try:
        return subprocess.call(list(command), cwd=ROOT)
    except KeyboardInterrupt:
        return 130


def plan(arguments: list[str]) -> int:
    """Run the main job; without a scenario the built-in one, into out/phu-tho."""
    setup([])
    if not arguments or arguments[0].startswith("-"):
        arguments = ["phu-tho", *arguments]
    return run(str(PYTHON), "-m", "rfplan", "plan", *arguments)


def lanes() -> list[list[Job]]:
    """The suite in two halves of like length, for two cores. One of them names its files, the other takes all the rest.

    The subsets compile kernels of their own, so they run while the other half compiles those that the rest shares.
    """
    first = [ROOT / "tests" / name for name in ("coverage", "antenna", "builtin", "calibration")]
    named = [str(path.relative_to(ROOT)) for path in [*first, *sorted((ROOT / "tests").glob("test_*.py"))]]
    suite = ["-m", "not slow", "--durations=15"]
    return [
        [Job("suite, first half", [*suite, *named])],
        [
            Job("un-jitted subset", ["-m", "nojit"], (("NUMBA_DISABLE_JIT", "1"),)),
            Job("bounds-checked subset", ["-m", "boundscheck"], (("NUMBA_BOUNDSCHECK", "1"),)),
            Job("suite, second half", [*suite, *(f"--ignore={path}" for path in named)]),
        ],
    ]


def run_lane(jobs: list[Job]) -> int:
    """Run jobs one after the other, each one's output printed at its end, and return the worst exit code."""
    worst = 0
    for job in jobs:
        began = time.monotonic()
        command = [str(PYTHON), "-m", "pytest", *job.options]
        variables = {**os.environ, **dict(job.variables)}
        done = subprocess.run(
            command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        text = done.stdout.decode(errors="replace")
        with PRINTING:
            print(f"\nrun.py: {job.name}, {time.monotonic() - began:.0f} s\n{text}", flush=True)
        worst = worst or done.returncode
        if done.returncode == INTERRUPTED:
            break
    return worst


def test(arguments: list[str]) -> int:
    """Run the whole suite jitted, and the marked subsets without the JIT and with bounds checks."""
    setup(["test"])
    if arguments:
        return run(str(PYTHON), "-m", "pytest", *arguments)
    print("run.py: running the tests; each part is printed when it is done", flush=True)
    try:
        with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
            codes = list(pool.map(run_lane, lanes()))
    except KeyboardInterrupt:
        return 130
    return next((code for code in codes if code), 0)


def main() -> int:
    """Dispatch on the first word."""
    if sys.version_info < MINIMUM:
        sys.exit(f"run.py: Python {'.'.join(map(str, MINIMUM))} or newer is needed; this is {sys.version.split()[0]}")
    verb, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("help", [])
    if verb == "plan":
        return plan(arguments)
    if verb == "test":
        return test(arguments)
    if verb == "setup":
        setup(arguments)
        return 0
    print(__doc__)
    return 0 if verb in ("help", "-h", "--help") else 2


if __name__ == "__main__":
    sys.exit(main())
