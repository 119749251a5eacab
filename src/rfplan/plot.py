"""Plots for notebooks and papers: coverage maps, path profiles, cost–coverage curves (matplotlib on first use)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from rfplan.colours import COVERED, GAP, TECHNOLOGY, hillshade, signal_scale
from rfplan.constants import EARTH_RADIUS_KM, SPEED_OF_LIGHT_M_S
from rfplan.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rfplan.coverage import Coverage
    from rfplan.plan import Baseline
    from rfplan.profile import PathProfile
    from rfplan.terrain import Terrain

FloatArray = npt.NDArray[np.float64]
Layer = Literal["rsrp_dbm", "covered", "margin_db", "best_server"]
Extent = tuple[float, float, float, float]
LAYERS = ("rsrp_dbm", "covered", "margin_db", "best_server")
STANDARD_LAPSE = 157.0
"""Lapse of refractivity that would make a ray follow the ground, N-units/km (P.1812-8, equation 7a)."""


@dataclass(frozen=True)
class PathGeometry:
    """What a path clears and what it strikes, on an Earth of effective radius.

    Attributes
    ----------
    distance_km : float64 (n,)
    ground_m, surface_m : float64 (n,)
        Heights above sea level raised by the Earth's bulge over the chord: of the ground, and of what stands on it
        (clutter is left out at both ends, where the antennas stand).
    bulge_m : float64 (n,)
    line_m : float64 (n,)
        Straight line between the antennas.
    fresnel_m : float64 (n,)
        Radius of the first Fresnel zone.
    effective_radius_km : float
    line_of_sight : bool
        Nothing rises above the straight line.
    tx_horizon, rx_horizon : int
        Points that the rays skimming the surface from either end touch; the same point on a line-of-sight path, the
        one of largest diffraction parameter.
    edge_km, edge_m : float
        The Bullington edge: where the two skimming rays meet (line of sight: that point's own place).
    nu : float
        Diffraction parameter of the edge.
    clearance : float
        Least clearance of the straight line over the surface, in first Fresnel radii; negative where it is blocked.
    """

    distance_km: FloatArray
    ground_m: FloatArray
    surface_m: FloatArray
    bulge_m: FloatArray
    line_m: FloatArray
    fresnel_m: FloatArray
    effective_radius_km: float
    line_of_sight: bool
    tx_horizon: int
    rx_horizon: int
    edge_km: float
    edge_m: float
    nu: float
    clearance: float


def path_geometry(
    profile: PathProfile,
    *,
    frequency_mhz: float,
    tx_height_agl_m: float,
    rx_height_agl_m: float,
    delta_n: float = 45.0,
) -> PathGeometry:
    """Work out horizons, Fresnel clearance and Bullington edge of one path.

    Effective Earth radius: ``6371·157/(157 − ΔN)`` km (P.1812-8, equation 7a). Horizons, line-of-sight test and edge:
    the Bullington construction of P.1812-8, section 4.3.1, equations 13–19, on ground plus clutter.

    Parameters
    ----------
    profile : PathProfile
    frequency_mhz : float
    tx_height_agl_m, rx_height_agl_m : float
        Above ground, m; positive.
    delta_n : float
        Lapse of refractivity, N-units/km, below 157.

    Raises
    ------
    ParameterError
        For a profile of fewer than three points, or values out of range.
    """
    for name, value in (
        ("frequency_mhz", frequency_mhz),
        ("tx_height_agl_m", tx_height_agl_m),
        ("rx_height_agl_m", rx_height_agl_m),
    ):
        if not (math.isfinite(value) and value > 0):
            raise ParameterError(f"{name} is {value}; give a number above 0")
    if not (math.isfinite(delta_n) and delta_n < STANDARD_LAPSE):
        raise ParameterError(f"delta_n is {delta_n}; give N-units/km below {STANDARD_LAPSE:g}")
    distance = np.asarray(profile.distance_m, np.float64) / 1000.0
    if len(distance) < 3:
        raise ParameterError(f"the profile has {len(distance)} points; at least 3 are needed to see what lies between")
    total = distance[-1]
    radius = EARTH_RADIUS_KM * STANDARD_LAPSE / (STANDARD_LAPSE - delta_n)
    bulge = 500.0 * distance * (total - distance) / radius
    ground = np.asarray(profile.elevation_amsl_m, np.float64) + bulge
    clutter = np.zeros(len(distance)) if profile.clutter_height_m is None else np.array(profile.clutter_height_m)
    clutter[[0, -1]] = 0.0
    surface = ground + clutter
    low, high = ground[0] + tx_height_agl_m, ground[-1] + rx_height_agl_m
    line = low + (high - low) * distance / total
    fresnel = np.sqrt(SPEED_OF_LIGHT_M_S / (frequency_mhz * 1e6) * 1000.0 * distance * (total - distance) / total)
    inner = slice(1, -1)
    d, s = distance[inner], surface[inner]
    from_tx, from_rx = (s - low) / d, (s - high) / (total - d)
    sight = bool(from_tx.max() < (high - low) / total)
    nu_each = (s - line[inner]) * np.sqrt(2.0) / fresnel[inner]
    if sight:
        point = int(nu_each.argmax())
        horizons = (point, point)
        edge_km, edge_m, nu = d[point], s[point], nu_each[point]
    else:
        horizons = (int(from_tx.argmax()), int(from_rx.argmax()))
        edge_km = (high - low + from_rx.max() * total) / (from_tx.max() + from_rx.max())
        edge_m = low + from_tx.max() * edge_km
        over = edge_m - (low * (total - edge_km) + high * edge_km) / total
        wavelength_m = SPEED_OF_LIGHT_M_S / (frequency_mhz * 1e6)
        nu = over * math.sqrt(0.002 * total / (wavelength_m * edge_km * (total - edge_km)))
    return PathGeometry(
        distance_km=distance,
        ground_m=ground,
        surface_m=surface,
        bulge_m=bulge,
        line_m=line,
        fresnel_m=fresnel,
        effective_radius_km=radius,
        line_of_sight=sight,
        tx_horizon=horizons[0] + 1,
        rx_horizon=horizons[1] + 1,
        edge_km=float(edge_km),
        edge_m=float(edge_m),
        nu=float(nu),
        clearance=float(-nu_each.max() / np.sqrt(2.0)),
    )


def plot_profile(
    profile: PathProfile,
    *,
    frequency_mhz: float,
    tx_height_agl_m: float,
    rx_height_agl_m: float,
    delta_n: float = 45.0,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw a path: curved ground, clutter, straight line, 0.6 of the first Fresnel zone, horizons, Bullington edge.

    Parameters
    ----------
    profile, frequency_mhz, tx_height_agl_m, rx_height_agl_m, delta_n
        As for `path_geometry`.
    ax : matplotlib.axes.Axes, optional
        A new figure otherwise.
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    geometry = path_geometry(
        profile,
        frequency_mhz=frequency_mhz,
        tx_height_agl_m=tx_height_agl_m,
        rx_height_agl_m=rx_height_agl_m,
        delta_n=delta_n,
    )
    axes = ax if ax is not None else _new_axes((9.0, 4.2))
    d, line, zone = geometry.distance_km, geometry.line_m, 0.6 * geometry.fresnel_m
    floor = min(
        float(geometry.ground_m.min()), float((line - zone).min()), 0.0 if geometry.bulge_m.min() < 0 else np.inf
    )
    span = max(float(line.max()), float(geometry.surface_m.max()), geometry.edge_m) - floor or 1.0
    floor -= 0.08 * span
    axes.fill_between(d, geometry.ground_m, geometry.surface_m, color="#9fc08a", lw=0, label="Clutter")
    axes.fill_between(d, floor, geometry.ground_m, color="#b9a58c", lw=0, label="Ground, Earth bulge included")
    axes.fill_between(d, line - zone, line + zone, color="#0b5a7a", alpha=0.16, lw=0, label="0.6 of first Fresnel zone")
    axes.plot(d, line, color="#0b5a7a", lw=1.4, label="Straight line")
    _draw_obstacles(axes, geometry)
    axes.vlines(
        [d[0], d[-1]], [geometry.ground_m[0], geometry.ground_m[-1]], [line[0], line[-1]], color="#17212b", lw=2.2
    )
    axes.plot([d[0], d[-1]], [line[0], line[-1]], "o", color="#17212b", ms=4)
    axes.set_xlim(d[0], d[-1])
    axes.set_ylim(floor, floor + 1.2 * (span + 0.08 * span))
    axes.set_xlabel("Distance from the transmitter, km")
    axes.set_ylabel("Height above sea level, m")
    words = "line of sight" if geometry.line_of_sight else "blocked"
    axes.set_title(
        title
        or f"{d[-1]:.1f} km at {frequency_mhz:g} MHz: {words}, least clearance {geometry.clearance:.2f} F1".replace(
            "-", "−"
        ),
        fontsize=10,
        loc="left",
    )
    axes.legend(fontsize=7.5, ncols=3, loc="upper right", frameon=False)
    return axes


def _draw_obstacles(axes: Axes, geometry: PathGeometry) -> None:
    """Horizon rays, horizons and the Bullington edge (line of sight: the tightest point)."""
    d, line = geometry.distance_km, geometry.line_m
    if geometry.line_of_sight:
        axes.plot([geometry.edge_km], [geometry.edge_m], "v", color="#b8385b", ms=7, label="Tightest point")
        return
    for end, horizon in ((0, geometry.tx_horizon), (-1, geometry.rx_horizon)):
        axes.plot([d[end], geometry.edge_km], [line[end], geometry.edge_m], color="#b8385b", lw=1, ls="--")
        label = "Horizons" if end == 0 else None
        axes.plot([d[horizon]], [geometry.surface_m[horizon]], "^", color="#b8385b", ms=6, label=label)
    label = f"Bullington edge, ν = {geometry.nu:.2f}"
    axes.plot([geometry.edge_km], [geometry.edge_m], "x", color="#b8385b", ms=8, mew=2, label=label)


def plot_coverage(
    coverage: Coverage,
    layer: Layer = "rsrp_dbm",
    *,
    ax: Axes | None = None,
    sites: bool = True,
    title: str | None = None,
) -> Axes:
    """Draw one layer of a coverage over shaded relief, in kilometres of the terrain's CRS.

    Parameters
    ----------
    coverage : Coverage
    layer : ``"rsrp_dbm"``, ``"covered"``, ``"margin_db"`` or ``"best_server"``
    ax : matplotlib.axes.Axes, optional
        A new figure otherwise.
    sites : bool
        Mark the sites.
    title : str, optional

    Raises
    ------
    ParameterError
        For a layer that is not known.
    """
    if layer not in LAYERS:
        raise ParameterError(f"layer is {layer!r}; allowed: {', '.join(LAYERS)}")
    axes = ax if ax is not None else _new_axes((7.0, 7.0))
    terrain = coverage.terrain
    extent = _draw_relief(axes, terrain)
    values = np.asarray(coverage.layers[layer].values)
    _DRAW[layer](axes, np.where(terrain.valid, values.astype(np.float64), np.nan), extent, coverage)
    if sites and len(coverage.network.sites):
        table = coverage.network.sites
        x, y = terrain.xy(table["lon_deg"].to_numpy(), table["lat_deg"].to_numpy())
        axes.plot(x / 1000, y / 1000, "o", ms=3, mfc="#17212b", mec="white", mew=0.5, label="Site")
    axes.set_title(title or f"{coverage.technology} {layer}", fontsize=10, loc="left")
    return axes


def plot_best_technology(baseline: Baseline, *, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw the newest technology that covers each place of a network, over shaded relief.

    Places beyond the radius of every site are left undrawn: nothing was predicted there.

    Parameters
    ----------
    baseline : Baseline
    ax : matplotlib.axes.Axes, optional
        A new figure otherwise.
    title : str, optional
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    axes = ax if ax is not None else _new_axes((7.0, 7.0))
    terrain = next(iter(baseline.coverages.by_technology.values())).terrain
    extent = _draw_relief(axes, terrain)
    names = ["none", *sorted(baseline.coverages.by_technology)]
    colours = [_hex(GAP), *(_hex(TECHNOLOGY[name]) for name in names[1:])]
    newest = np.asarray(baseline.layers["best_technology"].values)
    index = np.searchsorted([0, *(int(name[0]) for name in names[1:])], newest)
    levels = [coverage.layers["rsrp_dbm"].values for coverage in baseline.coverages.by_technology.values()]
    predicted = np.logical_or.reduce([np.isfinite(level) for level in levels])
    shown = np.where(terrain.valid & predicted, index.astype(np.float64), np.nan)
    axes.imshow(shown, cmap=ListedColormap(colours), vmin=-0.5, vmax=len(names) - 0.5, extent=extent, alpha=0.75)
    patches = [Patch(color=colour, label=name) for colour, name in zip(colours, names, strict=True)]
    axes.legend(handles=patches, loc="upper right", fontsize=8)
    axes.set_title(title or "Newest technology that covers", fontsize=10, loc="left")
    return axes


def plot_sweep(
    baseline: Baseline,
    measure: Literal["population", "area"] = "population",
    *,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the share covered by each technology of a network over the level its service needs, both links counted.

    Parameters
    ----------
    baseline : Baseline
    measure : ``"population"`` or ``"area"``
    ax : matplotlib.axes.Axes, optional
        A new figure otherwise.
    title : str, optional

    Raises
    ------
    ParameterError
        For another measure.
    """
    if measure not in ("population", "area"):
        raise ParameterError(f"measure is {measure!r}; allowed: 'population', 'area'")
    axes = ax if ax is not None else _new_axes((6.0, 4.0))
    needs = baseline.technologies.set_index("technology")["required_dbm"]
    for technology, part in baseline.sweep.groupby("technology", sort=True):
        name = str(technology)
        level, share = part["threshold_dbm"], part[f"covered_{measure}_percent"]
        axes.plot(level, share, color=_hex(TECHNOLOGY[name]), lw=2, label=name)
        at = part.loc[part["threshold_dbm"] == needs[name]]
        axes.plot(at["threshold_dbm"], at[f"covered_{measure}_percent"], "o", color=_hex(TECHNOLOGY[name]))
    axes.set_xlabel("Needed level of each technology, dBm (dot: what the service needs)")
    axes.set_ylabel(f"{measure.capitalize()} covered, %")
    axes.grid(axis="y", color="#e3e7ea")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    axes.set_title(title or "Threshold sweep, both links", fontsize=10, loc="left")
    return axes


def _draw_relief(axes: Axes, terrain: Terrain) -> Extent:
    """Shaded relief in kilometres, with its axes; returns its extent."""
    rows, columns = terrain.shape
    left, top = terrain.x0_m / 1000, terrain.y0_m / 1000
    extent = (left, left + columns * terrain.resolution_m / 1000, top - rows * terrain.resolution_m / 1000, top)
    axes.imshow(hillshade(terrain.elevation_amsl_m, terrain.resolution_m), cmap="gray", vmin=0, vmax=1, extent=extent)
    axes.set_xlim(extent[0], extent[1])
    axes.set_ylim(extent[2], extent[3])
    axes.set_xlabel(f"Easting, km ({terrain.crs})")
    axes.set_ylabel("Northing, km")
    return extent


def _new_axes(size: tuple[float, float]) -> Axes:
    import matplotlib.pyplot as plt

    axes: Axes = plt.subplots(figsize=size, layout="constrained")[1]
    return axes


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _draw_signal(axes: Axes, values: FloatArray, extent: Extent, coverage: Coverage) -> None:
    from matplotlib.colors import BoundaryNorm, ListedColormap

    scale = signal_scale(float(coverage.service.required_rsrp_dbm))
    edges = [*reversed(scale.edges), max(scale.edges[0] + 10, 0.0)]
    colours = ListedColormap([_hex(c) for c in reversed(scale.colours)], under=(0, 0, 0, 0))
    image = axes.imshow(values, cmap=colours, norm=BoundaryNorm(edges, colours.N), extent=extent, alpha=0.75)
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.75, spacing="uniform", ticks=edges[:-1])
    bar.set_label(f"{coverage.layers['rsrp_dbm'].attrs.get('long_name', 'RSRP')}, dBm")


