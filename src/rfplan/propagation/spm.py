"""Tunable Hata-like models over terrain: the Standard Propagation Model and a Hata model with diffraction.

Both are conventions of planning tools rather than Recommendations: distance and height laws of Hata, a diffraction loss
read off the profile, and a loss by the clutter the receiver stands in. They are meant to be calibrated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from rfplan.kernels.spm import mean_ground_m
from rfplan.profile import Paths
from rfplan.propagation.base import require, require_choice, require_range
from rfplan.propagation.hata import cost231_hata_loss_db, okumura_hata_loss_db
from rfplan.propagation.p526 import DIFFRACTION_METHODS, P526, DiffractionMethod
from rfplan.propagation.profile_checks import ProfilePoints, profile_points
from rfplan.propagation.validity import Validity

FloatArray = npt.NDArray[np.float64]
HeightMethod = Literal["ground", "spot", "average"]

__all__ = ["SPM", "HataDem", "HeightMethod", "hata_equivalent_k1", "spm_loss_db"]

_HEIGHT_METHODS = ("ground", "spot", "average")
_EFFECTIVE_HEIGHT_M = (20.0, 200.0)
_HATA_HEIGHT_M = (30.0, 200.0)
_AVERAGE_M = (3e3, 15e3)  # ground that counts for the "average" height
# K1 that goes with the other Hata-equivalent constants, dB by MHz
_K1_MHZ = (1800.0, 2100.0, 2300.0, 2500.0, 2700.0, 3500.0)
_K1_DB = (22.0, 23.8, 24.7, 25.4, 26.1, 28.3)
_HATA_LOSS_AT_1M = -3.0 * 44.9  # Hata's distance law, stated in km, moved to metres

SPM_VALIDITY = Validity("the Standard Propagation Model", (150.0, 3500.0), (1e3, 20e3), None, (1.0, 10.0))


def hata_equivalent_k1(frequency_mhz: npt.ArrayLike) -> FloatArray:
    """K1 (dB) that makes the Standard Propagation Model equal to Hata's urban loss for a receiver at 1.5 m.

    From 1800 MHz on the customary values 22 (1800), 23.8 (2100), 24.7 (2300), 25.4 (2500), 26.1 (2700) and 28.3
    (3500 MHz), linear in lg f between and beyond them; below 1500 MHz from Okumura-Hata, between from COST 231-Hata.

    Parameters
    ----------
    frequency_mhz
        30 to 10 000 MHz, a scalar or an array.
    """
    require_range("frequency_mhz", frequency_mhz, 30.0, 10_000.0, "give MHz, not GHz or Hz")
    lg_f = np.log10(np.asarray(frequency_mhz, dtype=np.float64))
    known = np.log10(_K1_MHZ)
    table = np.interp(lg_f, known, _K1_DB)
    last_slope = (_K1_DB[-1] - _K1_DB[-2]) / (known[-1] - known[-2])
    table = np.where(lg_f > known[-1], _K1_DB[-1] + last_slope * (lg_f - known[-1]), table)
    cost231 = 46.3 + 33.9 * lg_f + _HATA_LOSS_AT_1M
    hata = 69.55 + 26.16 * lg_f + _HATA_LOSS_AT_1M
    k1 = np.where(lg_f < known[0], cost231, table)
    return np.asarray(np.where(lg_f < np.log10(1500.0), hata, k1))


def spm_loss_db(
    distance_m: npt.ArrayLike,
    effective_height_m: npt.ArrayLike,
    rx_height_m: npt.ArrayLike = 1.5,
    *,
    diffraction_db: npt.ArrayLike = 0.0,
    clutter_loss_db: npt.ArrayLike = 0.0,
    k: tuple[float, float, float, float, float, float, float] = (22.0, 44.9, 5.83, 1.0, -6.55, 0.0, 0.0),
) -> FloatArray:
    """Loss K1 + K2 lg d + K3 lg H + K4 D + K5 lg d lg H + K6 h + K7 lg h + clutter, dB.

    Parameters
    ----------
    distance_m
        Path length d, m, above 0.
    effective_height_m
        Effective transmitter height H, m; clamped to 20 to 200 m as the model defines it.
    rx_height_m
        Effective receiver height h, m, above 0.
    diffraction_db, clutter_loss_db
        Diffraction D and clutter loss, dB.
    k
        K1 to K7; the default is Hata's equivalent at 1800 MHz.

    Returns
    -------
    ndarray
        In the shape the arguments broadcast to.
    """
    d, height, rx = (np.asarray(v, dtype=np.float64) for v in (distance_m, effective_height_m, rx_height_m))
    require_range("distance_m", d, 1e-3, 1e6, "give metres")
    require(bool(np.isfinite(height).all()), "effective_height_m", height, "finite heights, m")
    require_range("rx_height_m", rx, 1e-3, 9e3, "give metres")
    lg_d = np.log10(d)
    lg_h = np.log10(np.clip(height, *_EFFECTIVE_HEIGHT_M))
    k1, k2, k3, k4, k5, k6, k7 = k
    loss = k1 + k2 * lg_d + k3 * lg_h + k4 * np.asarray(diffraction_db, dtype=np.float64) + k5 * lg_d * lg_h
    return np.asarray(loss + k6 * rx + k7 * np.log10(rx) + np.asarray(clutter_loss_db, dtype=np.float64))


def _effective_heights_m(paths: Paths, points: ProfilePoints, method: str) -> FloatArray:
    """Effective transmitter heights (m) before clamping; see `SPM`."""
    tx_ground = points.elevation_amsl_m[points.start]
    if method == "ground":
        return paths.tx_height_agl_m
    if method == "spot":
        return paths.tx_height_agl_m + np.maximum(tx_ground - points.elevation_amsl_m[points.stop - 1], 0.0)
    mean = np.empty(len(paths))
    mean_ground_m(points.start, points.stop, points.distance_m, points.elevation_amsl_m, *_AVERAGE_M, mean)
    return np.asarray(paths.tx_height_agl_m + tx_ground - mean)


def _clutter_losses_db(points: ProfilePoints, table: tuple[tuple[float, float], ...]) -> FloatArray:
    """Loss (dB) of the receiver's clutter: that of the nearest height in the table."""
    if not table:
        return np.zeros(points.stop.size)
    heights, losses = np.array(table, dtype=np.float64).T
    here = points.clutter_height_m[points.stop - 1]
    return np.asarray(losses[np.abs(here[:, None] - heights).argmin(axis=1)])


