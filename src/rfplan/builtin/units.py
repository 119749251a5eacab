"""The 148 units of the synthetic province: people, an outline and borders that meet the published areas.

Names, codes, areas and seats are the published ones (see ``NOTICE.md``); outline and borders are synthetic. A border is
an edge of a power diagram of the seats, whose weights are adjusted until every cell has its unit's area, seen through
a smooth random warp of the plane so that it bends as real borders do.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree
from scipy.special import ndtri

from rfplan.builtin.noise import Field, smooth_noise

if TYPE_CHECKING:
    from shapely import Polygon

F64 = npt.NDArray[np.float64]

TOTAL_AREA_KM2 = 9361.38
TOTAL_POPULATION = 4_022_638
MEDIAN_POPULATION = 24_110
WEST_DEG, EAST_DEG, SOUTH_DEG, NORTH_DEG = 104.812, 105.855, 20.307, 21.721
#: Published figures kept as they are, by unit code.
KNOWN_POPULATION = {"04795": 78_605, "07900": 73_006, "04891": 5_246}

_GRID_M = 500.0


def read_units() -> pd.DataFrame:
    """Return the packaged table: code, name, kind, area_km2, seat_lon, seat_lat (148 rows)."""
    with resources.files("rfplan.builtin").joinpath("phu_tho_units.csv").open("rb") as stream:
        return pd.read_csv(stream, dtype={"code": str})


def assign_population(score: F64, code: list[str]) -> npt.NDArray[np.int64]:
    """Deal out the province's people to its units by rank of ``score``.

    Parameters
    ----------
    score
        Shape (148,), higher is more populous.
    code
        The units' codes; those in `KNOWN_POPULATION` keep their published figure.

    Returns
    -------
    numpy.ndarray
        Shape (148,), people; sum and median are the published ones.
    """
    known = np.array([KNOWN_POPULATION.get(c, 0) for c in code], dtype=np.int64)
    order_score = np.where(known == max(KNOWN_POPULATION.values()), np.inf, score)
    order_score = np.where(known == 73_006, 1e9, order_score)
    order_score = np.where(known == min(KNOWN_POPULATION.values()), -np.inf, order_score)
    n = len(score)
    rank = np.empty(n, dtype=np.int64)
    rank[np.argsort(order_score, kind="stable")] = np.arange(n)
    z = ndtri((np.arange(n) + 0.5) / n)
    low, high = KNOWN_POPULATION["04891"] + 200, KNOWN_POPULATION["07900"] - 400
    middle = (n // 2 - 1, n // 2)

    def people(sigma: float) -> npt.NDArray[np.int64]:
        wanted = np.clip(MEDIAN_POPULATION * np.exp(sigma * z), low, high)
        ordered: npt.NDArray[np.int64] = np.rint(wanted).astype(np.int64)
        ordered[[0, -2, -1]] = sorted(KNOWN_POPULATION.values())
        gap = int(MEDIAN_POPULATION - ordered[middle[0]])
        ordered[middle[1]] = MEDIAN_POPULATION + gap
        return ordered

    small, large = 0.2, 0.9
    for _ in range(60):
        half = 0.5 * (small + large)
        small, large = (half, large) if people(half).sum() < TOTAL_POPULATION else (small, half)
    ordered = people(small)
    rest = int(TOTAL_POPULATION - ordered.sum())
    upper = np.arange(middle[1] + 20, n - 3)  # far from the median, and not a published figure
    ordered[upper] += rest // len(upper)
    ordered[upper[: rest % len(upper)]] += 1
    return ordered[rank]


@dataclass(frozen=True)
class Partition:
    """The outline and one polygon a unit, in metres of the working projection."""

    outline: Polygon
    polygons: tuple[Polygon, ...]


def partition(
    seat_x: F64, seat_y: F64, area_km2: F64, extent: tuple[float, float, float, float], seed: int
) -> Partition:
    """Split a synthetic province into units of the given areas.

    Parameters
    ----------
    seat_x, seat_y
        Seats, shape (n,), metres.
    area_km2
        Areas wanted, shape (n,).
    extent
        ``(west, south, east, north)`` in metres, which the outline touches on all four sides.
    seed
        Of the random warp.
    """
    west, south, east, north = extent
    field = Field(west - 10_000, north + 10_000, _GRID_M, int((north - south + 20_000) / _GRID_M) + 1,
                  int((east - west + 20_000) / _GRID_M) + 1)  # fmt: skip
    warp_x = smooth_noise(field, seed + 1, wavelength_m=13_000.0, octaves=2, gain=0.3) * 480.0
    warp_y = smooth_noise(field, seed + 2, wavelength_m=13_000.0, octaves=2, gain=0.3) * 480.0

    def warped(x: F64, y: F64) -> tuple[F64, F64]:
        return x + field.sample(warp_x, x, y), y + field.sample(warp_y, x, y)

    def unwarped(u: F64, v: F64) -> tuple[F64, F64]:
        x, y = u, v
        for _ in range(12):  # a contraction: the warp's gradient is well below one
            x, y = u - field.sample(warp_x, x, y), v - field.sample(warp_y, x, y)
        return x, y

    outline = _outline(field, seat_x, seat_y, area_km2, extent, seed)
    return Partition(outline, _cells(outline, seat_x, seat_y, area_km2, warped, unwarped))


def _outline(field: Field, seat_x: F64, seat_y: F64, area_km2: F64, extent: tuple[float, float, float, float],
             seed: int) -> Polygon:  # fmt: skip
    """Draw round the seats the level line of a soft distance that encloses the province's area."""
    import shapely
    from contourpy import contour_generator
    from shapely import Polygon

    x, y = field.coordinates()
    radius = np.sqrt(area_km2 * 1e6 / np.pi)
    nearness = np.zeros((field.ny, field.nx))
    for sx, sy, r in zip(seat_x, seat_y, radius, strict=True):
        nearness += (r * r / ((x[None, :] - sx) ** 2 + (y[:, None] - sy) ** 2 + r * r * 0.05)) ** 2.5
    distance = nearness ** (-1 / 5.0) + 0.10 * smooth_noise(field, seed + 3, wavelength_m=14_000.0, octaves=4)
    discs = list(shapely.buffer(shapely.points(seat_x, seat_y), 0.6 * radius, quad_segs=6))
    lines = contour_generator(x=x, y=y, z=distance)
    west, south, east, north = extent
    seats = (seat_x.min(), seat_y.min(), seat_x.max(), seat_y.max())

    def stretched(level: float) -> Polygon:
        rings = [Polygon(np.asarray(line)).buffer(0.0) for line in lines.lines(level) if len(line) > 3]
        merged = shapely.unary_union([*rings, *discs]).buffer(3_500.0, quad_segs=6).buffer(-3_500.0, quad_segs=6)
        whole = merged if merged.geom_type == "Polygon" else max(merged.geoms, key=lambda part: part.area)
        points = np.array(whole.exterior.coords)
        for axis, (low, high) in enumerate(((west, east), (south, north))):
            value = points[:, axis]
            first, last = seats[axis], seats[axis + 2]
            below, above = (first - low) / (first - value.min()), (high - last) / (value.max() - last)
            points[:, axis] = np.where(value < first, first - (first - value) * below,
                                       np.where(value > last, last + (value - last) * above, value))  # fmt: skip
        return Polygon(points)

    small, large = 0.6, 2.5
    for _ in range(20):
        half = 0.5 * (small + large)
        small, large = (half, large) if stretched(half).area < TOTAL_AREA_KM2 * 1e6 else (small, half)
    return stretched(small)


