"""Why a place is covered or not: the serving cell, its budget line by line, what stands in the way, what would help."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.antenna import find_antenna
from rfplan.coverage.budget import reference_power_dbm
from rfplan.coverage.core import Coverage
from rfplan.coverage.link import PreparedNetwork, SiteCells, prepare_network
from rfplan.coverage.predict import Placement, effective_earth_radius_m
from rfplan.errors import ParameterError
from rfplan.profile import PathProfile
from rfplan.propagation.free_space import free_space_loss_db
from rfplan.units import wavelength_m

HEIGHT_STEPS_M = (5.0, 10.0, 20.0, 30.0)
TILTS_DEG = tuple(float(t) for t in range(-2, 13))
BANDS_MHZ = (763.0, 947.4, 1842.5, 2140.0, 2550.0)
POWER_STEPS_DB = (3.0, 6.0)


@dataclass(frozen=True)
class Obstruction:
    """The point of the path that blocks most.

    ``clearance_m`` is the height of the straight ray (over the effective Earth) above ground and clutter there:
    negative means in the way. ``nu`` is its knife-edge parameter; above −0.78 it costs signal.
    """

    distance_m: float
    lon_deg: float
    lat_deg: float
    ground_amsl_m: float
    clutter_height_m: float
    clearance_m: float
    nu: float


@dataclass(frozen=True)
class Remedy:
    """One change of the serving sector and the margin it would leave, everything else unchanged."""

    change: str
    margin_db: float
    gain_db: float

    @property
    def closes(self) -> bool:
        """Whether the place would be covered."""
        return self.margin_db >= 0.0


@dataclass(frozen=True, eq=False)
class Explanation:
    """What :func:`explain` found; print it, or use the parts.

    Attributes
    ----------
    covered, margin_db, level_dbm
        As in the layers at the pixel of the point.
    site_id, sector_id, cell_id : str
        Of the cell with the largest margin there.
    budget : DataFrame
        line, value, unit, link ("both", "downlink", "uplink"): each line of the budget in order.
    profile : PathProfile
        From site to pixel centre.
    obstruction : Obstruction or None
        None where nothing comes near the ray.
    missing_db : float
        What lacks for coverage; 0 where covered.
    limiting_link : str
        "downlink" or "uplink".
    remedies : tuple of Remedy
        Best first.
    """

    point_lonlat: tuple[float, float]
    covered: bool
    margin_db: float
    level_dbm: float
    site_id: str
    sector_id: str
    cell_id: str
    distance_m: float
    budget: pd.DataFrame
    profile: PathProfile
    obstruction: Obstruction | None
    missing_db: float
    limiting_link: str
    remedies: tuple[Remedy, ...]

    def __str__(self) -> str:
        lon, lat = self.point_lonlat
        verdict = "covered" if self.covered else f"not covered: {self.missing_db:.1f} dB missing"
        lines = [
            f"{lon:.5f}, {lat:.5f}: {verdict} (the {self.limiting_link} limits)",
            f"server {self.cell_id} of {self.site_id}, {self.distance_m / 1000:.2f} km away, "
            f"level {self.level_dbm:.1f} dBm",
        ]
        lines += [f"  {r.line:<34} {r.value:9.2f} {r.unit}" for r in self.budget.itertuples()]
        if self.obstruction is None:
            lines.append("nothing comes near the straight ray")
        else:
            o = self.obstruction
            state = f"{-o.clearance_m:.0f} m above" if o.clearance_m < 0.0 else f"{o.clearance_m:.0f} m below"
            lines.append(
                f"{o.distance_m / 1000:.2f} km out, at {o.lon_deg:.5f}, {o.lat_deg:.5f}, "
                f"ground at {o.ground_amsl_m:.0f} m with "
                f"{o.clutter_height_m:.0f} m of clutter stands {state} the ray"
            )
        for r in self.remedies:
            lines.append(
                f"  {r.change}: {r.gain_db:+.1f} dB, {'covers' if r.closes else 'still short'} ({r.margin_db:+.1f} dB)"
            )
        return "\n".join(lines)


@dataclass(frozen=True)
class _Setting:
    """What a remedy may change of a cell."""

    height_m: float
    azimuth_deg: float
    mechanical_deg: float
    shift_deg: float
    frequency_mhz: float


@dataclass(frozen=True, eq=False)
class _Link:
    """One cell towards one pixel; evaluates its losses for any setting."""

    coverage: Coverage
    prepared: PreparedNetwork
    profile: PathProfile
    antenna: str
    bearing_deg: float
    distance_m: float
    clutter_class: int

    def path_loss_db(self, setting: _Setting) -> float:
        paths = self.profile.paths(
            frequency_mhz=setting.frequency_mhz,
            tx_height_agl_m=setting.height_m,
            rx_height_agl_m=self.coverage.receiver.height_agl_m,
        )
        return float(self.coverage.model.path_loss_db(paths)[0])

    def pattern_loss_db(self, setting: _Setting) -> float:
        ground = self.profile.elevation_amsl_m
        rise = ground[-1] + self.coverage.receiver.height_agl_m - ground[0] - setting.height_m
        radius = effective_earth_radius_m(self.coverage.model)
        elevation = math.degrees(math.atan2(rise, self.distance_m) - self.distance_m / (2.0 * radius))
        antenna = find_antenna(self.antenna, self.coverage.antennas)
        gain = antenna.gain_dbi_at(
            self.bearing_deg - setting.azimuth_deg,
            elevation,
            mechanical_tilt_deg=setting.mechanical_deg,
            electrical_tilt_deg=antenna.electrical_tilt_deg + setting.shift_deg,
        )
        return antenna.gain_dbi - float(gain)

    def entry_db(self, setting: _Setting) -> float:
        entry = self.coverage.service.penetration
        return 0.0 if entry is None else entry.loss_db(setting.frequency_mhz, self.clutter_class)

    def total_db(self, setting: _Setting) -> float:
        return self.path_loss_db(setting) + self.pattern_loss_db(setting) + self.entry_db(setting)


def explain(coverage: Coverage, point: tuple[float, float], *, candidates: int = 12) -> Explanation:
    """Explain the coverage of a place.

    The place is the centre of the pixel that holds the point, and its link is cut as the map's are, so the numbers
    agree with the layers (with the exact method; the sweep may differ by tenths of a dB).

    Parameters
    ----------
    coverage : Coverage
        From :func:`compute_coverage`.
    point : (longitude, latitude)
        In degrees.
    candidates : int
        Nearest sites within the radius whose cells are compared.

    Raises
    ------
    ParameterError
        When the point is off the terrain, on unknown ground, or out of reach of every site.
    """
    terrain = coverage.terrain
    x, y = (float(v) for v in terrain.xy(*point))
    row, col = (int(v) for v in terrain.nearest(x, y))
    if row < 0 or not terrain.valid[row, col]:
        raise ParameterError(f"point {point} is off the terrain or on unknown ground; give (longitude, latitude)")
    px = terrain.x0_m + (col + 0.5) * terrain.resolution_m
    py = terrain.y0_m - (row + 0.5) * terrain.resolution_m
    prepared = prepare_network(
        coverage.network, coverage.technology, coverage.receiver, coverage.service, coverage.model, coverage.antennas
    )
    placement = Placement.of(coverage.network, terrain)
    distance = np.hypot(placement.x_m - px, placement.y_m - py)
    near = [
        cells
        for cells in sorted(prepared.sites, key=lambda cells: float(distance[cells.site]))
        if placement.on_terrain[cells.site] and 0.0 < distance[cells.site] <= coverage.radius_m
    ][:candidates]
    if not near:
        nearest = float(np.nanmin(distance)) / 1000.0
        raise ParameterError(
            f"no {coverage.technology} site within {coverage.radius_m / 1000:g} km of {point}; "
            f"the nearest is {nearest:.1f} km away"
        )
    centre = tuple(float(v) for v in terrain.lonlat(px, py))
    choices = [
        _best_of_site(coverage, prepared, placement, cells, (centre[0], centre[1]), (row, col)) for cells in near
    ]
    link, setting, cell, margin, level = max(choices, key=lambda choice: choice[3])
    return _explanation(link, setting, cell, point, margin, max(choice[4] for choice in choices), level)


def _best_of_site(
    coverage: Coverage,
    prepared: PreparedNetwork,
    placement: Placement,
    cells: SiteCells,
    centre: tuple[float, float],
    pixel: tuple[int, int],
) -> tuple[_Link, _Setting, int, float, float]:
    """Link, setting, prepared cell, margin and level of a site's best cell at the pixel."""
    site = coverage.network.sites.iloc[cells.site]
    profile = coverage.terrain.profile((float(site["lon_deg"]), float(site["lat_deg"])), centre)
    x, y = coverage.terrain.xy(centre[0], centre[1])
    east, north = float(x) - placement.x_m[cells.site], float(y) - placement.y_m[cells.site]
    bearing = math.degrees(math.atan2(east, north)) - placement.north_deg[cells.site]
    margin_const = prepared.budget.margin_const_db(coverage.service.required_rsrp_dbm)
    known: dict[tuple[float, float], float] = {}
    best: tuple[_Link, _Setting, int, float, float] | None = None
    for i, cell in enumerate(cells.cell):
        s = int(cells.cell_sector[i])
        height, frequency = cells.bands[int(cells.cell_band[i])]
        link = _Link(
            coverage, prepared, profile, prepared.patterns.names[int(cells.sector_antenna[s])], bearing,
            float(profile.distance_m[-1]), int(coverage.terrain.clutter_class[pixel]),
        )  # fmt: skip
        setting = _Setting(
            height, float(cells.sector_azimuth_deg[s]), float(cells.sector_mechanical_deg[s]),
            float(cells.sector_shift_deg[s]), frequency,
        )  # fmt: skip
        if (height, frequency) not in known:
            known[height, frequency] = link.path_loss_db(setting)
        total = known[height, frequency] + link.pattern_loss_db(setting) + link.entry_db(setting)
        margin = float(margin_const[cell]) - total
        if best is None or margin > best[3]:
            best = (link, setting, int(cell), margin, float(prepared.budget.level_const_dbm[cell]) - total)
    assert best is not None  # a site is listed only with cells
    return best