def _check_terms(diffraction: str | None, height_method: str, table: tuple[tuple[float, float], ...]) -> None:
    require_choice("diffraction", diffraction, (None, *DIFFRACTION_METHODS))
    require_choice("effective_height", height_method, _HEIGHT_METHODS)
    for pair in table:
        good = len(pair) == 2 and bool(np.isfinite(pair).all()) and 0.0 <= pair[0] <= 100.0
        require(good, "clutter_loss_db", pair, "pairs of clutter height (0 to 100 m) and loss (dB)")


@dataclass(frozen=True)
class SPM:
    """Standard Propagation Model: a Hata-like law with constants K1 to K7, diffraction and clutter losses.

    L = K1 + K2 lg d + K3 lg H + K4 D + K5 lg d lg H + K6 h + K7 lg h + K_clutter, with d in m, H the effective
    transmitter height (clamped to 20 to 200 m), D the diffraction loss and h the receiver height above ground.

    Parameters
    ----------
    k1
        dB; None takes the Hata-equivalent value of each path's frequency (`hata_equivalent_k1`).
    k2, k3, k4, k5, k6, k7
        The other constants; the defaults are Hata's equivalents with full diffraction.
    diffraction
        Method of D over the bare ground (see `rfplan.propagation.p526.P526`); None leaves it out.
    effective_height
        "ground": the antenna's height above ground. "spot": plus what the transmitter's ground rises above the
        receiver's. "average": height above the mean ground 3 to 15 km from the transmitter (the whole path if shorter).
    clutter_loss_db
        Pairs of clutter height at the receiver (m) and loss (dB); the nearest height counts. Empty is no loss.

    Raises
    ------
    ParameterError
        When a parameter is out of range.
    """

    k1: float | None = None
    k2: float = 44.9
    k3: float = 5.83
    k4: float = 1.0
    k5: float = -6.55
    k6: float = 0.0
    k7: float = 0.0
    diffraction: DiffractionMethod | None = "deygout"
    effective_height: HeightMethod = "spot"
    clutter_loss_db: tuple[tuple[float, float], ...] = ()

    needs: ClassVar[Literal["profile"]] = "profile"
    citation: ClassVar[str] = (
        "Standard Propagation Model (planning-tool convention on COST 231-Hata), P.526-15 diffraction"
    )
    validity: ClassVar[Validity] = SPM_VALIDITY

    def __post_init__(self) -> None:
        for name in ("k1", "k2", "k3", "k4", "k5", "k6", "k7"):
            value = getattr(self, name)
            require(value is None or bool(np.isfinite(value)), name, value, "a finite number (k1 may be None)")
        require(self.k4 >= 0.0, "k4", self.k4, "at least 0: diffraction does not gain")
        _check_terms(self.diffraction, self.effective_height, self.clutter_loss_db)

    def loss_parts(self, paths: Paths) -> dict[str, FloatArray]:
        """Distance and height law, diffraction (times K4) and clutter, dB, each of shape (n,); they sum to the loss."""
        points = profile_points(paths, "SPM")
        SPM_VALIDITY.checked(
            paths.distance_m, paths.frequency_mhz, paths.tx_height_agl_m, paths.rx_height_agl_m, stacklevel=5
        )
        k1 = hata_equivalent_k1(paths.frequency_mhz) if self.k1 is None else np.full(len(paths), self.k1)
        law = spm_loss_db(
            paths.distance_m,
            _effective_heights_m(paths, points, self.effective_height),
            paths.rx_height_agl_m,
            k=(0.0, self.k2, self.k3, self.k4, self.k5, self.k6, self.k7),
        )
        bent = np.zeros(len(paths))
        if self.diffraction is not None and self.k4 > 0.0:
            bent = self.k4 * P526(self.diffraction, add_clutter=False).diffraction_db(paths)
        return {
            "law_db": k1 + law,
            "diffraction_db": bent,
            "clutter_db": _clutter_losses_db(points, self.clutter_loss_db),
        }

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Path loss of each path, dB, shape (n,); `ValidityWarning` outside 150 to 3500 MHz, 1 to 20 km, 1 to 10 m."""
        parts = self.loss_parts(paths)
        return parts["law_db"] + parts["diffraction_db"] + parts["clutter_db"]


@dataclass(frozen=True)
class HataDem:
    """Hata with effective heights, knife-edge and spherical-Earth diffraction and clutter losses (HATADEM style).

    L = Hata(H) + sqrt((alpha K)^2 + J^2) + clutter: K is the loss of the chosen knife-edge method, J that of a smooth
    Earth. Hata is Okumura-Hata below 1500 MHz and COST 231-Hata from there on; H is clamped to its 30 to 200 m.

    Parameters
    ----------
    environment
        "open", "suburban" or "urban" of Hata's formulas.
    diffraction
        Method of K over the bare ground.
    alpha
        Weight of K, 0 to 2.
    effective_height, clutter_loss_db
        As in `SPM`.

    Raises
    ------
    ParameterError
        When a parameter is out of range.
    """

    environment: Literal["open", "suburban", "urban"] = "open"
    diffraction: DiffractionMethod = "epstein-peterson"
    alpha: float = 1.0
    effective_height: HeightMethod = "average"
    clutter_loss_db: tuple[tuple[float, float], ...] = ()

    needs: ClassVar[Literal["profile"]] = "profile"
    citation: ClassVar[str] = "M. Hata (1980) and COST 231 (1999) with effective heights and P.526-15 diffraction"

    def __post_init__(self) -> None:
        require_choice("environment", self.environment, ("open", "suburban", "urban"))
        require_range("alpha", self.alpha, 0.0, 2.0)
        require(self.diffraction is not None, "diffraction", self.diffraction, "one of the methods of P526")
        _check_terms(self.diffraction, self.effective_height, self.clutter_loss_db)

    def loss_parts(self, paths: Paths) -> dict[str, FloatArray]:
        """Hata's loss, diffraction and clutter, dB, each of shape (n,); they sum to the loss."""
        points = profile_points(paths, "HataDem")
        height = np.clip(_effective_heights_m(paths, points, self.effective_height), *_HATA_HEIGHT_M)
        f, d, rx = paths.frequency_mhz, paths.distance_m, paths.rx_height_agl_m
        law = np.empty(len(paths))
        low = f < 1500.0
        if low.any():
            law[low] = okumura_hata_loss_db(d[low], f[low], height[low], rx[low], environment=self.environment)
        if not low.all():
            law[~low] = cost231_hata_loss_db(d[~low], f[~low], height[~low], rx[~low], environment=self.environment)
        edges = P526(self.diffraction, add_clutter=False).diffraction_db(paths)
        sphere = P526("spherical-earth", add_clutter=False).diffraction_db(paths)
        return {
            "law_db": law,
            "diffraction_db": np.hypot(self.alpha * edges, sphere),
            "clutter_db": _clutter_losses_db(points, self.clutter_loss_db),
        }

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Path loss of each path, dB, shape (n,); `ValidityWarning` outside Hata's ranges."""
        parts = self.loss_parts(paths)
        return parts["law_db"] + parts["diffraction_db"] + parts["clutter_db"]
