"""Small roll-outs solved exactly: one copy of the problem a year, columns never leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from rfplan.optimize.effort import Effort
from rfplan.optimize.highs import LinearModel, run_highs
from rfplan.optimize.instance import NEED_TOLERANCE, FloatArray
from rfplan.optimize.openings import make_openings

if TYPE_CHECKING:
    from rfplan.optimize.rollout import MatrixRollOut


def solve_years_exactly(
    problem: MatrixRollOut, time_limit_s: float, seed: int
) -> tuple[dict[int, list[int]] | None, float, bool]:
    """Best schedule that meets every milestone, the proven bound on its value, and whether any exists.

    Variables are x[j, t] (built by the end of year t), y[i, t] (covered then) and, with opening costs, z[s, t] (site s
    open then); maximise the discounted weight. What is built stays, and a site is open just when any of its columns is
    built: its cost counts in the first such year, and may not be paid ahead from an earlier year's money.
    """
    m, n = problem.matrix.shape
    holds, opening = _held_sites(problem)
    n_sites = len(opening)
    years = list(problem.budgets)
    count = len(years)
    covers = problem.matrix.to_csc().tocsr()
    wants = -sparse.diags(problem.required.astype(np.float64))
    one_year = sparse.vstack(
        [sparse.hstack([covers, wants, sparse.csr_matrix((m, n_sites))]), holds], format="csr"
    )  # both are >= 0
    blocks = [sparse.block_diag([one_year] * count, format="csr")]
    low, high = [np.zeros(blocks[0].shape[0])], [np.full(blocks[0].shape[0], np.inf)]
    size = n + m + n_sites
    stay = sparse.identity(size, format="csr")[np.r_[:n, n + m : size]]
    spend = sparse.csr_matrix(np.concatenate([problem.cost, np.zeros(m), opening])[None, :])
    gained = np.concatenate([np.zeros(n), problem.weight, np.zeros(n_sites)])
    money = np.array(list(problem.budgets.values()))
    for t, year in enumerate(years):
        now = _at(t, spend, count, size)
        if t:
            blocks.append(_at(t, stay, count, size) - _at(t - 1, stay, count, size))
            low.append(np.zeros(n + n_sites))
            high.append(np.full(n + n_sites, np.inf))
        before = _at(t - 1, spend, count, size) if t and not problem.carry_over else 0 * now
        blocks.append(now - before)
        low.append(np.array([-np.inf]))
        high.append(np.array([money[: t + 1].sum() if problem.carry_over else money[t]]))
        if year in problem.milestones:
            need = problem.milestones[year] * problem.total - problem.already
            blocks.append(_at(t, sparse.csr_matrix(gained[None, :]), count, size))
            low.append(np.array([need - NEED_TOLERANCE * abs(need)]))
            high.append(np.array([np.inf]))
    pairs = problem.rules.conflict_pairs(n)
    if len(pairs):
        index = np.repeat(np.arange(len(pairs)), 2)
        rows = sparse.csr_matrix((np.ones(2 * len(pairs)), (index, pairs.ravel())), shape=(len(pairs), size))
        blocks.append(_at(count - 1, rows, count, size))
        low.append(np.full(len(pairs), -np.inf))
        high.append(np.ones(len(pairs)))
    lower, upper = np.zeros((count, size)), np.ones((count, size))
    lower[:, list(problem.rules.fixed)] = 1.0
    upper[:, list(problem.rules.forbidden)] = 0.0
    # A row that one column covers is whole by itself; one that wants several must be told not to count in part.
    integer = np.tile(np.concatenate([np.ones(n, np.bool_), problem.required > 1, np.ones(n_sites, np.bool_)]), count)
    cost = -np.concatenate([worth * gained for worth in problem.discount])
    model = LinearModel(
        cost,
        lower.ravel(),
        upper.ravel(),
        sparse.vstack(blocks, format="csr"),
        np.concatenate(low),
        np.concatenate(high),
        integer,
    )
    result = run_highs(model, effort=Effort.within(time_limit_s), seed=seed)
    if result.status == "infeasible":
        return None, -np.inf, False
    if result.x is None:
        return None, -result.bound, True
    built = result.x.reshape(count, size)[:, :n] > 0.5
    first = np.where(built.any(axis=0), built.argmax(axis=0), -1)
    return (
        {year: np.flatnonzero(first == t).tolist() for t, year in enumerate(years)},
        float(-result.bound),
        True,
    )


def _held_sites(problem: MatrixRollOut) -> tuple[sparse.csr_matrix, FloatArray]:
    """Rows z_s - Σ x_j >= 0 over columns of a site that exclude each other, rows Σ x_j - z_s >= 0 over all of a site's
    columns, and what opening each site costs.

    Only columns that the rules exclude may share a row: of two columns one of which covers all the other does, a
    schedule may well build the lesser first and the better once there is money for it.
    """
    m, n = problem.matrix.shape
    rules = problem.rules
    if rules.site_of is None:
        return sparse.csr_matrix((0, n + m)), np.zeros(0)
    none, free = np.zeros((0, 2), np.int64), np.zeros(n, np.uint8)
    given = rules.site_of, rules.opening_cost, np.zeros(0, np.int32), free, rules.conflict_pairs(n)
    openings = make_openings(*given, none)
    members = np.flatnonzero(openings.clique >= 0)
    clique, site = openings.clique[members], openings.site_of[members]
    n_cliques = int(clique.max()) + 1 if len(members) else 0
    site_of_clique = np.zeros(n_cliques, np.int64)
    site_of_clique[clique] = site
    shape = (n_cliques, n + m + len(openings.cost))
    opens = sparse.csr_matrix((np.ones(n_cliques), (np.arange(n_cliques), n + m + site_of_clique)), shape=shape)
    holds = opens - sparse.csr_matrix((np.ones(len(members)), (clique, members)), shape=shape)
    n_sites = len(openings.cost)
    built = sparse.csr_matrix((np.ones(len(members)), (site, members)), shape=(n_sites, n + m))
    needed = sparse.hstack([built, -sparse.identity(n_sites)])
    return sparse.vstack([holds, needed], format="csr"), openings.cost


def _at(year: int, rows: sparse.csr_matrix, count: int, size: int) -> sparse.csr_matrix:
    """Rows of one year's variables placed among all years'."""
    k = rows.shape[0]
    return sparse.hstack(
        [sparse.csr_matrix((k, year * size)), rows, sparse.csr_matrix((k, (count - year - 1) * size))], format="csr"
    )
