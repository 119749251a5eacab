"""Calibrate the Standard Propagation Model: its constants K and its losses by clutter."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.calibration.fit import CalibrationSettings, Prepared, between_sites_db, finish, prepare
from rfplan.calibration.judge import Fitter, Judgement, Variant, clutter_levels, criterion, judge
from rfplan.calibration.links import Links, predict_links
from rfplan.calibration.measurements import Measurements
from rfplan.calibration.mixed import MixedFit
from rfplan.calibration.model import CalibratedModel
from rfplan.calibration.result import Calibration, coefficient_table
from rfplan.errors import ParameterError, RfplanWarning, ValidityWarning
from rfplan.propagation.compare import model_name
from rfplan.propagation.spm import SPM, hata_equivalent_k1
from rfplan.terrain import Terrain

FloatArray = npt.NDArray[np.float64]

K_NAMES: Final = ("k1", "k2", "k3", "k4", "k5", "k6", "k7")
LOG_H: Final = (float(np.log10(20.0)), float(np.log10(200.0)))
"""The model clamps effective heights to 20 to 200 m: its distance slope lies between those at the two ends."""

SLOPE_DB = (15.0, 60.0)
"""Distance slope, dB a decade, at either end of the effective heights: from below free space to steep city streets."""
HEIGHT_GAIN_DB = (-45.0, 0.0)
"""Loss for tenfold effective height at the median distance: a higher antenna never loses more."""
DIFFRACTION_WEIGHT = (0.1, 2.0)
"""K4: measurements that are mostly in sight can't tell it, and must not turn it off."""
CLUTTER_DB = (-40.0, 40.0)
PRIOR_DB = {"slope": 15.0, "slope_low": 15.0, "slope_high": 15.0, "height": 15.0, "k4": 0.6, "k6": 2.0, "k7": 5.0}
"""Standard deviations of what is known beforehand: wide, so that only what measurements don't tell stays put."""
CLUTTER_PRIOR_DB = 15.0
LEAST_OF_A_CLASS = 10


@dataclass(frozen=True, eq=False)
class Terms:
    """What the constants multiply, link by link, and where the law is centred.

    Attributes
    ----------
    lg_d, lg_h, diffraction_db, rx_height_m : ndarray, shape (n,)
        Decadic logarithms of distance (m) and effective height (m), diffraction loss, receiver height.
    lg_d0, lg_h0 : float
        Medians, about which constants are fitted so that they hardly depend on each other.
    """

    lg_d: FloatArray
    lg_h: FloatArray
    diffraction_db: FloatArray
    rx_height_m: FloatArray
    lg_d0: float
    lg_h0: float

    def columns(self) -> dict[str, FloatArray]:
        """Loss for one unit of each parameter, negative: a level falls as a loss rises."""
        u, v, rx = self.lg_d - self.lg_d0, self.lg_h, self.rx_height_m
        loss = {
            "level": np.ones_like(u),
            "slope": u,
            "slope_low": u * (LOG_H[1] - v),
            "slope_high": u * (v - LOG_H[0]),
            "height": v - self.lg_h0,
            "k4": self.diffraction_db,
            "k6": rx,
            "k7": np.log10(rx),
        }
        return {name: -column for name, column in loss.items()}

    def to_k(self, name: str) -> FloatArray:
        """What one unit of a parameter adds to K1 … K7."""
        k = np.zeros(7)
        slope = {"slope": (1.0, 0.0), "slope_low": (LOG_H[1], -1.0), "slope_high": (-LOG_H[0], 1.0)}
        if name in slope:
            k[1], k[4] = slope[name]
            k[0], k[2] = -k[1] * self.lg_d0, -k[4] * self.lg_d0
        elif name == "height":
            k[2], k[0] = 1.0, -self.lg_h0
        else:
            k[{"level": 0, "k4": 3, "k6": 5, "k7": 6}[name]] = 1.0
        return k


def _terms(prepared: Prepared, terrain: Terrain, model: SPM) -> Terms:
    """Each term by the model itself with one constant set to 1, so that the fit and the model agree."""
    settings = prepared.settings
    bare = replace(model, k1=0.0, k2=0.0, k3=0.0, k4=0.0, k5=0.0, k6=0.0, k7=0.0, clutter_loss_db=())
    links = replace(prepared.links, antenna_db=np.zeros(len(prepared.links)))
    links = replace(links, transmitters=links.transmitters.assign(eirp_dbm=0.0))

    def loss(constant: str) -> FloatArray:
        one: Any = {constant: 1.0}
        return -predict_links(links, terrain, replace(bare, **one), settings.frequency_mhz, settings.rx_height_agl_m)

    lg_d, lg_h = loss("k2"), loss("k3")
    rx = np.where(np.isnan(links.rx_height_agl_m), settings.rx_height_agl_m, links.rx_height_agl_m)
    return Terms(lg_d, lg_h, loss("k4"), rx, float(np.nanmedian(lg_d)), float(np.nanmedian(lg_h)))


