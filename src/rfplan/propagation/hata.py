"""Okumura-Hata (Hata 1980) and its COST 231 extension to 2 GHz: the median loss of a macro cell from four numbers.

`rfplan.propagation.ehata` (the extended Hata model of NTIA) looks at terrain as well; these two don't.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from rfplan.profile import Paths
from rfplan.propagation.base import distance_arguments, require_choice
from rfplan.propagation.validity import Validity

FloatArray = npt.NDArray[np.float64]
HataEnvironment = Literal["urban-large", "urban", "suburban", "open"]
Cost231Environment = Literal["metropolitan", "urban", "suburban", "open"]

__all__ = [
    "Cost231Environment",
    "Cost231Hata",
    "HataEnvironment",
    "OkumuraHata",
    "cost231_hata_loss_db",
    "okumura_hata_loss_db",
]

HATA_VALIDITY = Validity("Hata (1980)", (150.0, 1500.0), (1e3, 20e3), (30.0, 200.0), (1.0, 10.0))
COST231_VALIDITY = Validity("COST 231-Hata", (1500.0, 2000.0), (1e3, 20e3), (30.0, 200.0), (1.0, 10.0))


def _mobile_height_db(f: FloatArray, h_m: FloatArray) -> FloatArray:
    """a(h_m) of a small or medium-sized city."""
    lg_f = np.log10(f)
    return np.asarray((1.1 * lg_f - 0.7) * h_m - (1.56 * lg_f - 0.8))


def _mobile_height_large_city_db(f: FloatArray, h_m: FloatArray) -> FloatArray:
    """a(h_m) of a large city. Hata gives it up to 200 and from 400 MHz; between, the split is at 300 MHz."""
    low = 8.29 * np.log10(1.54 * h_m) ** 2 - 1.1
    high = 3.2 * np.log10(11.75 * h_m) ** 2 - 4.97
    return np.where(f < 300.0, low, high)


def _less_built_up_db(f: FloatArray, environment: str) -> FloatArray | float:
    """What Hata takes off the urban loss outside the city."""
    lg_f = np.log10(f)
    if environment == "suburban":
        return np.asarray(2.0 * np.log10(f / 28.0) ** 2 + 5.4)
    if environment == "open":
        return np.asarray(4.78 * lg_f**2 - 18.33 * lg_f + 40.94)
    return 0.0


def _distance_db(d_m: FloatArray, h_b: FloatArray) -> FloatArray:
    lg_hb = np.log10(h_b)
    return np.asarray(-13.82 * lg_hb + (44.9 - 6.55 * lg_hb) * np.log10(d_m / 1e3))


def okumura_hata_loss_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: npt.ArrayLike,
    rx_height_agl_m: npt.ArrayLike,
    *,
    environment: HataEnvironment = "urban",
) -> FloatArray:
    """Median path loss of a macro cell, dB (M. Hata, IEEE Trans. Veh. Technol. VT-29, 1980, pp. 317-325).

    Parameters
    ----------
    distance_m
        1000 to 20 000 m.
    frequency_mhz
        150 to 1500 MHz.
    tx_height_agl_m
        Effective height of the base station antenna, 30 to 200 m, above surrounding roofs.
    rx_height_agl_m
        Height of the mobile, 1 to 10 m.
    environment
        "urban-large", "urban" (small or medium-sized city), "suburban" or "open".

    Returns
    -------
    ndarray
        Loss, dB, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When a value is impossible or the environment unknown.

    Warns
    -----
    ValidityWarning
        Outside the ranges above; the result is then extrapolated.
    """
    require_choice("environment", environment, ("urban-large", "urban", "suburban", "open"))
    d, f, h_b, h_m = HATA_VALIDITY.checked(distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m)
    height_db = _mobile_height_large_city_db(f, h_m) if environment == "urban-large" else _mobile_height_db(f, h_m)
    urban = 69.55 + 26.16 * np.log10(f) + _distance_db(d, h_b) - height_db
    return np.asarray(urban - _less_built_up_db(f, environment))


def cost231_hata_loss_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: npt.ArrayLike,
    rx_height_agl_m: npt.ArrayLike,
    *,
    environment: Cost231Environment = "urban",
) -> FloatArray:
    """Median path loss of a macro cell from 1.5 to 2 GHz, dB (COST 231 final report, 1999, section 4.4.1).

    The report gives "metropolitan" (3 dB more) and "urban" (medium-sized cities and suburban centres with moderate
    tree density). "suburban" and "open" take Hata's own corrections off the latter, as planning tools commonly do.

    Parameters
    ----------
    distance_m
        1000 to 20 000 m.
    frequency_mhz
        1500 to 2000 MHz.
    tx_height_agl_m
        Effective height of the base station antenna, 30 to 200 m, above surrounding roofs.
    rx_height_agl_m
        Height of the mobile, 1 to 10 m.
    environment
        "metropolitan", "urban", "suburban" or "open".

    Returns
    -------
    ndarray
        Loss, dB, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When a value is impossible or the environment unknown.

    Warns
    -----
    ValidityWarning
        Outside the ranges above; the result is then extrapolated.
    """
    require_choice("environment", environment, ("metropolitan", "urban", "suburban", "open"))
    d, f, h_b, h_m = COST231_VALIDITY.checked(distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m)
    urban = 46.3 + 33.9 * np.log10(f) + _distance_db(d, h_b) - _mobile_height_db(f, h_m)
    metropolitan_db = 3.0 if environment == "metropolitan" else 0.0
    return np.asarray(urban + metropolitan_db - _less_built_up_db(f, environment))


@dataclass(frozen=True)
class OkumuraHata:
    """Okumura-Hata for macro cells from 150 to 1500 MHz; terrain is not looked at.

    Parameters
    ----------
    environment
        "urban-large", "urban", "suburban" or "open".
    """

    environment: HataEnvironment = "urban"

    needs: ClassVar[Literal["distance"]] = "distance"
    citation: ClassVar[str] = "M. Hata, IEEE Trans. Veh. Technol. VT-29 (1980) 317-325"
    validity: ClassVar[Validity] = HATA_VALIDITY

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Median loss of each path, dB, shape (n,)."""
        return okumura_hata_loss_db(*distance_arguments(paths), environment=self.environment)


@dataclass(frozen=True)
class Cost231Hata:
    """COST 231-Hata for macro cells from 1500 to 2000 MHz; terrain is not looked at.

    Parameters
    ----------
    environment
        "metropolitan", "urban", "suburban" or "open".
    """

    environment: Cost231Environment = "urban"

    needs: ClassVar[Literal["distance"]] = "distance"
    citation: ClassVar[str] = "COST Action 231 final report, EUR 18957 (1999), section 4.4.1"
    validity: ClassVar[Validity] = COST231_VALIDITY

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Median loss of each path, dB, shape (n,)."""
        return cost231_hata_loss_db(*distance_arguments(paths), environment=self.environment)
