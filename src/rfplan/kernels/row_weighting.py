"""Row-weighting local search for full cover: swap columns, and make rows that stay uncovered count for more.

The walk works below the best cost so far: a complete cover is recorded, then columns are dropped; while rows are
uncovered, a random one of them is served by the column with the most weighted gain per cost, unless that would cost as
much as the best cover. Rows still uncovered gain weight, which drives the walk elsewhere. A column may come back only
after a neighbour of it changed, and the column just added is not the next to go.

Columns are handed on as int64: a constant or an int32 would have the callee compiled once more.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rfplan.kernels._jit import jit


@jit
def _random_below(state: Any, limit: int) -> Any:
    """A number in 0…limit-1 from the 64-bit xorshift state in ``state[0]``; the same on every machine."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return np.int64((x >> np.uint64(11)) % np.uint64(limit))


@jit
def _uncover(row: int, uncovered: Any, place: Any, counters: Any) -> None:
    place[row] = counters[0]
    uncovered[counters[0]] = row
    counters[0] += 1


@jit
def _recover(row: int, uncovered: Any, place: Any, counters: Any) -> None:
    last = uncovered[counters[0] - 1]
    uncovered[place[row]] = last
    place[last] = place[row]
    place[row] = -1
    counters[0] -= 1


@jit
def _add(
    column: Any, problem: Any, member: Any, count: Any, weight: Any, score: Any, fresh: Any, lists: Any, counters: Any
) -> None:
    """Put a column in; scores of the columns that share its rows follow."""
    col_ptr, col_rows, row_ptr, row_cols, required, _cost = problem
    uncovered, place, chosen, seat = lists
    member[column] = 1
    seat[column] = counters[1]
    chosen[counters[1]] = column
    counters[1] += 1
    own = 0
    counters[3] += col_ptr[column + 1] - col_ptr[column]
    for k in range(col_ptr[column], col_ptr[column + 1]):
        row = col_rows[k]
        before, want = count[row], required[row]
        count[row] = before + 1
        if before + 1 == want:
            # Covered now: outsiders lose this gain, every member of the row is needed.
            _recover(row, uncovered, place, counters)
            counters[3] += row_ptr[row + 1] - row_ptr[row]
            for q in range(row_ptr[row], row_ptr[row + 1]):
                other = row_cols[q]
                if other == column:
                    own += weight[row]
                elif member[other] == 0:
                    score[other] -= weight[row]
                    fresh[other] = 1
                else:
                    score[other] += weight[row]
        elif before == want:
            # Over-covered: the members that were needed no longer are.
            counters[3] += row_ptr[row + 1] - row_ptr[row]
            for q in range(row_ptr[row], row_ptr[row + 1]):
                other = row_cols[q]
                if other != column and member[other] == 1:
                    score[other] -= weight[row]
    score[column] = own


@jit
def _drop(
    column: int, problem: Any, member: Any, count: Any, weight: Any, score: Any, fresh: Any, lists: Any, counters: Any
) -> None:
    """Take a column out; scores of the columns that share its rows follow."""
    col_ptr, col_rows, row_ptr, row_cols, required, _cost = problem
    uncovered, place, chosen, seat = lists
    member[column] = 0
    last = chosen[counters[1] - 1]
    chosen[seat[column]] = last
    seat[last] = seat[column]
    counters[1] -= 1
    own = 0
    counters[3] += col_ptr[column + 1] - col_ptr[column]
    for k in range(col_ptr[column], col_ptr[column + 1]):
        row = col_rows[k]
        before, want = count[row], required[row]
        count[row] = before - 1
        if before == want:
            _uncover(row, uncovered, place, counters)
            counters[3] += row_ptr[row + 1] - row_ptr[row]
            for q in range(row_ptr[row], row_ptr[row + 1]):
                other = row_cols[q]
                if other == column:
                    own += weight[row]
                elif member[other] == 0:
                    score[other] += weight[row]
                    fresh[other] = 1
                else:
                    score[other] -= weight[row]
        elif before == want + 1:
            counters[3] += row_ptr[row + 1] - row_ptr[row]
            for q in range(row_ptr[row], row_ptr[row + 1]):
                other = row_cols[q]
                if other != column and member[other] == 1:
                    score[other] += weight[row]
        elif before < want:
            own += weight[row]
    score[column] = own
    fresh[column] = 0