def _start(model: SPM, links: Links, frequency_mhz: float) -> SPM:
    """The model with K1 as a number, for the one carrier that was measured."""
    used = links.transmitters.iloc[np.unique(links.transmitter)]
    own = used["frequency_mhz"].to_numpy(float) if "frequency_mhz" in used else np.full(len(used), np.nan)
    mhz = np.where(np.isfinite(own), own, frequency_mhz)
    if mhz.max() > 1.15 * mhz.min():
        raise ParameterError(
            f"transmitters have frequencies of {mhz.min():g} to {mhz.max():g} MHz; K1 holds for one band: "
            "calibrate band by band"
        )
    return model if model.k1 is not None else replace(model, k1=float(hata_equivalent_k1(float(np.median(mhz)))))


def _variants(model: SPM, terms: Terms, clutter: tuple[str, ...]) -> list[Variant]:
    """From nothing to everything, each with the bounds that keep physics; parameters are changes of the model's."""
    slopes = [model.k2 + model.k5 * lg_h for lg_h in LOG_H]
    gain = model.k3 + model.k5 * terms.lg_d0
    at = {
        "slope_low": (SLOPE_DB, slopes[0]),
        "slope_high": (SLOPE_DB, slopes[1]),
        "height": (HEIGHT_GAIN_DB, gain),
        "k4": (DIFFRACTION_WEIGHT, model.k4),
    }
    bounds = {name: (low - value, high - value) for name, ((low, high), value) in at.items()}
    bounds["slope"] = (SLOPE_DB[0] - min(slopes), SLOPE_DB[1] - max(slopes))
    bounds |= dict.fromkeys(clutter, CLUTTER_DB)
    prior = {name: (0.0, sigma) for name, sigma in PRIOR_DB.items()}
    prior |= dict.fromkeys(clutter, (0.0, CLUTTER_PRIOR_DB))
    heights = np.unique(np.round(terms.rx_height_m, 1)).size
    receiver = (("k6",) if heights > 1 else ()) + (("k7",) if heights > 2 else ())
    law = ("level", "slope_low", "slope_high", "height", "k4", *receiver)
    steps = [
        ("uncalibrated", ()),
        ("K1", ("level",)),
        ("K1 K2", ("level", "slope")),
        ("K1 K2 K4", ("level", "slope", "k4")),
        ("K1 to K5" + "".join(f" {name.upper()}" for name in receiver), law),
    ]
    if clutter:
        steps += [("K1 clutter", ("level", *clutter)), (f"{steps[-1][0]} clutter", (*law, *clutter))]
    return [Variant(name, columns, bounds, prior) for name, columns in steps]


def _clutter_columns(links: Links) -> tuple[dict[str, FloatArray], float]:
    """A column a clutter height that is not the most frequent one, to which the others are set; and that height."""
    heights, level = clutter_levels(links)
    count = np.bincount(level[~links.censored], minlength=heights.size)
    reference = int(np.argmax(count))
    chosen = [k for k in range(heights.size) if k != reference and count[k] >= LEAST_OF_A_CLASS]
    return {f"clutter {heights[k]:g} m": -(level == k).astype(float) for k in chosen}, float(heights[reference])


def _with(model: SPM, terms: Terms, fit: MixedFit | None, reference_m: float) -> SPM:
    """The model with what was learnt."""
    if fit is None:
        return model
    k = np.array([getattr(model, name) for name in K_NAMES], dtype=np.float64)
    losses = dict(model.clutter_loss_db)
    for name, value in zip(fit.names, fit.coefficients, strict=True):
        if name.startswith("clutter"):
            losses.setdefault(reference_m, 0.0)
            losses[float(name.split()[1])] = losses.get(float(name.split()[1]), 0.0) + float(value)
        else:
            k += terms.to_k(name) * value
    constants: Any = dict(zip(K_NAMES, (float(v) for v in k), strict=True))
    return replace(model, **constants, clutter_loss_db=tuple(sorted(losses.items())))


