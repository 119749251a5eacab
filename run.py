#!/usr/bin/env python3
"""Set up and run rfplan with nothing but Python 3.11 or newer: standard library only.

    python3 run.py plan [SCENARIO] [OPTIONS]   run the main job (default: the built-in synthetic scenario phu-tho)
    python3 run.py test [PYTEST OPTIONS]       run the tests: jitted, then the un-jitted and the bounds-checked subsets
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
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "rfplan-stamp.json"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
MINIMUM = (3, 11)


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


def run(*command: str, **variables: str) -> int:
    """Run a command of the environment and return its exit code."""
    try:
        return subprocess.call(list(command), cwd=ROOT, env={**os.environ, **variables})
    except KeyboardInterrupt:
        return 130


def plan(arguments: list[str]) -> int:
    """Run the main job; without a scenario the built-in one, into out/phu-tho."""
    setup([])
    if not arguments or arguments[0].startswith("-"):
        arguments = ["phu-tho", *arguments]
    return run(str(PYTHON), "-m", "rfplan", "plan", *arguments)


def test(arguments: list[str]) -> int:
    """Run the whole suite jitted, then the marked subsets without the JIT and with bounds checks."""
    setup(["test"])
    pytest = [str(PYTHON), "-m", "pytest"]
    if arguments:
        return run(*pytest, *arguments)
    subsets = [
        ("un-jitted subset", ["-m", "nojit"], {"NUMBA_DISABLE_JIT": "1"}),
        ("bounds-checked subset", ["-m", "boundscheck"], {"NUMBA_BOUNDSCHECK": "1"}),
        ("whole suite", ["-m", "not slow", "--durations=15"], {}),
    ]
    worst = 0
    for name, options, variables in subsets:
        print(f"\nrun.py: {name}", flush=True)
        worst = run(*pytest, *options, **variables) or worst
    return worst


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