@jit
def _cheapest_loss(score: Any, cost: Any, stamp: Any, lists: Any, counters: Any, taboo: Any, random: Any) -> int:
    """The member with the least weighted loss per cost, the oldest among equals; large covers are sampled."""
    chosen = lists[2]
    size = counters[1]
    looks = size if size <= 400 else 120
    best = -1
    for look in range(looks):
        column = chosen[look] if size <= 400 else chosen[_random_below(random, size)]
        if column == taboo:
            continue
        if best < 0:
            best = column
            continue
        left, right = score[column] * cost[best], score[best] * cost[column]
        if left < right or (left == right and stamp[column] < stamp[best]):
            best = column
    return best


@jit
def start_kernel(problem: Any, columns: Any, member: Any, count: Any, weight: Any, score: Any, fresh: Any, lists: Any,
                 counters: Any) -> None:  # fmt: skip
    """Set the state up from nothing selected, then add the given columns."""
    _col_ptr, _col_rows, row_ptr, row_cols, required, _cost = problem
    for row in range(row_ptr.shape[0] - 1):
        weight[row] = 1
        if required[row] > 0:
            _uncover(row, lists[0], lists[1], counters)
            counters[3] += row_ptr[row + 1] - row_ptr[row]
            for q in range(row_ptr[row], row_ptr[row + 1]):
                score[row_cols[q]] += 1
    fresh[:] = 1
    for k in range(columns.shape[0]):
        _add(np.int64(columns[k]), problem, member, count, weight, score, fresh, lists, counters)


@jit
def walk_kernel(problem: Any, state: Any, totals: Any, best: Any, random: Any, steps: int, touches: int) -> int:
    """Walk `steps` steps, or until `touches` entries were touched in all.

    ``best`` (uint8) holds the best cover, ``totals`` its cost [1] and the walk's cost [0]; ``counters``, the last of
    the state, the number of uncovered rows [0], of members [1], of steps made [2] and of entries touched [3].
    Returns how many times the best cover improved.
    """
    member, count, weight, score, fresh, stamp, lists, counters = state
    cost = problem[5]
    row_ptr, row_cols = problem[2], problem[3]
    improved = 0
    taboo = np.int64(-1)
    for _ in range(steps):
        if counters[3] >= touches:
            break
        counters[2] += 1
        counters[3] += min(counters[1], 400)
        while counters[0] == 0 and counters[1] > 0:
            if totals[0] < totals[1] - 1e-9 * (1.0 + abs(totals[1])):
                totals[1] = totals[0]
                best[:] = member
                improved += 1
            column = _cheapest_loss(score, cost, stamp, lists, counters, np.int64(-1), random)
            _drop(column, problem, member, count, weight, score, fresh, lists, counters)
            totals[0] -= cost[column]
            stamp[column] = counters[2]
        if counters[0] == 0:
            return improved
        column = _cheapest_loss(score, cost, stamp, lists, counters, taboo, random)
        if column >= 0:
            _drop(column, problem, member, count, weight, score, fresh, lists, counters)
            totals[0] -= cost[column]
            stamp[column] = counters[2]
        while counters[0] > 0:
            row = lists[0][_random_below(random, counters[0])]
            pick = np.int64(-1)
            counters[3] += row_ptr[row + 1] - row_ptr[row]
            for q in range(row_ptr[row], row_ptr[row + 1]):
                other = row_cols[q]
                if member[other] == 1 or fresh[other] == 0:
                    continue
                if pick < 0:
                    pick = other
                    continue
                left, right = score[other] * cost[pick], score[pick] * cost[other]
                if left > right or (left == right and stamp[other] < stamp[pick]):
                    pick = other
            stuck = pick < 0 or totals[0] + cost[pick] >= totals[1] - 1e-9 * (1.0 + abs(totals[1]))
            if not stuck:
                _add(pick, problem, member, count, weight, score, fresh, lists, counters)
                totals[0] += cost[pick]
                stamp[pick] = counters[2]
                taboo = pick
            for u in range(counters[0]):
                late = lists[0][u]
                weight[late] += 1
                counters[3] += row_ptr[late + 1] - row_ptr[late]
                for q in range(row_ptr[late], row_ptr[late + 1]):
                    if member[row_cols[q]] == 0:
                        score[row_cols[q]] += 1
            if stuck:
                break
    return improved
