"""3GPP TR 38.901 path loss: rural macro, urban macro and urban micro (street canyon), in and out of sight, and indoors.

Source: 3GPP TR 38.901 V17.0.0 (2022-03), sections 7.4.1 (path loss), 7.4.2 (probability of sight) and 7.4.3
(outdoor-to-indoor penetration). The report rounds the speed of light to 3e8 m/s, and so does this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from rfplan.errors import ParameterError
from rfplan.profile import Paths
from rfplan.propagation.base import require_choice, require_range
from rfplan.propagation.sight import line_of_sight
from rfplan.propagation.validity import Validity, broadcast

FloatArray = npt.NDArray[np.float64]
Scenario = Literal["RMa", "UMa", "UMi"]
Sight = Literal["mean", "los", "nlos", "terrain"]
Penetration = Literal["none", "low", "high"]

__all__ = [
    "TR38901",
    "Penetration",
    "Scenario",
    "Sight",
    "tr38901_los_probability",
    "tr38901_loss_db",
    "tr38901_penetration_db",
    "tr38901_penetration_sigma_db",
    "tr38901_shadow_sigma_db",
]

_C_M_S = 3.0e8
_SCENARIOS = ("RMa", "UMa", "UMi")
VALIDITY: dict[str, Validity] = {
    "RMa": Validity("TR 38.901 RMa", (500.0, 30e3), (10.0, 10e3), (10.0, 150.0), (1.0, 10.0)),
    "UMa": Validity("TR 38.901 UMa", (500.0, 100e3), (10.0, 5e3), (25.0, 25.0), (1.5, 22.5)),
    "UMi": Validity("TR 38.901 UMi street canyon", (500.0, 100e3), (10.0, 5e3), (10.0, 10.0), (1.5, 22.5)),
}


def _rma_los(d2: FloatArray, d3: FloatArray, f: FloatArray, h_bs: FloatArray, h_ut: FloatArray, h: float) -> FloatArray:
    """Rural macro in sight: PL1 up to the breakpoint, 40 dB a decade beyond."""
    lg_h = np.log10(h)
    slope, offset = min(0.03 * h**1.72, 10.0), min(0.044 * h**1.72, 14.77)

    def near(d: FloatArray) -> FloatArray:
        return np.asarray(20.0 * np.log10(40.0 * np.pi * d * f / 3.0) + slope * np.log10(d) - offset + 0.002 * lg_h * d)

    breakpoint_m = 2.0 * np.pi * h_bs * h_ut * f * 1e9 / _C_M_S
    return np.where(d2 <= breakpoint_m, near(d3), near(breakpoint_m) + 40.0 * np.log10(d3 / breakpoint_m))


def _urban_los(scenario: Scenario, d2: FloatArray, d3: FloatArray, f: FloatArray, h_bs: FloatArray, h_ut: FloatArray,
               environment_height_m: float) -> FloatArray:  # fmt: skip
    """Urban macro or micro in sight, continuous across its breakpoint."""
    constant, slope, turn = (28.0, 22.0, 9.0) if scenario == "UMa" else (32.4, 21.0, 9.5)
    breakpoint_m = 4.0 * (h_bs - environment_height_m) * (h_ut - environment_height_m) * f * 1e9 / _C_M_S
    lg_d, lg_f = np.log10(d3), np.log10(f)
    near = constant + slope * lg_d + 20.0 * lg_f
    # Where heights equal the environment's the argument of the logarithm is 0 and `near` is not chosen either.
    with np.errstate(divide="ignore"):
        far = constant + 40.0 * lg_d + 20.0 * lg_f - turn * np.log10(breakpoint_m**2 + (h_bs - h_ut) ** 2)
    return np.where(d2 <= breakpoint_m, near, far)


def _nlos(scenario: Scenario, d3: FloatArray, f: FloatArray, h_bs: FloatArray, h_ut: FloatArray, h: float,
          w: float) -> FloatArray:  # fmt: skip
    """Path loss out of sight before the report's floor at the loss in sight."""
    lg_d, lg_f = np.log10(d3), np.log10(f)
    if scenario == "UMa":
        return np.asarray(13.54 + 39.08 * lg_d + 20.0 * lg_f - 0.6 * (h_ut - 1.5))
    if scenario == "UMi":
        return np.asarray(22.4 + 35.3 * lg_d + 21.3 * lg_f - 0.3 * (h_ut - 1.5))
    lg_bs = np.log10(h_bs)
    return np.asarray(
        161.04
        - 7.1 * np.log10(w)
        + 7.5 * np.log10(h)
        - (24.37 - 3.7 * (h / h_bs) ** 2) * lg_bs
        + (43.42 - 3.1 * lg_bs) * (lg_d - 3.0)
        + 20.0 * lg_f
        - (3.2 * np.log10(11.75 * h_ut) ** 2 - 4.97)
    )


