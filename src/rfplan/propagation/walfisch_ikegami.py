"""COST 231 Walfisch-Ikegami: small macro cells over roofs of equal height, and street canyons in sight.

Source: COST Action 231 final report, EUR 18957 (1999), section 4.4.1, equations 4.4.6 to 4.4.20.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from rfplan.profile import Paths
from rfplan.propagation.base import require, require_range
from rfplan.propagation.validity import Validity

FloatArray = npt.NDArray[np.float64]

__all__ = ["UrbanForm", "WalfischIkegami", "walfisch_ikegami_loss_db", "walfisch_ikegami_parts_db"]

VALIDITY = Validity("COST 231 Walfisch-Ikegami", (800.0, 2000.0), (20.0, 5e3), (4.0, 50.0), (1.0, 3.0))


@dataclass(frozen=True)
class UrbanForm:
    """The built-up area that Walfisch-Ikegami looks at; the defaults are those the COST 231 report recommends.

    Parameters
    ----------
    roof_height_m
        Height of the roofs, m.
    street_width_m
        Width of the streets between facades, m.
    building_separation_m
        Distance between the centres of neighbouring rows of buildings, m.
    street_angle_deg
        Angle between the street and the direct path, 0 to 90 degrees; 90 is the report's default.
    metropolitan
        Whether it is a metropolitan centre rather than a medium-sized city or suburb.
    """

    roof_height_m: float = 15.0
    street_width_m: float = 20.0
    building_separation_m: float = 40.0
    street_angle_deg: float = 90.0
    metropolitan: bool = False

    def __post_init__(self) -> None:
        require_range("roof_height_m", self.roof_height_m, 1.0, 500.0)
        require_range("street_width_m", self.street_width_m, 1.0, 500.0)
        require_range("building_separation_m", self.building_separation_m, 1.0, 1000.0)
        require_range("street_angle_deg", self.street_angle_deg, 0.0, 90.0)


def _street_orientation_db(angle_deg: float) -> float:
    """Orientation loss of the street; it jumps by 0.11 dB at 35 degrees and is level at 55."""
    if angle_deg < 35.0:
        return -10.0 + 0.354 * angle_deg
    if angle_deg < 55.0:
        return 2.5 + 0.075 * (angle_deg - 35.0)
    return 4.0 - 0.114 * (angle_deg - 55.0)


def _multi_screen_db(d_km: FloatArray, f: FloatArray, h_b: FloatArray, form: UrbanForm) -> FloatArray:
    over_roof = h_b - form.roof_height_m
    above = over_roof > 0.0
    shielding = np.where(above, -18.0 * np.log10(1.0 + np.maximum(over_roof, 0.0)), 0.0)
    k_a = np.where(above, 54.0, 54.0 - 0.8 * over_roof * np.where(d_km >= 0.5, 1.0, d_km / 0.5))
    k_d = np.where(above, 18.0, 18.0 - 15.0 * over_roof / form.roof_height_m)
    k_f = -4.0 + (1.5 if form.metropolitan else 0.7) * (f / 925.0 - 1.0)
    return np.asarray(
        shielding + k_a + k_d * np.log10(d_km) + k_f * np.log10(f) - 9.0 * np.log10(form.building_separation_m)
    )


def walfisch_ikegami_parts_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: npt.ArrayLike,
    rx_height_agl_m: npt.ArrayLike,
    *,
    form: UrbanForm | None = None,
    line_of_sight: bool = False,
) -> dict[str, FloatArray]:
    """Named parts of the loss, dB, which add up to `walfisch_ikegami_loss_db`.

    Parameters, errors and warnings are those of `walfisch_ikegami_loss_db`.

    Returns
    -------
    dict
        ``free_space_db``, and in sight ``street_canyon_db``, else ``rooftop_to_street_db`` and ``multi_screen_db``
        (both 0 where their sum is negative, so that the loss is never below free space).
    """
    form = UrbanForm() if form is None else form
    d, f, h_b, h_m = VALIDITY.checked(distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m)
    d_km = d / 1e3
    free = 32.4 + 20.0 * np.log10(d_km) + 20.0 * np.log10(f)
    if line_of_sight:
        canyon = 42.6 + 26.0 * np.log10(d_km) + 20.0 * np.log10(f)
        return {"free_space_db": free, "street_canyon_db": canyon - free}
    below_roof = form.roof_height_m - h_m
    require(
        bool((below_roof > 0.0).all()),
        "rx_height_agl_m",
        float(h_m.max()),
        f"below the roofs, {form.roof_height_m:g} m",
        "lower the receiver or raise roof_height_m",
    )
    street = (
        -16.9
        - 10.0 * np.log10(form.street_width_m)
        + 10.0 * np.log10(f)
        + 20.0 * np.log10(below_roof)
        + _street_orientation_db(form.street_angle_deg)
    )
    screens = _multi_screen_db(d_km, f, h_b, form)
    counts = street + screens > 0.0
    return {
        "free_space_db": free,
        "rooftop_to_street_db": np.where(counts, street, 0.0),
        "multi_screen_db": np.where(counts, screens, 0.0),
    }


def walfisch_ikegami_loss_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: npt.ArrayLike,
    rx_height_agl_m: npt.ArrayLike,
    *,
    form: UrbanForm | None = None,
    line_of_sight: bool = False,
) -> FloatArray:
    """Median path loss over roofs or along a street canyon, dB (COST 231 final report, section 4.4.1).

    Parameters
    ----------
    distance_m
        20 to 5000 m.
    frequency_mhz
        800 to 2000 MHz.
    tx_height_agl_m
        Base station antenna, 4 to 50 m. Below roof height the report itself expects large errors.
    rx_height_agl_m
        Mobile, 1 to 3 m, below the roofs.
    form
        Roofs and streets; None is `UrbanForm` with its defaults.
    line_of_sight
        Whether the antennas see each other along the street.

    Returns
    -------
    ndarray
        Loss, dB, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When a value is impossible, or the mobile is not below the roofs.

    Warns
    -----
    ValidityWarning
        Outside the ranges above; the result is then extrapolated.
    """
    parts = walfisch_ikegami_parts_db(
        distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m, form=form, line_of_sight=line_of_sight
    )
    return np.asarray(sum(parts.values()))


@dataclass(frozen=True)
class WalfischIkegami:
    """COST 231 Walfisch-Ikegami for urban cells up to 5 km.

    Parameters
    ----------
    form
        Roofs and streets.
    line_of_sight
        Whether the paths run along a street in sight of the antenna.
    """

    form: UrbanForm = UrbanForm()
    line_of_sight: bool = False

    needs: ClassVar[Literal["distance"]] = "distance"
    citation: ClassVar[str] = "COST Action 231 final report, EUR 18957 (1999), section 4.4.1"
    validity: ClassVar[Validity] = VALIDITY

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Median loss of each path, dB, shape (n,)."""
        return np.asarray(sum(self.loss_parts(paths).values()))

    def loss_parts(self, paths: Paths) -> dict[str, FloatArray]:
        """Free space and what roofs and street add, dB."""
        return walfisch_ikegami_parts_db(
            paths.distance_m,
            paths.frequency_mhz,
            paths.tx_height_agl_m,
            paths.rx_height_agl_m,
            form=self.form,
            line_of_sight=self.line_of_sight,
        )
