"""Models for fixed wireless access and cells from 2 to 4 GHz: ECC-33, SUI (Erceg) and Ericsson 9999."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from rfplan.profile import Paths
from rfplan.propagation.base import distance_arguments, require_choice
from rfplan.propagation.free_space import free_space_loss_db
from rfplan.propagation.validity import Validity

FloatArray = npt.NDArray[np.float64]
City = Literal["medium", "large"]
SuiTerrain = Literal["A", "B", "C"]
EricssonEnvironment = Literal["urban", "suburban", "rural"]

__all__ = [
    "Ecc33",
    "Ericsson9999",
    "Sui",
    "ecc33_loss_db",
    "ecc33_parts_db",
    "ericsson9999_loss_db",
    "sui_loss_db",
    "sui_shadow_sigma_db",
]

ECC33_VALIDITY = Validity("ECC-33", (700.0, 3500.0), (1e3, 10e3), (20.0, 200.0), (5.0, 10.0))
SUI_VALIDITY = Validity("SUI (IEEE 802.16.3c-01/29r4)", (1900.0, 11e3), (100.0, 8e3), (10.0, 80.0), (2.0, 10.0))
ERICSSON_VALIDITY = Validity("Ericsson 9999", (150.0, 1900.0), (200.0, 100e3), (20.0, 200.0), (1.0, 5.0))

# a, b (1/m), c (m), mobile-height slope dB/decade, shadowing sigma dB: hilly with trees; between; flat with few trees
_SUI: dict[str, tuple[float, float, float, float, float]] = {
    "A": (4.6, 0.0075, 12.6, 10.8, 10.6),
    "B": (4.0, 0.0065, 17.1, 10.8, 9.6),
    "C": (3.6, 0.0050, 20.0, 20.0, 8.2),
}
# a0, a1; a2 = -12 and a3 = 0.1 everywhere
_ERICSSON: dict[str, tuple[float, float]] = {"urban": (36.2, 30.2), "suburban": (43.2, 68.93), "rural": (45.95, 100.6)}


def ecc33_parts_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: npt.ArrayLike,
    rx_height_agl_m: npt.ArrayLike,
    *,
    city: City = "medium",
) -> dict[str, FloatArray]:
    """Named parts of the ECC-33 loss, dB, which add up to `ecc33_loss_db`; parameters are the same.

    Returns
    -------
    dict
        ``free_space_db``, ``basic_median_db``, and the antenna height gains as losses, ``tx_height_db`` and
        ``rx_height_db``.
    """
    require_choice("city", city, ("medium", "large"))
    d, f, h_b, h_m = ECC33_VALIDITY.checked(distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m)
    lg_d, lg_f = np.log10(d / 1e3), np.log10(f / 1e3)
    gain_m = 0.759 * h_m - 1.862 if city == "large" else (42.57 + 13.7 * lg_f) * (np.log10(h_m) - 0.585)
    return {
        "free_space_db": np.asarray(92.4 + 20.0 * lg_d + 20.0 * lg_f),
        "basic_median_db": np.asarray(20.41 + 9.83 * lg_d + 7.894 * lg_f + 9.56 * lg_f**2),
        "tx_height_db": np.asarray(-np.log10(h_b / 200.0) * (13.958 + 5.8 * lg_d**2)),
        "rx_height_db": np.asarray(-gain_m),
    }


def ecc33_loss_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: npt.ArrayLike,
    rx_height_agl_m: npt.ArrayLike,
    *,
    city: City = "medium",
) -> FloatArray:
    """Median path loss of the ECC-33 model, dB.

    Source: ECC Report 33 (2003) as given by Abhayawardhana et al., IEEE VTC Spring 2005, pp. 73-77. It fits Okumura's
    curves again, reaching 3.5 GHz, and suits urban fixed access with receivers at roof height.

    Parameters
    ----------
    distance_m
        1000 to 10 000 m.
    frequency_mhz
        700 to 3500 MHz.
    tx_height_agl_m
        20 to 200 m.
    rx_height_agl_m
        5 to 10 m. At 1.5 m the medium-city gain is extrapolated and the loss rises fast.
    city
        "medium" or "large" (tall buildings).

    Returns
    -------
    ndarray
        Loss, dB, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When a value is impossible or the city unknown.

    Warns
    -----
    ValidityWarning
        Outside the ranges above; the result is then extrapolated.
    """
    parts = ecc33_parts_db(distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m, city=city)
    return np.asarray(sum(parts.values()))


def sui_loss_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: npt.ArrayLike,
    rx_height_agl_m: npt.ArrayLike,
    *,
    terrain: SuiTerrain = "B",
) -> FloatArray:
    """Median path loss of the Stanford University Interim (Erceg) model, dB, without shadowing.

    Source: V. Erceg et al., IEEE JSAC 17 (1999) 1205-1211, with the frequency and receiver height corrections of
    IEEE 802.16.3c-01/29r4. At 2000 MHz and a receiver of 2 m it is Erceg's model as measured.

    Parameters
    ----------
    distance_m
        100 to 8000 m.
    frequency_mhz
        1900 to 11 000 MHz.
    tx_height_agl_m
        10 to 80 m.
    rx_height_agl_m
        2 to 10 m.
    terrain
        "A" (hilly, moderate to heavy trees: most loss), "B" (between) or "C" (flat, few trees: least loss).

    Returns
    -------
    ndarray
        Loss, dB, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When a value is impossible or the terrain unknown.

    Warns
    -----
    ValidityWarning
        Outside the ranges above; the result is then extrapolated.
    """
    require_choice("terrain", terrain, _SUI)
    d, f, h_b, h_m = SUI_VALIDITY.checked(distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m)
    a, b, c, height_slope, _ = _SUI[terrain]
    exponent = a - b * h_b + c / h_b
    reference = free_space_loss_db(100.0, f)
    corrections = 6.0 * np.log10(f / 2000.0) - height_slope * np.log10(h_m / 2.0)
    return np.asarray(reference + 10.0 * exponent * np.log10(d / 100.0) + corrections)


def sui_shadow_sigma_db(terrain: SuiTerrain = "B") -> float:
    """Mean standard deviation of shadowing about the SUI median, dB (Erceg 1999, Table I)."""
    require_choice("terrain", terrain, _SUI)
    return _SUI[terrain][4]


def ericsson9999_loss_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: npt.ArrayLike,
    rx_height_agl_m: npt.ArrayLike,
    *,
    environment: EricssonEnvironment = "urban",
) -> FloatArray:
    """Median path loss of the Ericsson 9999 model, dB.

    Source: J. Milanovic, S. Rimac-Drlje, K. Bejuk, IEEE ICECS 2007, pp. 111-114. It is Hata with coefficients to be
    tuned; the suburban and rural defaults in the literature have slopes so steep that beyond some kilometres they
    exceed the urban loss. Calibrate before trusting them.

    Parameters
    ----------
    distance_m
        200 to 100 000 m.
    frequency_mhz
        150 to 1900 MHz.
    tx_height_agl_m
        20 to 200 m.
    rx_height_agl_m
        1 to 5 m.
    environment
        "urban", "suburban" or "rural".

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
    require_choice("environment", environment, _ERICSSON)
    d, f, h_b, h_m = ERICSSON_VALIDITY.checked(distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m)
    a0, a1 = _ERICSSON[environment]
    lg_d, lg_f, lg_hb = np.log10(d / 1e3), np.log10(f), np.log10(h_b)
    return np.asarray(
        a0
        + a1 * lg_d
        - 12.0 * lg_hb
        + 0.1 * lg_hb * lg_d
        - 3.2 * np.log10(11.75 * h_m) ** 2
        + 44.49 * lg_f
        - 4.78 * lg_f**2
    )