def tr38901_loss_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: npt.ArrayLike,
    rx_height_agl_m: npt.ArrayLike,
    *,
    scenario: Scenario = "UMa",
    line_of_sight: npt.ArrayLike = False,
    building_height_m: float = 5.0,
    street_width_m: float = 20.0,
) -> FloatArray:
    """Median outdoor path loss, dB (TR 38.901, table 7.4.1-1).

    Parameters
    ----------
    distance_m
        Distance along the ground, 10 m to 10 km (RMa) or 5 km (UMa, UMi; RMa out of sight too).
    frequency_mhz
        500 to 100 000 MHz; RMa to 30 000 MHz.
    tx_height_agl_m
        Base station antenna: RMa 10 to 150 m; the urban tables are for 25 m (UMa) and 10 m (UMi).
    rx_height_agl_m
        Terminal: RMa 1 to 10 m, UMa and UMi 1.5 to 22.5 m.
    scenario
        "RMa", "UMa" or "UMi".
    line_of_sight
        Whether each path is in sight; a boolean or an array of them.
    building_height_m, street_width_m
        Mean building height and street width, 5 to 50 m; RMa only.

    Returns
    -------
    ndarray
        Loss, dB, in the shape the arguments broadcast to. Out of sight it is never below the loss in sight.

    Raises
    ------
    ParameterError
        When a value is impossible or the scenario unknown.

    Warns
    -----
    ValidityWarning
        Outside the ranges above; the result is then extrapolated.

    Notes
    -----
    The environment height of the urban breakpoint is 1 m. Above a terminal height of 13 m the report draws it at
    random in UMa; the most frequent value, 1 m, is used there too.
    """
    require_choice("scenario", scenario, _SCENARIOS)
    require_range("building_height_m", building_height_m, 1.0, 200.0)
    require_range("street_width_m", street_width_m, 1.0, 200.0)
    d2, f_mhz, h_bs, h_ut = VALIDITY[scenario].checked(distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m)
    f = f_mhz / 1e3
    d3 = np.hypot(d2, h_bs - h_ut)
    if scenario == "RMa":
        in_sight = _rma_los(d2, d3, f, h_bs, h_ut, building_height_m)
    else:
        in_sight = _urban_los(scenario, d2, d3, f, h_bs, h_ut, 1.0)
    out_of_sight = np.maximum(in_sight, _nlos(scenario, d3, f, h_bs, h_ut, building_height_m, street_width_m))
    return np.where(np.asarray(line_of_sight, dtype=bool), in_sight, out_of_sight)


def tr38901_los_probability(
    distance_m: npt.ArrayLike, *, scenario: Scenario = "UMa", rx_height_agl_m: npt.ArrayLike = 1.5
) -> FloatArray:
    """Probability that an outdoor terminal is in sight (TR 38.901, table 7.4.2-1).

    Parameters
    ----------
    distance_m
        Distance along the ground, m.
    scenario
        "RMa", "UMa" or "UMi".
    rx_height_agl_m
        Terminal height, m; only UMa looks at it, up to 23 m.

    Returns
    -------
    ndarray
        Probability, 0 to 1.

    Raises
    ------
    ParameterError
        When a value is impossible or the scenario unknown.
    """
    require_choice("scenario", scenario, _SCENARIOS)
    require_range("distance_m", distance_m, 0.0, 1e6)
    require_range("rx_height_agl_m", rx_height_agl_m, 0.0, 23.0, "the report gives no probability for taller terminals")
    d, h_ut = broadcast(distance_m=distance_m, rx_height_agl_m=rx_height_agl_m)
    if scenario == "RMa":
        return np.where(d <= 10.0, 1.0, np.exp(-(d - 10.0) / 1000.0))
    beyond = np.maximum(d, 18.0)
    decay = 63.0 if scenario == "UMa" else 36.0
    probability = 18.0 / beyond + np.exp(-beyond / decay) * (1.0 - 18.0 / beyond)
    if scenario == "UMa":
        tall = (np.maximum(h_ut - 13.0, 0.0) / 10.0) ** 1.5
        probability = probability * (1.0 + tall * 1.25 * (beyond / 100.0) ** 3 * np.exp(-beyond / 150.0))
    return np.asarray(probability)


