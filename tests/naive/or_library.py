"""Reader of the OR-Library set-covering formats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import sparse


def read_or_library(path):
    """(covers csc, cost): rail files list each column's cost and rows, others each row's columns; from 1."""
    numbers = np.array(Path(path).read_text().split(), dtype=np.int64)
    m, n = int(numbers[0]), int(numbers[1])
    by_column = Path(path).name.startswith("rail")
    cost, lists = np.empty(n), []
    at = 2
    if by_column:
        for column in range(n):
            cost[column], count = numbers[at], int(numbers[at + 1])
            lists.append(numbers[at + 2 : at + 2 + count] - 1)
            at += 2 + count
    else:
        cost[:] = numbers[2 : 2 + n]
        at = 2 + n
        for _ in range(m):
            count = int(numbers[at])
            lists.append(numbers[at + 1 : at + 1 + count] - 1)
            at += 1 + count
    if at != len(numbers):
        raise ValueError(f"{path}: {len(numbers) - at} numbers are left over")
    pointer = np.concatenate([[0], np.cumsum([len(part) for part in lists])])
    data = np.ones(pointer[-1])
    if by_column:
        return sparse.csc_matrix((data, np.concatenate(lists), pointer), shape=(m, n)), cost
    return sparse.csr_matrix((data, np.concatenate(lists), pointer), shape=(m, n)).tocsc(), cost