def _explanation(
    link: _Link, setting: _Setting, cell: int, point: tuple[float, float], margin: float, level: float, own_level: float
) -> Explanation:
    coverage, budget = link.coverage, link.prepared.budget
    row = coverage.network.cells.iloc[int(link.prepared.cell_row[cell])]
    sector = coverage.network.sectors.set_index("sector_id").loc[row["sector_id"]]
    total = link.total_db(setting)
    down = own_level - coverage.service.required_rsrp_dbm
    up = float(budget.uplink_const_db[cell]) - total
    return Explanation(
        point_lonlat=point,
        covered=margin >= 0.0,
        margin_db=margin,
        level_dbm=level,
        site_id=str(sector["site_id"]),
        sector_id=str(row["sector_id"]),
        cell_id=str(row["cell_id"]),
        distance_m=link.distance_m,
        budget=_budget_table(link, setting, row, sector, own_level, up),
        profile=link.profile,
        obstruction=obstruction_of(
            link.profile, setting.height_m, coverage.receiver.height_agl_m, setting.frequency_mhz,
            effective_earth_radius_m(coverage.model),
        ),
        missing_db=max(0.0, -margin),
        limiting_link="downlink" if down <= up else "uplink",
        remedies=_remedies(link, setting, cell, margin, total),
    )  # fmt: skip