def _coefficients(start: SPM, found: SPM, terms: Terms, fit: MixedFit | None, n_sites: int) -> pd.DataFrame:
    """K1 … K7 and clutter losses with standard errors and 95 % intervals; a constant that was not fitted has none."""
    names = [name for name in (fit.names if fit else ()) if not name.startswith("clutter")]
    to_k = np.zeros((7, len(names)))
    if fit is None:
        covariance = np.zeros((0, 0))
    else:
        pick = [fit.names.index(name) for name in names]
        to_k = np.column_stack([terms.to_k(name) for name in names])
        covariance = fit.covariance[np.ix_(pick, pick)]
    error = np.sqrt(np.maximum(np.einsum("ki,ij,kj->k", to_k, covariance, to_k), 0.0))
    rows = [
        (name.upper(), getattr(found, name), float(error[k]), getattr(start, name), bool(np.any(to_k[k])))
        for k, name in enumerate(K_NAMES)
    ]
    if fit is not None:
        before = dict(start.clutter_loss_db)
        for name, value, own in zip(fit.names, fit.coefficients, fit.standard_errors, strict=True):
            if name.startswith("clutter"):
                was = before.get(float(name.split()[1]), 0.0)
                rows.append((name, was + float(value), float(own), was, True))
    return coefficient_table(rows, n_sites)


def calibrate_spm(
    measurements: Measurements | pd.DataFrame | str | os.PathLike[str],
    transmitters: pd.DataFrame | str | os.PathLike[str],
    terrain: Terrain,
    *,
    model: SPM | None = None,
    settings: CalibrationSettings | None = None,
) -> Calibration:
    """Calibrate the constants of the Standard Propagation Model and its losses by clutter.

    A robust regression with offsets by site and device, in which the distance slope stays within 15 to 60 dB a decade
    at every effective height, the height gain at the median distance does not turn into a loss, and diffraction
    counts between a tenth and twice its value. Sets of constants from K1 alone to all of them with clutter are fitted;
    the one with the smallest error on held-out sites is taken, the model as given among them.

    Parameters
    ----------
    measurements, transmitters, terrain, settings
        As for `calibrate`. Receivers of several heights (``rx_height_agl_m`` in the measurements) let K6, and from
        three heights on K7, be fitted; else they stay as given.
    model : SPM, optional
        Where to start, and what stays where measurements tell nothing; Hata's equivalent by default.

    Returns
    -------
    Calibration
        ``model.base`` is the `SPM` found, ``coefficients`` its constants with 95 % confidence intervals. Clutter
        losses are relative to the most frequent clutter height.

    Raises
    ------
    ParameterError
        No measurement can be used, or the transmitters are of several bands.
    """
    settings = settings or CalibrationSettings()
    prepared = prepare(measurements, transmitters, terrain, settings)
    links = prepared.links
    start = _start(SPM() if model is None else model, links, settings.frequency_mhz)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        predicted = predict_links(links, terrain, start, settings.frequency_mhz, settings.rx_height_agl_m)
        terms = _terms(prepared, terrain, start)
    notes = _warned(caught)
    clutter, reference_m = _clutter_columns(links)
    columns = {name: np.nan_to_num(column) for name, column in (terms.columns() | clutter).items()}
    judged = [
        judge(Fitter(links, links.level_dbm - predicted, columns, variant), prepared.blocks, model_name(start))
        for variant in _variants(start, terms, tuple(clutter))
    ]
    table = pd.DataFrame([item.row for item in judged])
    by = criterion(links, table)
    chosen = min(judged, key=lambda item: np.inf if np.isnan(item.row[by]) else item.row[by])
    found = _with(start, terms, chosen.fit, reference_m)
    calibrated = CalibratedModel(
        found,
        sigma_within_db=float(chosen.row["sigma_within_db"]),
        sigma_between_db=between_sites_db(links, chosen.row["sigma_between_db"]),
    )
    shift = np.zeros(len(links)) if chosen.fit is None else _fixed_part(chosen)
    return finish(
        prepared,
        terrain,
        chosen,
        calibrated,
        predicted_dbm=predicted + shift,
        table=table,
        coefficients=_coefficients(start, found, terms, chosen.fit, len(links.site_names)),
        notes=(*links.notes, *notes, f"clutter losses are relative to clutter of {reference_m:g} m" if clutter else ""),
    )


def _fixed_part(chosen: Judgement) -> FloatArray:
    assert chosen.fit is not None
    columns = chosen.fitter.columns
    return np.asarray(sum(columns[n] * v for n, v in zip(chosen.fit.names, chosen.fit.coefficients, strict=True)))


def _warned(caught: list[warnings.WarningMessage]) -> list[str]:
    """Warnings of the model, one of each kind; all but those about its stated range are passed on."""
    kinds: dict[str, str] = {}
    for item in caught:
        if not issubclass(item.category, ValidityWarning):
            warnings.warn(item.message, stacklevel=3)
        elif issubclass(item.category, RfplanWarning):
            kinds.setdefault(str(item.message).split(" = ")[0], str(item.message))
    return list(kinds.values())
