"""Colouring of a conflict graph with soft preferences: physical cell identities and root sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from rfplan.kernels._jit import jit


@jit
def two_hop_kernel(pointer: Any, members: Any, out_pointer: Any, out: Any, fill: bool) -> int:
    """Neighbours and neighbours' neighbours of every node, itself left out, each once.

    With `fill` false only ``out_pointer`` (int64, n+1) is made; then ``out`` (int32) is filled. Returns the total.
    """
    n = pointer.shape[0] - 1
    seen = np.full(n, -1, np.int32)
    total = 0
    for node in range(n):
        out_pointer[node] = total
        seen[node] = node
        for k in range(pointer[node], pointer[node + 1]):
            near = members[k]
            if seen[near] != node:
                seen[near] = node
                if fill:
                    out[total] = near
                total += 1
            for q in range(pointer[near], pointer[near + 1]):
                far = members[q]
                if seen[far] != node:
                    seen[far] = node
                    if fill:
                        out[total] = far
                    total += 1
    out_pointer[n] = total
    return total


@jit
def colour_kernel(
    hard_pointer: Any, hard: Any, soft_pointer: Any, soft: Any, soft_weight: Any, moduli: Any, modulus_weight: Any,
    allowed: int, colour: Any,
) -> int:  # fmt: skip
    """Colour nodes so that hard neighbours differ, the most constrained node first; soft neighbours prefer to differ.

    A colour's soft cost is the weight of the soft neighbours that share it modulo each of ``moduli``, times
    ``modulus_weight``; among equal costs the colour used least so far wins, then the smaller. Nodes with a colour >= 0
    at the start keep it.

    Returns how many nodes found no colour free of hard conflicts (they get the least used colour among neighbours).
    """
    n = hard_pointer.shape[0] - 1
    used = np.zeros(allowed, np.int64)
    saturation = np.zeros(n, np.int32)
    taken = np.zeros((n, allowed), np.uint8)
    cost = np.empty(allowed, np.float64)
    for node in range(n):
        if colour[node] >= 0:
            used[colour[node]] += 1
            for k in range(hard_pointer[node], hard_pointer[node + 1]):
                if taken[hard[k], colour[node]] == 0:
                    taken[hard[k], colour[node]] = 1
                    saturation[hard[k]] += 1
    failed = 0
    while True:
        pick, best_saturation, best_degree = -1, -1, -1
        for node in range(n):
            if colour[node] < 0:
                degree = hard_pointer[node + 1] - hard_pointer[node]
                if saturation[node] > best_saturation or (saturation[node] == best_saturation and degree > best_degree):
                    pick, best_saturation, best_degree = node, saturation[node], degree
        if pick < 0:
            return failed
        cost[:] = 0.0
        for k in range(soft_pointer[pick], soft_pointer[pick + 1]):
            other = colour[soft[k]]
            if other >= 0:
                for index in range(moduli.shape[0]):
                    modulus = moduli[index]
                    penalty = modulus_weight[index] * soft_weight[k]
                    for value in range(other % modulus, allowed, modulus):
                        cost[value] += penalty
        choice = -1
        for value in range(allowed):
            if taken[pick, value] == 0 and (
                choice < 0 or cost[value] < cost[choice] or (cost[value] == cost[choice] and used[value] < used[choice])
            ):
                choice = value
        if choice < 0:
            failed += 1
            choice = 0
            for value in range(allowed):
                if used[value] < used[choice]:
                    choice = value
        colour[pick] = choice
        used[choice] += 1
        for k in range(hard_pointer[pick], hard_pointer[pick + 1]):
            if taken[hard[k], choice] == 0:
                taken[hard[k], choice] = 1
                saturation[hard[k]] += 1
