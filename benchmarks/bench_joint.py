"""Joint coverage by several imperfect servers on a synthetic instance: cost, proven bound and time.

python benchmarks/bench_joint.py [SECONDS]

Places and candidates are scattered at random in a square; the chance to be served falls with distance. Synthetic.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

import rfplan as rf

PLACES, CANDIDATES, REQUIRED = 12_000, 1_200, 0.95


def main() -> None:
    """Print a line a target."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    rng = np.random.default_rng(1)
    places, candidates = cKDTree(rng.random((PLACES, 2))), cKDTree(rng.random((CANDIDATES, 2)))
    near = places.sparse_distance_matrix(candidates, 0.06, output_type="coo_matrix")
    chance = 1.0 / (1.0 + np.exp((near.data - 0.025) * 190.0))
    kept = chance > 0.05
    chances = sparse.csc_matrix((chance[kept], (near.row[kept], near.col[kept])), shape=(PLACES, CANDIDATES))
    people = rng.integers(1, 100, PLACES).astype(float)
    cost = rng.integers(5, 9, CANDIDATES).astype(float)
    print(f"synthetic: {PLACES:,} places x {CANDIDATES:,} candidates, {chances.nnz:,} pairs, probability {REQUIRED}")
    for target in (0.95, 1.0):
        problem = rf.JointCover.from_matrix(chances, cost, required=REQUIRED, weight={"people": people}, target=target)
        relaxed: list[float] = []

        def note(stage: str, _best: float, bound: float, into: list[float] = relaxed) -> None:
            if stage == "linear relaxation":
                into.append(bound)

        found = problem.solve(seconds, 1, note)
        print(
            f"{100 * target:g} % of people: cost {found.objective:g}, bound {found.bound:g} (relaxation alone "
            f"{max(relaxed, default=float('nan')):g}), gap {100 * found.gap:.1f} %, {len(found.selected)} sites, "
            f"{found.time_s:.1f} s, ended by {found.ended_by}, verified {found.verified}"
        )


if __name__ == "__main__":
    main()
