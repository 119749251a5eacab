"""Point-to-area prediction from field-strength curves (Recommendation ITU-R P.1546-6), 30 MHz to 4 GHz.

The curves' tabulated values belong to ITU and are not shipped; `rfplan.io.p1546_tables.read_p1546_curves` reads them
from where the user has them. Annex 5 is followed step by step (its Annex 6); the refractivity adjustment of Annex 7 and
the terrain-based correction for negative effective heights (section 4.3a) are not implemented.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from rfplan.io.p1546_tables import P1546Curves, read_p1546_curves
from rfplan.profile import Paths
from rfplan.propagation.base import check_range, require, require_choice, require_range
from rfplan.propagation.p1546_curves import (
    HEIGHT_GAIN_REFERENCE_M,
    CurveQuery,
    curve_field,
    fresnel_clear_km,
    knife_edge_db,
)
from rfplan.propagation.p1546_terrain import terrain_of_paths
from rfplan.propagation.validity import broadcast

FloatArray = npt.NDArray[np.float64]
Surroundings = Literal["rural", "suburban", "urban", "dense-urban", "sea"]

__all__ = ["P1546", "P1546Link", "Surroundings", "p1546_field_dbuv_m", "p1546_loss_db"]

CLUTTER_HEIGHT_M: dict[str, float] = {"rural": 10.0, "suburban": 10.0, "urban": 15.0, "dense-urban": 20.0, "sea": 10.0}
"""Representative clutter height around the receiver, m (P.1546-6, Annex 5, section 9)."""


@dataclass(frozen=True, eq=False)
class P1546Link:
    """What P.1546 is told about paths: scalars or arrays that broadcast to n paths; None where not known.

    Parameters
    ----------
    distance_m, frequency_mhz
        Length, m, up to 1000 km, and frequency, MHz.
    effective_height_m
        h1: the transmitter's height over the terrain ahead of it (section 3), m.
    rx_height_agl_m, rx_clutter_height_m
        Receiver and the clutter around it, m above ground.
    sea_m
        Length of the path over sea, m.
    tx_height_agl_m, tx_clutter_height_m
        Transmitter and the clutter around it, m above ground; needed for the slope, short paths and its own clutter.
    clearance_angle_deg
        The receiver's terrain clearance angle (section 11), degrees.
    tx_clearance_deg
        The transmitter's (section 4.3), degrees; with the receiver's it gives troposcatter a floor.
    tx_ground_amsl_m, rx_ground_amsl_m
        Ground heights at the ends, m; for the slope.
    """

    distance_m: npt.ArrayLike
    frequency_mhz: npt.ArrayLike
    effective_height_m: npt.ArrayLike
    rx_height_agl_m: npt.ArrayLike
    rx_clutter_height_m: npt.ArrayLike = 10.0
    sea_m: npt.ArrayLike = 0.0
    tx_height_agl_m: npt.ArrayLike | None = None
    tx_clutter_height_m: npt.ArrayLike | None = None
    clearance_angle_deg: npt.ArrayLike | None = None
    tx_clearance_deg: npt.ArrayLike | None = None
    tx_ground_amsl_m: npt.ArrayLike = 0.0
    rx_ground_amsl_m: npt.ArrayLike = 0.0

    def __post_init__(self) -> None:
        require_range("distance_m", self.distance_m, 1e-3, 1e6, "P.1546-6 reaches 1000 km; give metres")
        require_range("frequency_mhz", self.frequency_mhz, 10.0, 10e3, "give MHz")
        require_range("effective_height_m", self.effective_height_m, -1000.0, 3000.0)
        require_range("rx_height_agl_m", self.rx_height_agl_m, 1e-3, 3000.0)
        require_range("rx_clutter_height_m", self.rx_clutter_height_m, 0.0, 200.0)
        sea, d = np.asarray(self.sea_m, dtype=np.float64), np.asarray(self.distance_m, dtype=np.float64)
        require(bool(((sea >= 0.0) & (sea <= d * (1 + 1e-9))).all()), "sea_m", float(np.max(sea)), "0 to distance_m")
        if self.tx_height_agl_m is not None:
            require_range("tx_height_agl_m", self.tx_height_agl_m, 1e-3, 3000.0)
        if self.tx_clutter_height_m is not None:
            require_range("tx_clutter_height_m", self.tx_clutter_height_m, 0.0, 200.0)
        for name in ("clearance_angle_deg", "tx_clearance_deg"):
            if getattr(self, name) is not None:
                require_range(name, getattr(self, name), -90.0, 90.0)


def _arrays(link: P1546Link) -> dict[str, Any]:
    """Fields as arrays of one shape; None stays."""
    names = list(link.__dataclass_fields__)
    given = {name: getattr(link, name) for name in names}
    known = [name for name in names if given[name] is not None]
    arrays = broadcast(**{name: given[name] for name in known})
    return {**given, **dict(zip(known, arrays, strict=True))}


def _mixed(land: FloatArray, sea: FloatArray, sea_share: FloatArray) -> FloatArray:
    """Field over a path of land and sea (Annex 5, section 8, equations 17 to 22)."""
    exponent = np.maximum(1.0, 1.0 + (sea - land) / 40.0)
    factor = (1.0 - (1.0 - sea_share) ** (2.0 / 3.0)) ** exponent
    return np.asarray((1.0 - factor) * land + factor * sea)


def _receiver_height_db(a: dict[str, Any], surroundings: Surroundings) -> FloatArray:
    """Correction for the receiver's height (section 9, equations 27 to 29)."""
    d_m, f, h1, h2 = (
        np.maximum(a["distance_m"], 40.0),
        a["frequency_mhz"],
        a["effective_height_m"],
        a["rx_height_agl_m"],
    )
    gain = 3.2 + 6.2 * np.log10(f)
    if surroundings == "rural":
        return np.asarray(gain * np.log10(h2 / HEIGHT_GAIN_REFERENCE_M))
    if surroundings == "sea":
        full = gain * np.log10(h2 / 10.0)
        near, clear = fresnel_clear_km(f, h1, h2), fresnel_clear_km(f, h1, 10.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            part = full * np.log10(d_m / 1e3 / near) / np.log10(clear / near)
        between = np.where(d_m / 1e3 <= near, 0.0, part)
        return np.where((h2 >= 10.0) | (d_m / 1e3 >= clear), full, between)
    clutter = np.maximum((d_m * a["rx_clutter_height_m"] - 15.0 * h1) / (d_m - 15.0), 1.0)
    below = np.maximum(clutter - h2, 0.0)
    nu = 0.0108 * np.sqrt(f) * np.sqrt(below * np.degrees(np.arctan(below / 27.0)))
    correction = np.where(h2 < clutter, 6.03 - knife_edge_db(nu), gain * np.log10(h2 / clutter))
    return np.asarray(correction - np.where(clutter < 10.0, gain * np.log10(10.0 / clutter), 0.0))


def _transmitter_clutter_db(a: dict[str, Any]) -> FloatArray | float:
    """Correction for clutter around the transmitter, above or below the antenna (section 10, equation 30)."""
    if a["tx_height_agl_m"] is None or a["tx_clutter_height_m"] is None:
        return 0.0
    over = a["tx_height_agl_m"] - a["tx_clutter_height_m"]
    nu = 0.0108 * np.sqrt(a["frequency_mhz"]) * np.sqrt(over * np.degrees(np.arctan(over / 27.0)))
    return -knife_edge_db(np.where(over <= 0.0, nu, -nu))


def _slope_m(a: dict[str, Any], distance_m: FloatArray | float) -> FloatArray:
    """Distance between the antennas along the slope, m (section 14, equation 37)."""
    tx, rx = a["tx_height_agl_m"] + a["tx_ground_amsl_m"], a["rx_height_agl_m"] + a["rx_ground_amsl_m"]
    return np.asarray(np.hypot(distance_m, tx - rx))


def _troposcatter(a: dict[str, Any], time_percent: float) -> FloatArray | float:
    """Field by troposcatter (section 13, equations 35 and 36), minus infinity where clearance is not known."""
    if a["tx_clearance_deg"] is None or a["clearance_angle_deg"] is None:
        return -np.inf
    d, lg_f = np.maximum(a["distance_m"] / 1e3, 1.0), np.log10(a["frequency_mhz"])
    angle = np.degrees(d * 0.75 / 6370.0) + a["tx_clearance_deg"] + a["clearance_angle_deg"]
    losses = 10.0 * np.maximum(angle, 0.0) + 5.0 * lg_f - 2.5 * (lg_f - 3.3) ** 2
    # rounding must not turn the zero at 50 % into the root of a negative number
    climate = 0.15 * 325.0 + 10.1 * max(-np.log10(0.02 * time_percent), 0.0) ** 0.7
    return np.asarray(24.4 - 20.0 * np.log10(d) - losses + climate)


def p1546_field_dbuv_m(
    link: P1546Link,
    curves: P1546Curves,
    *,
    time_percent: float = 50.0,
    surroundings: Surroundings = "rural",
    warm_sea: bool = False,
    location_offset_db: npt.ArrayLike = 0.0,
) -> FloatArray:
    """Field strength for 1 kW e.r.p., dB(uV/m) (P.1546-6, Annex 6, steps 1 to 19).

    Parameters
    ----------
    link
        The paths.
    curves
        The Recommendation's curves.
    time_percent
        Percentage of time for which the field is exceeded, 1 to 50.
    surroundings
        Around the receiver: "rural", "suburban", "urban", "dense-urban" or "sea".
    warm_sea
        Whether sea sections are warm sea.
    location_offset_db
        What the wanted percentage of locations adds to the median over locations, dB (section 12).

    Returns
    -------
    ndarray
        Field strength, in the shape the link's fields broadcast to.

    Raises
    ------
    ParameterError
        When a value is impossible.

    Warns
    -----
    ValidityWarning
        Outside 30 to 4000 MHz, or receivers below 1 m.
    """
    require_range("time_percent", time_percent, 1.0, 50.0)
    require_choice("surroundings", surroundings, CLUTTER_HEIGHT_M)
    check_range("frequency_mhz", link.frequency_mhz, 30.0, 4000.0, "P.1546-6")
    lowest = 3.0 if surroundings == "sea" else 1.0
    check_range("rx_height_agl_m", link.rx_height_agl_m, lowest, 3000.0, "P.1546-6")
    a = _arrays(link)
    d = a["distance_m"] / 1e3
    share = a["sea_m"] / a["distance_m"]
    enhancement = 2.38 * (1.0 - np.exp(-d / 8.94)) * np.log10(50.0 / time_percent)
    ceiling = 106.9 - 20.0 * np.log10(d) + share * enhancement
    slope = a["tx_height_agl_m"] is not None
    if slope:
        ceiling = ceiling + 20.0 * np.log10(a["distance_m"] / _slope_m(a, a["distance_m"]))

    query = CurveQuery(np.maximum(d, 1.0), a["frequency_mhz"], a["effective_height_m"], ceiling, time_percent)
    e = np.zeros(d.shape)
    if (share < 1.0).any():
        e = curve_field(curves, query, zone=0)
    if (share > 0.0).any():
        sea = curve_field(curves, query, zone=2 if warm_sea else 1)
        e = np.where(share >= 1.0, sea, np.where(share <= 0.0, e, _mixed(e, sea, share)))

    if a["clearance_angle_deg"] is not None:  # section 11: equations 32a to 32c
        angle = np.clip(a["clearance_angle_deg"], 0.55, 40.0)
        root_f = np.sqrt(a["frequency_mhz"])
        e = e + knife_edge_db(0.036 * root_f) - knife_edge_db(0.065 * angle * root_f)
    e = np.maximum(e, _troposcatter(a, time_percent))
    e = e + _receiver_height_db(a, surroundings) + _transmitter_clutter_db(a)
    if slope:
        at_m = np.maximum(a["distance_m"], 1e3)
        e = e + 20.0 * np.log10(at_m / _slope_m(a, at_m))
        e = np.where(d < 1.0, _short(a, e), e)
    return np.asarray(np.minimum(e + np.asarray(location_offset_db, dtype=np.float64), ceiling))


def _short(a: dict[str, Any], at_1_km: FloatArray) -> FloatArray:
    """Paths under 1 km: from the value at 1 km to free space at 40 m (section 15, equation 38)."""
    here, near, far = _slope_m(a, a["distance_m"]), _slope_m(a, 40.0), _slope_m(a, 1e3)
    free_near = 106.9 - 20.0 * np.log10(near / 1e3)
    between = free_near + (at_1_km - free_near) * np.log10(here / near) / np.log10(far / near)
    return np.where(a["distance_m"] <= 40.0, 106.9 - 20.0 * np.log10(here / 1e3), between)


def p1546_loss_db(field_dbuv_m: npt.ArrayLike, frequency_mhz: npt.ArrayLike) -> FloatArray:
    """Basic transmission loss, dB, that goes with a field strength for 1 kW e.r.p. (section 17, equation 40)."""
    require_range("frequency_mhz", frequency_mhz, 10.0, 10e3, "give MHz")
    return np.asarray(139.3 - np.asarray(field_dbuv_m, dtype=np.float64) + 20.0 * np.log10(frequency_mhz))


@dataclass(frozen=True)
class P1546:
    """P.1546-6 on terrain profiles: effective height, clearance angles and land or sea are taken from each profile.

    Parameters
    ----------
    curves
        The Recommendation's curves; see `P1546.from_folder`.
    time_percent, location_percent
        Percentages of time (1 to 50) and locations (1 to 99) at which the loss is not exceeded.
    surroundings
        Around the receiver: "rural", "suburban", "urban", "dense-urban" or "sea".
    rx_clutter_height_m, tx_clutter_height_m
        Clutter around the ends, m; None takes the class's height for the receiver and no clutter for the transmitter.
    location_width_m
        Width of the square over which locations vary, m.
    warm_sea
        Whether sea is warm sea (the Gulf of Tonkin is not listed by the Recommendation; False is the cautious choice
        for coverage).
    """

    curves: P1546Curves = field(repr=False)
    time_percent: float = 50.0
    location_percent: float = 50.0
    surroundings: Surroundings = "rural"
    rx_clutter_height_m: float | None = None
    tx_clutter_height_m: float | None = None
    location_width_m: float = 500.0
    warm_sea: bool = False

    needs: ClassVar[Literal["profile"]] = "profile"
    citation: ClassVar[str] = "Recommendation ITU-R P.1546-6 (08/2019)"

    def __post_init__(self) -> None:
        require_range("time_percent", self.time_percent, 1.0, 50.0)
        require_range("location_percent", self.location_percent, 1.0, 99.0)
        require_choice("surroundings", self.surroundings, CLUTTER_HEIGHT_M)
        require_range("location_width_m", self.location_width_m, 1.0, 1e4)

    @classmethod
    def from_folder(cls, path: str | os.PathLike[str], **parameters: Any) -> P1546:
        """The model with the curves of a folder or workbook (see `read_p1546_curves`)."""
        return cls(read_p1546_curves(path), **parameters)

    def link(self, paths: Paths) -> P1546Link:
        """What the model reads off the profiles."""
        terrain = terrain_of_paths(paths)
        height = CLUTTER_HEIGHT_M[self.surroundings] if self.rx_clutter_height_m is None else self.rx_clutter_height_m
        return P1546Link(
            paths.distance_m,
            paths.frequency_mhz,
            terrain.effective_height_m,
            paths.rx_height_agl_m,
            height,
            terrain.sea_m,
            paths.tx_height_agl_m,
            self.tx_clutter_height_m,
            terrain.rx_clearance_deg,
            terrain.tx_clearance_deg,
            terrain.tx_ground_amsl_m,
            terrain.rx_ground_amsl_m,
        )

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Basic transmission loss of each path, dB, shape (n,)."""
        link = self.link(paths)
        offset: FloatArray | float = 0.0
        if self.surroundings != "sea":
            sigma = (0.024 * paths.frequency_mhz / 1e3 + 0.52) * self.location_width_m**0.28  # section 12
            offset = -ndtri(self.location_percent / 100.0) * sigma
        e = p1546_field_dbuv_m(
            link,
            self.curves,
            time_percent=self.time_percent,
            surroundings=self.surroundings,
            warm_sea=self.warm_sea,
            location_offset_db=offset,
        )
        return p1546_loss_db(e, paths.frequency_mhz)