def _draw_covered(axes: Axes, values: FloatArray, extent: Extent, coverage: Coverage) -> None:
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    axes.imshow(values, cmap=ListedColormap([_hex(GAP), _hex(COVERED)]), vmin=0, vmax=1, extent=extent, alpha=0.65)
    patches = [Patch(color=_hex(COVERED), label="Covered"), Patch(color=_hex(GAP), label="Not covered")]
    axes.legend(handles=patches, loc="upper right", fontsize=8)


def _draw_margin(axes: Axes, values: FloatArray, extent: Extent, coverage: Coverage) -> None:
    finite = np.where(np.isfinite(values), values, np.nan)
    image = axes.imshow(finite, cmap="PuOr", vmin=-30, vmax=30, extent=extent, alpha=0.75)
    axes.figure.colorbar(image, ax=axes, shrink=0.75, extend="both").set_label("Margin, dB")


def _draw_server(axes: Axes, values: FloatArray, extent: Extent, coverage: Coverage) -> None:
    # Neighbouring rows belong to one site: a stride through the map keeps them apart.
    shown = np.where(values >= 0, (values * 7) % 20, np.nan)
    axes.imshow(shown, cmap="tab20", vmin=0, vmax=19, extent=extent, alpha=0.65, interpolation="nearest")