def tr38901_shadow_sigma_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: npt.ArrayLike,
    rx_height_agl_m: npt.ArrayLike,
    *,
    scenario: Scenario = "UMa",
    line_of_sight: npt.ArrayLike = False,
) -> FloatArray:
    """Standard deviation of shadow fading about the median, dB (TR 38.901, table 7.4.1-1).

    Parameters, errors and warnings are those of `tr38901_loss_db`.

    Returns
    -------
    ndarray
        Sigma, dB. It differs along the path only in RMa, where it grows from 4 to 6 dB at the breakpoint.
    """
    require_choice("scenario", scenario, _SCENARIOS)
    d, f, h_bs, h_ut = VALIDITY[scenario].checked(distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m)
    in_sight: FloatArray | float = 4.0
    if scenario == "RMa":
        in_sight = np.where(d <= 2.0 * np.pi * h_bs * h_ut * f * 1e6 / _C_M_S, 4.0, 6.0)
    out_of_sight = {"RMa": 8.0, "UMa": 6.0, "UMi": 7.82}[scenario]
    return np.where(np.asarray(line_of_sight, dtype=bool), in_sight, np.full(d.shape, out_of_sight))


def tr38901_penetration_db(
    frequency_mhz: npt.ArrayLike, *, penetration: Penetration = "low", indoor_distance_m: npt.ArrayLike = 0.0
) -> FloatArray:
    """Median outdoor-to-indoor loss, dB: wall and depth (TR 38.901, tables 7.4.3-1 and 7.4.3-2).

    Parameters
    ----------
    frequency_mhz
        500 to 100 000 MHz.
    penetration
        "low" (30 % plain glass, 70 % concrete), "high" (70 % infra-red reflecting glass) or "none" (0 dB).
    indoor_distance_m
        Depth of the terminal behind the facade, m; 0.5 dB a metre. The report draws up to 25 m (RMa: 10 m).

    Returns
    -------
    ndarray
        Loss, dB.

    Raises
    ------
    ParameterError
        When a value is outside the report's range.
    """
    require_choice("penetration", penetration, ("none", "low", "high"))
    require_range("frequency_mhz", frequency_mhz, 500.0, 100e3, "TR 38.901 covers 0.5 to 100 GHz; give MHz")
    require_range("indoor_distance_m", indoor_distance_m, 0.0, 100.0)
    f = np.asarray(frequency_mhz, dtype=np.float64) / 1e3
    depth = 0.5 * np.asarray(indoor_distance_m, dtype=np.float64)
    if penetration == "none":
        return np.asarray(0.0 * (f + depth))
    glass, coated, concrete = 2.0 + 0.2 * f, 23.0 + 0.3 * f, 5.0 + 4.0 * f
    if penetration == "low":
        through = 0.3 * 10.0 ** (-glass / 10.0) + 0.7 * 10.0 ** (-concrete / 10.0)
    else:
        through = 0.7 * 10.0 ** (-coated / 10.0) + 0.3 * 10.0 ** (-concrete / 10.0)
    return np.asarray(5.0 - 10.0 * np.log10(through) + depth)


def tr38901_penetration_sigma_db(penetration: Penetration = "low") -> float:
    """Standard deviation of the outdoor-to-indoor loss, dB (TR 38.901, table 7.4.3-2)."""
    require_choice("penetration", penetration, ("none", "low", "high"))
    return {"none": 0.0, "low": 4.4, "high": 6.5}[penetration]