def _cells(
    outline: Polygon, seat_x: F64, seat_y: F64, area_km2: F64, warped: Any, unwarped: Any
) -> tuple[Polygon, ...]:
    """Fit the power diagram's weights to the areas, then cut the outline along its warped edges."""
    import shapely

    u, v = warped(seat_x, seat_y)
    west, south, east, north = outline.bounds
    gx, gy = np.meshgrid(np.arange(west, east, _GRID_M), np.arange(south, north, _GRID_M))
    inside = np.asarray(shapely.contains_xy(outline, gx, gy))
    pu, pv = warped(gx[inside], gy[inside])
    weight = _fit_weights(inside, pu, pv, u, v, area_km2 / area_km2.sum())
    warped_outline = _map_polygon(outline, warped).buffer(0.0)
    lines = [warped_outline.exterior]
    neighbours = np.argsort((u[:, None] - u) ** 2 + (v[:, None] - v) ** 2, axis=1)[:, 1:40]
    reach = 80_000.0
    for i in range(len(u)):
        cell = shapely.box(u[i] - reach, v[i] - reach, u[i] + reach, v[i] + reach)
        for j in neighbours[i]:
            cell = cell.intersection(_half_plane(u, v, weight, i, int(j), 4 * reach))
        lines.append(cell.exterior)
    noded = shapely.unary_union(
        shapely.intersection(np.array(lines, dtype=object), warped_outline.buffer(1.0)), grid_size=1.0
    )
    pieces = shapely.polygonize([shapely.segmentize(noded, 400.0)]).geoms
    return _assemble([p.intersection(warped_outline) for p in pieces], u, v, weight, unwarped)