def _budget_table(
    link: _Link, setting: _Setting, row: pd.Series[Any], sector: pd.Series[Any], level: float, uplink: float
) -> pd.DataFrame:
    coverage = link.coverage
    service, receiver = coverage.service, coverage.receiver
    antenna = find_antenna(link.antenna, coverage.antennas)
    reference = reference_power_dbm(str(row["technology"]), float(row["max_power_dbm"]), float(row["bandwidth_mhz"]))
    loss = link.path_loss_db(setting)
    free = float(free_space_loss_db(link.distance_m, setting.frequency_mhz))
    lines: list[tuple[str, float, str, str]] = [
        ("transmit power", float(row["max_power_dbm"]), "dBm", "downlink"),
        ("reference signal power", reference, "dBm", "downlink"),
        ("antenna gain", antenna.gain_dbi, "dBi", "both"),
        ("antenna pattern", -link.pattern_loss_db(setting), "dB", "both"),
        ("feeder", -float(sector["feeder_loss_db"]), "dB", "both"),
        ("free space", -free, "dB", "both"),
        ("terrain and clutter", free - loss, "dB", "both"),
        ("penetration", -service.penetration_db - link.entry_db(setting), "dB", "both"),
        ("body", -receiver.body_loss_db, "dB", "both"),
        ("device antenna", receiver.gain_dbi, "dBi", "both"),
        ("level at the device", level, "dBm", "downlink"),
        ("required level", service.required_rsrp_dbm, "dBm", "downlink"),
        ("downlink margin", level - service.required_rsrp_dbm, "dB", "downlink"),
        ("device power", receiver.power_dbm, "dBm", "uplink"),
        ("uplink interference margin", -service.interference_margin_db, "dB", "uplink"),
        ("uplink margin", uplink, "dB", "uplink"),
    ]
    table = pd.DataFrame(lines, columns=["line", "value", "unit", "link"])
    table["value"] += 0.0  # no −0
    return table


