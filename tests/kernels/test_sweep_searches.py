"""What a radial is asked, against looking at every point."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from rfplan.kernels import sweep_rows as rows, sweep_state as m

STEP_KM = 0.03
C = 0.059
TX_M = 140.0


class Radial:
    """A radial over random ground with clutter, all points inserted."""

    def __init__(self, seed: int, last: int) -> None:
        rng = np.random.default_rng(seed)
        side = last + 70
        scale = rng.choice([0.0, 0.3, 6.0])  # flat ground, too, where every point stays on the hull
        line = 100.0 + np.cumsum(rng.normal(size=side) * scale)
        elevation = np.tile(line, (3, 1))
        clutter = np.tile(rng.choice([0.0, 12.0], size=side), (3, 1)).astype(np.float32)
        f = np.zeros(rows.N_FRAME)
        f[rows.TX], f[rows.BASE], f[rows.C], f[rows.SPACING] = TX_M, line[0], C, STEP_KM
        f[rows.CLUTTER] = -12.0
        f[rows.TX_ROW], f[rows.WAY_COL] = 1.0, 1.0
        self.state = np.empty(m.N_SCALARS)
        self.lines = np.full((m.N_LINES, last + 1 + m.AHEAD), np.nan)
        self.blocks = np.full((m.N_BLOCK_ROWS, (last // (m.BLOCK * m.GROUP) + 1) * m.GROUP), m.NOWHERE)
        self.hull_h = np.zeros((m.N_HULL, last + 1))
        self.hull_g = np.zeros((m.N_HULL, last + 1))
        ahead = np.empty(m.N_AHEAD)
        m.clear_state(self.state)
        for i in range(1, last + 1):
            if i % m.AHEAD == 0 or i == 1:
                m.read_ahead(ahead, self.lines, i - i % m.AHEAD, self.blocks, elevation, clutter, f)
            m.insert_point(i, self.state, self.lines, self.hull_h, self.hull_g, f)
        self.last = last
        self.d = STEP_KM * np.arange(last + 1)
        self.h = line[: last + 1]
        self.g = self.h + clutter[0, : last + 1]


@pytest.fixture(params=[(seed, last) for seed, last in enumerate([5, 15, 16, 17, 63, 64, 65, 127, 128, 129, 300, 520])])
def radial(request: pytest.FixtureRequest) -> Radial:
    return Radial(*request.param)


def slopes(radial: Radial, top: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return (top - TX_M) / radial.d - C * radial.d


def test_highest_nu_in_sight(radial: Radial) -> None:
    x = radial.d[-1] + 6 * STEP_KM
    for row, block_row, top in ((m.SLOPE_H, m.TOP_SLOPE_H, radial.h), (m.SLOPE_G, m.TOP_SLOPE_G, radial.g)):
        s = slopes(radial, top)[1:]
        d = radial.d[1:]
        for lift in (0.1, 3.0, 40.0):
            for change in (0.0, 0.03):
                bent = s + change * d
                sight = float(bent.max()) + lift
                value = (sight - bent) ** 2 * d / (x - d)
                where = (radial.lines, row, radial.blocks, block_row, radial.last, STEP_KM, x, sight, change)
                for guess in (0, 1, radial.last // 2, radial.last):
                    found = m.los_search(*where, 1e300, guess)
                    assert value[found - 1] == pytest.approx(value.min(), rel=1e-12)
                assert m.los_search(*where, 0.999 * float(value.min()), 0) == 0


def test_roughness(radial: Radial) -> None:
    rng = np.random.default_rng(3)
    for _ in range(10):
        w = np.zeros(rows.N_BLOCK)
        first, last = np.sort(rng.integers(1, radial.last + 1, size=(2, rows.LANES)), axis=0)
        slope = rng.normal(size=rows.LANES) * 20.0
        start = rng.normal(size=rows.LANES) * 50.0 + 100.0
        before = rng.choice([-1e3, 0.0, 1e3], size=rows.LANES)
        for row, values in ((rows.MIDDLE, first), (rows.SOUGHT, last), (rows.SLOPE, slope), (rows.START, start)):
            w[row : row + rows.LANES] = values
        w[rows.ROUGH : rows.ROUGH + rows.LANES] = before
        w[rows.MIDDLE], w[rows.SOUGHT] = 1e9, -1.0  # one path without any
        m.roughness(w, radial.lines, radial.blocks, STEP_KM)
        found = w[rows.ROUGH : rows.ROUGH + rows.LANES]
        assert found[0] == before[0]
        for j in range(1, rows.LANES):
            above = (radial.h - start[j] - slope[j] * radial.d)[first[j] : last[j] + 1]
            assert found[j] == pytest.approx(max(float(above.max()), before[j]), abs=1e-9)


def test_tangent(radial: Radial) -> None:
    x = radial.d[-1] + 6 * STEP_KM
    for size_at, hull, top in ((m.HULL_H, radial.hull_h, radial.h), (m.HULL_G, radial.hull_g, radial.g)):
        size = int(radial.state[size_at])
        y = (top - C * radial.d**2)[1:]
        for y_rx in (-200.0, 60.0, 100.0, 250.0):
            seen = (y - y_rx) / (x - radial.d[1:])
            for guess in (0, size // 2, size - 1, size + 3):
                position = m.tangent(hull, size, STEP_KM, x, y_rx, guess)
                assert seen[int(hull[m.AT, position]) - 1] == pytest.approx(float(seen.max()), rel=1e-12, abs=1e-12)


def test_running_maxima_and_sums(radial: Radial) -> None:
    for first, top in ((m.BEST_H, radial.h), (m.BEST_G, radial.g)):
        s = slopes(radial, top)[1:]
        assert radial.state[first] == pytest.approx(float(s.max()), rel=1e-12)
        assert s[int(radial.state[first + 1]) - 1] == pytest.approx(float(s.max()), rel=1e-12)
    rise = radial.h - radial.h[0]
    v1 = STEP_KM * float((rise[1:] + rise[:-1]).sum())
    d = radial.d
    v2 = STEP_KM * float((rise[1:] * (2 * d[1:] + d[:-1]) + rise[:-1] * (d[1:] + 2 * d[:-1])).sum())
    assert radial.lines[m.V1, radial.last] == pytest.approx(v1, rel=1e-9, abs=1e-9)
    assert radial.lines[m.V2, radial.last] == pytest.approx(v2, rel=1e-9, abs=1e-9)
