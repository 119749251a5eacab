"""The choice of sites beside plain greedy on the SRTM scenario: sites, cost, proven bound, gap.

``python benchmarks/compare_greedy.py --data-dir FOLDER [--seconds 60] [--seed 1]`` predicts the existing network of
``examples/phu_tho_srtm.toml`` and its candidates, then solves for every coverable pixel, for 99.9 % of the coverable
people, and for the same with 99 % of the area. Plain greedy takes the site with the most of what is still missing for
its cost until the target is met, and stops there. Existing stations are synthetic; ground and people are real.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from rfplan.optimize import TargetCover, find_candidates
from rfplan.optimize.greedy import greedy
from rfplan.optimize.problems import MatrixTargetCover
from rfplan.plan import run_prediction
from rfplan.scenario import load_scenario

SCENARIO = Path(__file__).resolve().parents[1] / "examples" / "phu_tho_srtm.toml"
TARGETS = {
    "every coverable pixel": {"people": 1.0, "area_km2": 1.0},
    "99.9 % of people": {"people": 0.999},
    "99.9 % of people, 99 % of area": {"people": 0.999, "area_km2": 0.99},
}


def prepared(data_dir):
    scenario = load_scenario(SCENARIO, data_dir=data_dir)
    predicted = run_prediction(scenario)
    given = predicted.inputs
    candidates = find_candidates(
        given.terrain,
        given.demand,
        given.network,
        rules=scenario.make_rules(),
        technology=scenario.coverage.technology,
    )
    return TargetCover(predicted.coverage, given.demand, candidates).prepare(), candidates


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True, help="folder with dem/, admin/, population/, antennas/")
    parser.add_argument("--seconds", type=float, default=60.0, help="time limit of each solve")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    ready, candidates = prepared(given.data_dir)
    matrix = ready.covers.matrix
    print(f"{matrix.shape[1]:,} candidates x {matrix.shape[0]:,} uncovered pixels, {matrix.nnz:,} pairs")
    before = {"people": ready.people.before, "area_km2": ready.area.before}
    print(f"{'target':32s} {'greedy':>16s} {'rfplan':>16s} {'bound':>8s} {'gap %':>6s} {'s':>6s}  ended by")
    for name, target in TARGETS.items():
        problem = MatrixTargetCover(
            matrix, candidates.cost, ready.measures, target, before, np.ones(matrix.shape[0], np.int32)
        )
        plain = greedy(problem.as_instance())
        found = problem.solve(given.seconds, given.seed)
        print(
            f"{name:32s} {len(plain):5d} {candidates.cost[plain].sum():10.1f} {len(found.selected):5d} "
            f"{found.objective:10.1f} {found.bound:8.1f} {100 * found.gap:6.2f} {found.time_s:6.1f}  {found.ended_by}"
            f"{'' if found.verified else ' NOT VERIFIED'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