_DRAW: dict[str, Any] = {
    "rsrp_dbm": _draw_signal,
    "covered": _draw_covered,
    "margin_db": _draw_margin,
    "best_server": _draw_server,
}


def plot_curve(plan: Any, *, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw the cost–coverage curve of a plan: covered share of people and area as sites are built in order.

    Parameters
    ----------
    plan : Plan
        Its ``curve`` holds ``cost`` (or ``sites``) and ``people_percent`` and/or ``area_percent``.
    ax : matplotlib.axes.Axes, optional
        A new figure otherwise.
    title : str, optional

    Raises
    ------
    ParameterError
        If the curve has no such column.
    """
    curve = plan.curve
    shown = [
        (name, label, style)
        for name, label, style in (("people_percent", "Population", "-"), ("area_percent", "Area", "--"))
        if name in curve.columns
    ]
    if not shown:
        raise ParameterError(
            f"the plan's curve has no people_percent or area_percent; found: {', '.join(curve.columns)}"
        )
    axes = ax if ax is not None else _new_axes((6.0, 4.0))
    by_cost = "cost" in curve.columns and float(curve["cost"].max()) > 0
    x = curve["cost"] if by_cost else curve["sites"] if "sites" in curve.columns else np.arange(len(curve))
    for (name, label, style), colour in zip(shown, ("#0b5a7a", "#d0752a"), strict=False):
        axes.plot(x, curve[name], style, color=colour, lw=2, label=label)
    axes.set_xlabel("Cost spent" if by_cost else "New sites built")
    axes.set_ylabel("Covered, %")
    axes.grid(axis="y", color="#e3e7ea")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    axes.set_title(title or "Cost–coverage curve", fontsize=10, loc="left")
    return axes