def _fit_weights(inside: npt.NDArray[np.bool_], pu: F64, pv: F64, u: F64, v: F64, target: F64) -> F64:
    """Return the power diagram's weights (m²) that give every seat its share of the raster, by damped Newton steps."""
    n = len(u)
    weight = np.zeros(n)
    points = np.column_stack([pu, pv, np.zeros(len(pu))])
    apart = np.hypot(u[:, None] - u, v[:, None] - v) + np.eye(n)
    label = np.full(inside.shape, -1)
    best, least = weight, np.inf
    for _ in range(30):
        # Least power in the plane is least distance in space, with a seat lifted by the root of what its weight lacks.
        lifted = np.column_stack([u, v, np.sqrt(weight.max() - weight)])
        owner = cKDTree(lifted).query(points)[1]
        share = np.bincount(owner, minlength=n) / len(pu)
        error = target - share
        worst = float(np.abs(error / target).max())
        if worst < least:
            best, least = weight, worst
        if worst < 0.025:
            break
        label[inside] = owner
        border = np.zeros((n, n))
        for a, b in ((label[:, 1:], label[:, :-1]), (label[1:], label[:-1])):
            met = (a != b) & (a >= 0) & (b >= 0)
            np.add.at(border, (a[met], b[met]), 1.0)
        # Two cells' common border moves by dw / (2 d): its length in pixels, times the pixel, is the area it sweeps.
        flow = (border + border.T) * (np.pi / 4) * _GRID_M / (2 * apart) / (len(pu) * _GRID_M**2)
        laplacian = np.diag(flow.sum(axis=1)) - flow
        # Weights count only against each other: the first one stays at nought.
        step = np.linalg.solve(laplacian[1:, 1:] + 1e-14 * np.eye(n - 1), error[1:])
        weight = weight + 0.7 * np.concatenate([[0.0], step])
    return best


def _half_plane(u: F64, v: F64, weight: F64, i: int, j: int, reach: float) -> Polygon:
    """Return a large square on ``i``'s side of the line of equal power between ``i`` and ``j``."""
    from shapely import Polygon

    du, dv = u[j] - u[i], v[j] - v[i]
    d = float(np.hypot(du, dv))
    along = (d * d + weight[i] - weight[j]) / (2 * d)
    nu, nv = du / d, dv / d
    cu, cv = u[i] + nu * along, v[i] + nv * along
    side_u, side_v = -nv * reach, nu * reach
    return Polygon([(cu + side_u, cv + side_v), (cu - side_u, cv - side_v),
                    (cu - side_u - nu * reach, cv - side_v - nv * reach),
                    (cu + side_u - nu * reach, cv + side_v - nv * reach)])  # fmt: skip


def _assemble(pieces: list[Any], u: F64, v: F64, weight: F64, unwarped: Any) -> tuple[Polygon, ...]:
    """Give each piece to the unit of least power at its middle and return the units in the plain plane."""
    import shapely

    owned: list[list[Any]] = [[] for _ in range(len(u))]
    for piece in pieces:
        if piece.area < 1.0:
            continue
        p = piece.representative_point()
        owned[int(np.argmin((p.x - u) ** 2 + (p.y - v) ** 2 - weight))].append(piece)
    units = []
    for parts in owned:
        whole: Any = shapely.unary_union(parts)
        if whole.geom_type != "Polygon":
            whole = max(whole.geoms, key=lambda g: g.area)
        units.append(_map_polygon(whole, unwarped))
    return tuple(units)


def _map_polygon(polygon: Polygon, function: Any) -> Polygon:
    """Return ``polygon`` with ``function`` applied to its outer ring."""
    from shapely import Polygon

    points = np.array(polygon.exterior.coords)
    x, y = function(points[:, 0], points[:, 1])
    return Polygon(np.column_stack([x, y]))