def obstruction_of(
    profile: PathProfile, tx_height_agl_m: float, rx_height_agl_m: float, frequency_mhz: float, earth_radius_m: float
) -> Obstruction | None:
    """The interior point with the largest knife-edge parameter (ITU-R P.526 §4.1), or None below −0.78."""
    d, ground = profile.distance_m, profile.elevation_amsl_m
    clutter = np.zeros_like(ground) if profile.clutter_height_m is None else profile.clutter_height_m
    total = float(d[-1])
    inner = slice(1, -1)
    part = d[inner] / total
    ray = (ground[0] + tx_height_agl_m) * (1.0 - part) + (ground[-1] + rx_height_agl_m) * part
    bulge = d[inner] * (total - d[inner]) / (2.0 * earth_radius_m)
    clearance: npt.NDArray[np.float64] = ray - ground[inner] - clutter[inner] - bulge
    wavelength = float(wavelength_m(frequency_mhz))
    nu = -clearance * np.sqrt(2.0 * total / (wavelength * d[inner] * (total - d[inner])))
    if nu.size == 0 or float(nu.max()) < -0.78:
        return None
    i = int(np.argmax(nu))
    lon, lat = math.nan, math.nan
    if profile.tx_lonlat is not None and profile.rx_lonlat is not None:
        lon = profile.tx_lonlat[0] + float(part[i]) * (profile.rx_lonlat[0] - profile.tx_lonlat[0])
        lat = profile.tx_lonlat[1] + float(part[i]) * (profile.rx_lonlat[1] - profile.tx_lonlat[1])
    return Obstruction(
        float(d[inner][i]),
        lon,
        lat,
        float(ground[inner][i]),
        float(clutter[inner][i]),
        float(clearance[i]),
        float(nu[i]),
    )


def _remedies(link: _Link, setting: _Setting, cell: int, margin: float, total: float) -> tuple[Remedy, ...]:
    """What single changes would give: height, tilt, azimuth, power, band."""
    found: list[Remedy] = []

    def add(change: str, gain: float) -> None:
        if gain > 0.05:
            found.append(Remedy(change, margin + gain, gain))

    heights = [(h, total - link.total_db(replace(setting, height_m=setting.height_m + h))) for h in HEIGHT_STEPS_M]
    closing = [pair for pair in heights if margin + pair[1] >= 0.0]
    h, gain = closing[0] if closing else max(heights, key=lambda pair: pair[1])
    add(f"raise the antenna by {h:g} m to {setting.height_m + h:g} m", gain)
    antenna = find_antenna(link.antenna, link.coverage.antennas)
    pattern = link.pattern_loss_db(setting)
    tilts = [
        (t, pattern - link.pattern_loss_db(replace(setting, shift_deg=t - antenna.electrical_tilt_deg)))
        for t in TILTS_DEG
    ]
    t, gain = max(tilts, key=lambda pair: pair[1])
    add(f"electrical tilt {t:g}° instead of {antenna.electrical_tilt_deg + setting.shift_deg:g}°", gain)
    turned = replace(setting, azimuth_deg=link.bearing_deg)
    add(f"turn the sector to {link.bearing_deg % 360.0:.0f}°", pattern - link.pattern_loss_db(turned))
    budget, required = link.prepared.budget, link.coverage.service.required_rsrp_dbm
    down = float(budget.level_const_dbm[cell]) - required
    for step in POWER_STEPS_DB:
        # More power helps the downlink alone.
        const = min(down + step, float(budget.uplink_const_db[cell]))
        add(f"{step:g} dB more transmit power", const - total - margin)
    for band in BANDS_MHZ:
        if abs(band - setting.frequency_mhz) > 0.1 * setting.frequency_mhz:
            add(
                f"the same cell at {band:g} MHz",
                total - link.total_db(replace(setting, frequency_mhz=band)),
            )
    return tuple(sorted(found, key=lambda r: -r.gain_db))