@dataclass(frozen=True)
class TR38901:
    """TR 38.901 path loss for LTE and NR cells.

    Parameters
    ----------
    scenario
        "RMa" (rural macro), "UMa" (urban macro) or "UMi" (street canyon).
    sight
        How sight is decided. "mean": the loss in and out of sight, dB, weighted with the report's probability of
        sight. "los" or "nlos": always. "terrain": by the profile, clutter heights included (see
        `rfplan.propagation.sight.line_of_sight`); the model then needs profiles.
    penetration
        "none", "low" or "high" outdoor-to-indoor loss.
    indoor_distance_m
        Depth behind the facade, m.
    building_height_m, street_width_m
        Mean building height and street width, m, for RMa.
    """

    scenario: Scenario = "UMa"
    sight: Sight = "mean"
    penetration: Penetration = "none"
    indoor_distance_m: float = 0.0
    building_height_m: float = 5.0
    street_width_m: float = 20.0

    citation: ClassVar[str] = "3GPP TR 38.901 V17.0.0 (2022-03), section 7.4"

    def __post_init__(self) -> None:
        require_choice("scenario", self.scenario, _SCENARIOS)
        require_choice("sight", self.sight, ("mean", "los", "nlos", "terrain"))
        require_choice("penetration", self.penetration, ("none", "low", "high"))

    @property
    def needs(self) -> Literal["distance", "profile"]:
        """What the model looks at: "profile" when sight is decided by terrain, else "distance"."""
        return "profile" if self.sight == "terrain" else "distance"

    @property
    def validity(self) -> Validity:
        """Ranges the report states for the scenario."""
        return VALIDITY[self.scenario]

    def los_fraction(self, paths: Paths) -> FloatArray:
        """Share of sight taken for each path, 0 to 1, shape (n,)."""
        if self.sight == "mean":
            return tr38901_los_probability(
                paths.distance_m, scenario=self.scenario, rx_height_agl_m=np.minimum(paths.rx_height_agl_m, 23.0)
            )
        if self.sight == "terrain":
            if not paths.has_profile:
                raise ParameterError(
                    "sight='terrain' needs profiles, but these paths carry distances only; use sight='mean' or make "
                    "them with PathProfile.paths"
                )
            return line_of_sight(paths).astype(np.float64)
        return np.full(len(paths), 1.0 if self.sight == "los" else 0.0)

    def loss_parts(self, paths: Paths) -> dict[str, FloatArray]:
        """Named parts, dB, which add up to the loss: ``in_sight_db``, ``out_of_sight_db``, ``penetration_db``.

        ``out_of_sight_db`` is what blocked sight adds, weighted with its share.
        """
        share = self.los_fraction(paths)
        visible = self._outdoor(paths, True)
        hidden = self._outdoor(paths, False)
        inside = np.broadcast_to(
            tr38901_penetration_db(
                paths.frequency_mhz, penetration=self.penetration, indoor_distance_m=self.indoor_distance_m
            )
            if self.penetration != "none"
            else np.float64(0.0),
            (len(paths),),
        )
        return {"in_sight_db": visible, "out_of_sight_db": (1.0 - share) * (hidden - visible), "penetration_db": inside}

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Median loss of each path, dB, shape (n,)."""
        return np.asarray(sum(self.loss_parts(paths).values()))

    def shadow_sigma_db(self, paths: Paths) -> FloatArray:
        """Standard deviation of shadowing, dB, shape (n,): outdoor sigmas weighted by sight, with penetration's."""
        columns = (paths.distance_m, paths.frequency_mhz, paths.tx_height_agl_m, paths.rx_height_agl_m)
        share = self.los_fraction(paths)
        visible = tr38901_shadow_sigma_db(*columns, scenario=self.scenario, line_of_sight=True)
        hidden = tr38901_shadow_sigma_db(*columns, scenario=self.scenario, line_of_sight=False)
        outdoor = share * visible + (1.0 - share) * hidden
        return np.hypot(outdoor, tr38901_penetration_sigma_db(self.penetration))

    def _outdoor(self, paths: Paths, visible: bool) -> FloatArray:
        return tr38901_loss_db(
            paths.distance_m,
            paths.frequency_mhz,
            paths.tx_height_agl_m,
            paths.rx_height_agl_m,
            scenario=self.scenario,
            line_of_sight=visible,
            building_height_m=self.building_height_m,
            street_width_m=self.street_width_m,
        )