@dataclass(frozen=True)
class Ecc33:
    """ECC-33 for urban fixed access from 700 to 3500 MHz.

    Parameters
    ----------
    city
        "medium" or "large".
    """

    city: City = "medium"

    needs: ClassVar[Literal["distance"]] = "distance"
    citation: ClassVar[str] = "ECC Report 33 (2003); Abhayawardhana et al., IEEE VTC Spring 2005, 73-77"
    validity: ClassVar[Validity] = ECC33_VALIDITY

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Median loss of each path, dB, shape (n,)."""
        return np.asarray(sum(self.loss_parts(paths).values()))

    def loss_parts(self, paths: Paths) -> dict[str, FloatArray]:
        """Free space, basic median and antenna height terms, dB."""
        return ecc33_parts_db(*distance_arguments(paths), city=self.city)


@dataclass(frozen=True)
class Sui:
    """Stanford University Interim (Erceg) model for fixed access from 1.9 GHz.

    Parameters
    ----------
    terrain
        "A", "B" or "C", from hilly with trees to flat and open.
    """

    terrain: SuiTerrain = "B"

    needs: ClassVar[Literal["distance"]] = "distance"
    citation: ClassVar[str] = "V. Erceg et al., IEEE JSAC 17 (1999) 1205-1211; IEEE 802.16.3c-01/29r4"
    validity: ClassVar[Validity] = SUI_VALIDITY

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Median loss of each path, dB, shape (n,)."""
        return sui_loss_db(*distance_arguments(paths), terrain=self.terrain)


@dataclass(frozen=True)
class Ericsson9999:
    """Ericsson 9999 with the coefficients found in the literature.

    Parameters
    ----------
    environment
        "urban", "suburban" or "rural".
    """

    environment: EricssonEnvironment = "urban"

    needs: ClassVar[Literal["distance"]] = "distance"
    citation: ClassVar[str] = "Milanovic, Rimac-Drlje, Bejuk, IEEE ICECS 2007, 111-114"
    validity: ClassVar[Validity] = ERICSSON_VALIDITY

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Median loss of each path, dB, shape (n,)."""
        return ericsson9999_loss_db(*distance_arguments(paths), environment=self.environment)
