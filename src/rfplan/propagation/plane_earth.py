"""Two-ray ground reflection, its plane-earth limit, Egli's irregular-terrain fit, and the log-distance law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from rfplan.constants import SPEED_OF_LIGHT_M_S
from rfplan.profile import Paths, Polarization
from rfplan.propagation.base import require, require_choice, require_range
from rfplan.propagation.free_space import free_space_loss_db
from rfplan.propagation.validity import Validity

FloatArray = npt.NDArray[np.float64]

__all__ = [
    "Egli",
    "LogDistance",
    "TwoRay",
    "egli_loss_db",
    "log_distance_loss_db",
    "plane_earth_loss_db",
    "two_ray_loss_db",
]

EGLI_VALIDITY = Validity("Egli (1957)", (30.0, 1000.0), (1e3, 50e3), (1.0, 1500.0), (1.0, 100.0))
ANY = Validity("the log-distance law")


def plane_earth_loss_db(
    distance_m: npt.ArrayLike, tx_height_agl_m: npt.ArrayLike, rx_height_agl_m: npt.ArrayLike
) -> FloatArray:
    """Plane-earth loss 40 lg d - 20 lg(h_t h_r), dB: the two-ray loss far beyond 4 h_t h_r / wavelength.

    Parameters
    ----------
    distance_m, tx_height_agl_m, rx_height_agl_m
        Distance and antenna heights, m; positive, scalars or arrays that broadcast.

    Returns
    -------
    ndarray
        Loss, dB; it doesn't depend on frequency.

    Raises
    ------
    ParameterError
        When a value is not positive.
    """
    d, _, h_t, h_r = ANY.checked(distance_m, 100.0, tx_height_agl_m, rx_height_agl_m)
    return np.asarray(40.0 * np.log10(d) - 20.0 * np.log10(h_t * h_r))


def two_ray_loss_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: npt.ArrayLike,
    rx_height_agl_m: npt.ArrayLike,
    *,
    polarization: Polarization = "vertical",
    relative_permittivity: float = 15.0,
    conductivity_s_m: float = 0.005,
) -> FloatArray:
    """Loss of a direct ray and one reflected from flat smooth ground, dB, with their interference.

    Textbook optics: Fresnel's reflection coefficient of a lossy ground (for instance Parsons, The Mobile Radio
    Propagation Channel, 2nd edition, section 2.3). Antennas are taken as isotropic.

    Parameters
    ----------
    distance_m
        Distance along the ground, m.
    frequency_mhz
        Frequency, MHz.
    tx_height_agl_m, rx_height_agl_m
        Antenna heights above the flat ground, m.
    polarization
        "vertical" or "horizontal".
    relative_permittivity, conductivity_s_m
        The ground's permittivity and conductivity, S/m; the defaults are average land (P.527).

    Returns
    -------
    ndarray
        Loss, dB, in the shape the arguments broadcast to. It ripples nearer than 4 h_t h_r / wavelength.

    Raises
    ------
    ParameterError
        When a value is impossible.
    """
    require_choice("polarization", polarization, ("vertical", "horizontal"))
    require_range("relative_permittivity", relative_permittivity, 1.0, 200.0)
    require_range("conductivity_s_m", conductivity_s_m, 0.0, 100.0)
    d, f, h_t, h_r = ANY.checked(distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m)
    wavelength = SPEED_OF_LIGHT_M_S / (f * 1e6)
    direct = np.hypot(d, h_t - h_r)
    reflected = np.hypot(d, h_t + h_r)
    permittivity = relative_permittivity - 60j * conductivity_s_m * wavelength
    sine, cosine = (h_t + h_r) / reflected, d / reflected
    root = np.sqrt(permittivity - cosine**2)
    scale = permittivity if polarization == "vertical" else 1.0
    coefficient = (scale * sine - root) / (scale * sine + root)
    # The difference of the two lengths is formed without cancellation.
    difference = 4.0 * h_t * h_r / (direct + reflected)
    phase = np.exp(-2j * np.pi * difference / wavelength)
    gain = np.abs(1.0 + coefficient * (direct / reflected) * phase)
    return np.asarray(free_space_loss_db(direct, f) - 20.0 * np.log10(gain))


def egli_loss_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: npt.ArrayLike,
    rx_height_agl_m: npt.ArrayLike,
) -> FloatArray:
    """Median loss over irregular terrain, dB (J. J. Egli, Proc. IRE 45 (1957) 1383-1391).

    In the form of Delisle et al., IEEE Trans. Veh. Technol. 34 (1985) 86-96: plane-earth slope with a median terrain
    factor. It steps down by 0.4 dB where the mobile passes 10 m.

    Parameters
    ----------
    distance_m
        1000 to 50 000 m, in sight or slightly beyond.
    frequency_mhz
        30 to 1000 MHz.
    tx_height_agl_m, rx_height_agl_m
        Base and mobile heights, m, from 1 m.

    Returns
    -------
    ndarray
        Loss, dB, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When a value is impossible.

    Warns
    -----
    ValidityWarning
        Outside the ranges above; the result is then extrapolated.
    """
    d, f, h_b, h_m = EGLI_VALIDITY.checked(distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m)
    mobile = np.where(h_m <= 10.0, 76.3 - 10.0 * np.log10(h_m), 85.9 - 20.0 * np.log10(h_m))
    return np.asarray(20.0 * np.log10(f) + 40.0 * np.log10(d / 1e3) - 20.0 * np.log10(h_b) + mobile)


def log_distance_loss_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    *,
    exponent: float = 3.5,
    reference_distance_m: float = 1.0,
    reference_loss_db: float | None = None,
) -> FloatArray:
    """Log-distance law, dB: the loss at a reference distance and 10 n dB a decade from there.

    Parameters
    ----------
    distance_m
        Distance, m.
    frequency_mhz
        Frequency, MHz; used where the reference loss is free space.
    exponent
        Path loss exponent n, 1 to 10; 2 is free space.
    reference_distance_m
        Distance of the reference, m; 1 m makes it the close-in model of the mobile literature.
    reference_loss_db
        Loss there, dB; None takes free space.

    Returns
    -------
    ndarray
        Loss, dB, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When a value is impossible.
    """
    require_range("exponent", exponent, 1.0, 10.0)
    require_range("reference_distance_m", reference_distance_m, 1e-3, 1e6)
    d, f = ANY.checked(distance_m, frequency_mhz)
    if reference_loss_db is None:
        reference: FloatArray | float = free_space_loss_db(reference_distance_m, f)
    else:
        require(bool(np.isfinite(reference_loss_db)), "reference_loss_db", reference_loss_db, "a finite number of dB")
        reference = reference_loss_db
    return np.asarray(reference + 10.0 * exponent * np.log10(d / reference_distance_m))


@dataclass(frozen=True)
class TwoRay:
    """Two-ray reflection over flat ground: lakes, deltas and airfields in sight.

    Parameters
    ----------
    relative_permittivity, conductivity_s_m
        Electrical constants of the ground; 80 and 0.01 S/m for fresh water, 15 and 0.005 S/m for average land.
    """

    relative_permittivity: float = 15.0
    conductivity_s_m: float = 0.005

    needs: ClassVar[Literal["distance"]] = "distance"
    citation: ClassVar[str] = "J. D. Parsons, The Mobile Radio Propagation Channel, 2nd edition (2000), section 2.3"
    validity: ClassVar[Validity] = ANY

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Loss of each path, dB, shape (n,)."""
        return two_ray_loss_db(
            paths.distance_m,
            paths.frequency_mhz,
            paths.tx_height_agl_m,
            paths.rx_height_agl_m,
            polarization=paths.polarization,
            relative_permittivity=self.relative_permittivity,
            conductivity_s_m=self.conductivity_s_m,
        )


