"""OR-Library set covering: value, bound and time. ``python benchmarks/bench_set_cover_published.py [seconds] [names]``.

The files are looked for in ``RFPLAN_REFERENCE_DIR`` or ``../shared/reference``; rows are from published tables.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from rfplan.optimize.problems import MatrixSetCover

ROOT = Path(__file__).resolve().parents[1]
# Loaded by its path: with tests/ on the search path, its folders would hide packages of the same name.
_spec = importlib.util.spec_from_file_location("or_library", ROOT / "tests" / "naive" / "or_library.py")
or_library = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(or_library)

FOLDER = Path(os.environ.get("RFPLAN_REFERENCE_DIR", ROOT.parent / "shared" / "reference")) / "setcover"
BEST_KNOWN = {"scp41": 429, "scp51": 253, "scp61": 138, "scpnrg1": 176, "rail507": 174}


def solve(name, time_limit_s):
    covers, cost = or_library.read_or_library(FOLDER / f"{name}.txt")
    return MatrixSetCover.from_matrix(covers, cost).solve(time_limit_s=time_limit_s, seed=1)


@pytest.mark.parametrize("name", ["scp41", "scp51", "scp61"])
def test_small_published_instances(benchmark, name):
    if not (FOLDER / f"{name}.txt").is_file():
        pytest.skip(reason=f"{name}.txt is not in {FOLDER}")
    solve("scp41", 5)
    solution = benchmark.pedantic(solve, args=(name, 60), rounds=1)
    assert (solution.objective, solution.status) == (BEST_KNOWN[name], "optimal")


if __name__ == "__main__":
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    print("instance   best known     value     bound    gap %   seconds")
    for wanted in sys.argv[2:] or BEST_KNOWN:
        found = solve(wanted, limit)
        print(
            f"{wanted:9s} {BEST_KNOWN.get(wanted, float('nan')):11g} {found.objective:9g} {found.bound:9g} "
            f"{100 * found.gap:8.2f} {found.time_s:9.1f}",
            flush=True,
        )
