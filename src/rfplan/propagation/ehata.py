"""Extended Hata model (NTIA eHata): Okumura–Hata carried to 3 GHz and 100 km, with terrain corrections.

Source: E. F. Drocella and others, "3.5 GHz exclusion zone analyses and methodology", NTIA Technical Report TR-15-517
(2015, revised 2016), appendix A; Y. Okumura and others, Review of the ECL 16 (1968).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from rfplan.errors import DataWarning
from rfplan.kernels import ehata as kernels
from rfplan.kernels.p1812 import inverse_normal
from rfplan.profile import Paths, Zone
from rfplan.propagation.base import check_range, require, require_choice, require_range
from rfplan.propagation.profile_checks import profile_points, read_only

FloatArray = npt.NDArray[np.float64]
Environment = Literal["urban", "suburban", "rural"]

__all__ = ["Environment", "ExtendedHata"]

_ENVIRONMENTS = {"urban": kernels.URBAN, "suburban": kernels.SUBURBAN, "rural": kernels.RURAL}
_SOURCE = "the extended Hata model (TR-15-517)"


@dataclass(frozen=True)
class ExtendedHata:
    """NTIA's extended Hata loss over a profile, 1.5 to 3 GHz, 1 to 100 km, base to mobile.

    The transmitter is the base (30 to 200 m), the receiver the mobile (1 to 10 m). The model works with effective
    heights above the ground 3 to 15 km away and keeps those within the same limits: heights outside them therefore
    change terrain horizons only, and a `ValidityWarning` says so.

    Parameters
    ----------
    environment
        "urban", "suburban" or "rural".
    location_percent
        Percentage of locations on which the loss is not exceeded, above 0 and below 100; 50 is the median.
    ridge
        "published" computes an isolated ridge as NTIA's release and its published values do: figure 31 of Okumura is
        extrapolated, and the ridge's height is taken against a line with the two antennas' weights exchanged.
        "geometric" uses the line between the antennas and stays within the figure.
    sea_at_zero_elevation
        Count points at exactly 0 m as sea, as the source does; points of zone `Zone.SEA` always count.

    Raises
    ------
    ParameterError
        When a parameter is out of range.
    """

    environment: Environment = "suburban"
    location_percent: float = 50.0
    ridge: Literal["published", "geometric"] = "published"
    sea_at_zero_elevation: bool = True

    needs: ClassVar[Literal["profile"]] = "profile"
    citation: ClassVar[str] = "NTIA Technical Report TR-15-517 (2015), appendix A (extended Hata, eHata)"

    def __post_init__(self) -> None:
        require_choice("environment", self.environment, tuple(_ENVIRONMENTS))
        require_choice("ridge", self.ridge, ("published", "geometric"))
        percent = self.location_percent
        require(0.0 < percent < 100.0, "location_percent", percent, "above 0 and below 100 (percent)")

    def _parts(self, paths: Paths) -> FloatArray:
        points = profile_points(paths, "ExtendedHata")
        require_range("frequency_mhz", paths.frequency_mhz, 100.0, 10_000.0, "MHz")
        require_range("tx_height_agl_m", paths.tx_height_agl_m, 0.0, 3000.0, "metres above ground")
        require_range("rx_height_agl_m", paths.rx_height_agl_m, 0.0, 3000.0, "metres above ground")
        sea = points.zone == Zone.SEA
        if self.sea_at_zero_elevation:
            sea |= points.elevation_amsl_m == 0.0
        # The published approximation of the quantile is not quite 0 at the median; the median needs none.
        quantile = 0.0 if self.location_percent == 50.0 else float(inverse_normal(self.location_percent / 100))
        out = np.empty((len(paths), len(kernels.PARTS)))
        equal = np.empty(len(paths), dtype=np.bool_)
        kernels.ehata_batch(
            (points.start, points.stop, points.distance_m, points.elevation_amsl_m, read_only(sea)),
            read_only(paths.frequency_mhz),
            read_only(paths.tx_height_agl_m),
            read_only(paths.rx_height_agl_m),
            _ENVIRONMENTS[self.environment],
            quantile,
            self.ridge == "geometric",
            out,
            equal,
        )
        if not equal.all():
            warnings.warn(
                "ExtendedHata: a profile's points are not equally spaced; "
                "its elevations were interpolated to equal steps",
                DataWarning,
                stacklevel=4,
            )
        return out

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Basic transmission loss of each path, dB, shape (n,); `ValidityWarning` outside the model's ranges."""
        loss = self._parts(paths).sum(axis=1)
        check_range("frequency_mhz", paths.frequency_mhz, 1500.0, 3000.0, _SOURCE)
        check_range("distance_m", paths.distance_m, 1e3, 100e3, _SOURCE)
        check_range("tx_height_agl_m", paths.tx_height_agl_m, 30.0, 200.0, _SOURCE)
        check_range("rx_height_agl_m", paths.rx_height_agl_m, 1.0, 10.0, _SOURCE)
        return np.asarray(loss)

    def loss_parts(self, paths: Paths) -> dict[str, FloatArray]:
        """Median loss and corrections, dB, each of shape (n,); they sum to the loss."""
        out = self._parts(paths)
        return {name: np.ascontiguousarray(out[:, i]) for i, name in enumerate(kernels.PARTS)}