@dataclass(frozen=True)
class Egli:
    """Egli's median loss over irregular terrain from 30 to 1000 MHz."""

    needs: ClassVar[Literal["distance"]] = "distance"
    citation: ClassVar[str] = "J. J. Egli, Proc. IRE 45 (1957) 1383-1391; Delisle et al., IEEE TVT 34 (1985) 86-96"
    validity: ClassVar[Validity] = EGLI_VALIDITY

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Median loss of each path, dB, shape (n,)."""
        return egli_loss_db(paths.distance_m, paths.frequency_mhz, paths.tx_height_agl_m, paths.rx_height_agl_m)


@dataclass(frozen=True)
class LogDistance:
    """Log-distance law over the straight line between the antennas.

    Parameters
    ----------
    exponent
        Path loss exponent.
    reference_distance_m
        Distance of the reference, m.
    reference_loss_db
        Loss at the reference, dB; None is free space.
    """

    exponent: float = 3.5
    reference_distance_m: float = 1.0
    reference_loss_db: float | None = None

    needs: ClassVar[Literal["distance"]] = "distance"
    citation: ClassVar[str] = "T. S. Rappaport, Wireless Communications, 2nd edition (2002), section 4.9"
    validity: ClassVar[Validity] = ANY

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Loss of each path, dB, shape (n,)."""
        slant_m = np.hypot(paths.distance_m, paths.tx_height_agl_m - paths.rx_height_agl_m)
        return log_distance_loss_db(
            slant_m,
            paths.frequency_mhz,
            exponent=self.exponent,
            reference_distance_m=self.reference_distance_m,
            reference_loss_db=self.reference_loss_db,
        )
