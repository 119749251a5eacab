"""Who receives, and what counts as covered."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rfplan.coverage.penetration import Penetration
from rfplan.errors import ParameterError

RECEIVERS: dict[str, dict[str, float]] = {
    "handset": {},
    "vehicle": {"height_agl_m": 2.0, "gain_dbi": 0.0, "body_loss_db": 0.0},
    "fixed": {"height_agl_m": 6.0, "gain_dbi": 9.0, "body_loss_db": 0.0, "noise_figure_db": 5.0},
    "meter": {"height_agl_m": 1.0, "gain_dbi": -3.0, "body_loss_db": 0.0, "noise_figure_db": 5.0},
}


@dataclass(frozen=True)
class Receiver:
    """The user's device.

    Parameters
    ----------
    height_agl_m : float
        Antenna height above ground.
    noise_figure_db : float
        Downlink receiver noise figure.
    gain_dbi : float
        Antenna gain, both directions.
    body_loss_db : float
        Loss to hand and head, both directions.
    power_dbm : float
        Largest uplink transmit power (23 dBm is power class 3, TS 36.101 §6.2.2).
    """

    height_agl_m: float = 1.5
    noise_figure_db: float = 7.0
    gain_dbi: float = 0.0
    body_loss_db: float = 1.0
    power_dbm: float = 23.0

    def __post_init__(self) -> None:
        _check(self, "height_agl_m", 0.1, 3000.0)
        _check(self, "noise_figure_db", 0.0, 30.0)
        _check(self, "gain_dbi", -30.0, 60.0)
        _check(self, "body_loss_db", 0.0, 40.0)
        _check(self, "power_dbm", -50.0, 60.0)

    @classmethod
    def named(cls, name: str) -> Receiver:
        """A usual device: ``handset``, ``vehicle`` with a roof antenna, ``fixed`` on a roof, ``meter`` by a wall.

        Planning values: body loss only for the handset, external antennas of 0, 9 and −3 dBi, power class 3 (23 dBm).
        """
        if name not in RECEIVERS:
            raise ParameterError(f"receiver {name!r} is not known; known: {', '.join(RECEIVERS)}")
        return cls(**RECEIVERS[name])


@dataclass(frozen=True)
class Service:
    """What must be received for a pixel to count as covered, in both directions.

    Parameters
    ----------
    name : str
        For tables and maps.
    required_rsrp_dbm : float
        Least level of the reference signal at the device; contains every downlink margin.
    uplink_sinr_db, uplink_resource_blocks
        What the base station needs, over how many resource blocks (4G: 180 kHz, 5G at 30 kHz: 360 kHz each;
        3G and 2G use their whole channel).
    interference_margin_db : float
        Rise of the uplink noise by other users.
    fading_margin_db : float
        Uplink margin against shadowing. Not applied when the model's own location percentage already holds one.
    penetration_db : float
        Loss into the building or car, both directions, alike everywhere.
    penetration : Penetration, optional
        Further loss by clutter class and frequency: :class:`BuildingEntry`, :class:`CarEntry` or your own.
    shadowing_sigma_db : float, optional
        Standard deviation of shadowing for the probability of coverage; None takes the model's own (a calibrated
        model has learnt it), else 8 dB.
    downlink_margin_db : float
        The part of `required_rsrp_dbm` that is a fading margin: taken out again where the probability of coverage
        counts shadowing itself.
    required_sinr_db, required_downlink_mbps, required_uplink_mbps, target_probability : float, optional
        Further conditions, which :meth:`RadioMap.layers` puts together with the margin in ``service_met``: data SINR,
        rates of a user alone in the cell, and the probability of coverage.
    """

    name: str = "outdoor"
    required_rsrp_dbm: float = -110.0
    uplink_sinr_db: float = -5.0
    uplink_resource_blocks: int = 4
    interference_margin_db: float = 3.0
    fading_margin_db: float = 8.7
    penetration_db: float = 0.0
    penetration: Penetration | None = None
    shadowing_sigma_db: float | None = None
    downlink_margin_db: float = 0.0
    required_sinr_db: float | None = None
    required_downlink_mbps: float | None = None
    required_uplink_mbps: float | None = None
    target_probability: float | None = None

    def __post_init__(self) -> None:
        if self.shadowing_sigma_db is not None:
            _check(self, "shadowing_sigma_db", 0.1, 30.0)
        limits = {"required_sinr_db": (-40.0, 60.0), "target_probability": (0.0, 1.0)}
        for name in ("required_sinr_db", "required_downlink_mbps", "required_uplink_mbps", "target_probability"):
            if getattr(self, name) is not None:
                _check(self, name, *limits.get(name, (0.0, 1e6)))
        _check(self, "required_rsrp_dbm", -200.0, 50.0)
        _check(self, "uplink_sinr_db", -40.0, 60.0)
        _check(self, "uplink_resource_blocks", 1, 275)
        for name in ("interference_margin_db", "fading_margin_db", "penetration_db", "downlink_margin_db"):
            _check(self, name, 0.0, 100.0)

    @classmethod
    def named(cls, name: str) -> Service:
        """A default service: ``outdoor-basic`` −115, ``outdoor`` −110, ``in-car`` −105, ``indoor`` −100 dBm."""
        if name not in SERVICE_RSRP_DBM:
            raise ParameterError(f"service {name!r} is not known; known: {', '.join(SERVICE_RSRP_DBM)}")
        return cls(name=name, required_rsrp_dbm=SERVICE_RSRP_DBM[name])

    def sigma_db(self, model: object) -> float:
        """Standard deviation of shadowing with a model: the service's, else the model's, else 8 dB."""
        if self.shadowing_sigma_db is not None:
            return self.shadowing_sigma_db
        learnt = getattr(model, "shadowing_sigma_db", None)
        return DEFAULT_SIGMA_DB if learnt is None else max(float(learnt), 0.1)

    def for_technology(self, technology: str, given_for: str = "4G") -> Service:
        """The same service in another technology's terms (2G RxLev, 3G RSCP, 5G SS-RSRP): planning values.

        2G needs 10 dB more than LTE's RSRP threshold (a 200 kHz carrier against 15 kHz) and 9 dB of uplink C/I;
        3G needs 5 dB more and, after despreading a 12.2 kbit/s bearer (25 dB), −19 dB.

        Parameters
        ----------
        technology : str
            Whose terms are wanted.
        given_for : str
            Whose terms this service is in. From 2G or 3G to 4G or 5G the uplink takes the default −5 dB.
        """
        if technology == given_for:
            return self
        level = self.required_rsrp_dbm + _LEVEL_OVER_LTE_DB[technology] - _LEVEL_OVER_LTE_DB[given_for]
        own = Service.uplink_sinr_db if given_for in _UPLINK_SINR_DB else self.uplink_sinr_db
        return replace(self, required_rsrp_dbm=level, uplink_sinr_db=_UPLINK_SINR_DB.get(technology, own))


_LEVEL_OVER_LTE_DB = {"2G": 10.0, "3G": 5.0, "4G": 0.0, "5G": 0.0}
_UPLINK_SINR_DB = {"2G": 9.0, "3G": -19.0}
DEFAULT_SIGMA_DB = 8.0
SERVICE_RSRP_DBM = {"outdoor-basic": -115.0, "outdoor": -110.0, "in-car": -105.0, "indoor": -100.0}


def _check(owner: object, name: str, low: float, high: float) -> None:
    value = getattr(owner, name)
    if not (np.isfinite(value) and low <= value <= high):
        raise ParameterError(f"{type(owner).__name__}.{name}={value!r} must be within {low:g}…{high:g}")
