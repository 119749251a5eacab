"""Calibrate models on measurements, and say honestly how well they do where nobody has measured."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.calibration.judge import Fitter, Judgement, Variant, clutter_levels, criterion, judge
from rfplan.calibration.links import LinkFilter, Links, make_links, predict_links
from rfplan.calibration.measurements import Measurements, as_measurements, drop_duplicates
from rfplan.calibration.mixed import MixedFit
from rfplan.calibration.model import CalibratedModel
from rfplan.calibration.packets import add_non_receptions, estimated_sensitivity_dbm
from rfplan.calibration.positions import doubt_positions
from rfplan.calibration.result import Calibration, coefficient_table
from rfplan.calibration.rssi import RssiConvention, apply_rssi_convention
from rfplan.calibration.transmitters import as_transmitters, place_transmitters
from rfplan.errors import DataWarning, ParameterError, RfplanError, RfplanWarning
from rfplan.propagation.base import PropagationModel, require, require_choice
from rfplan.propagation.compare import model_name
from rfplan.terrain import Terrain

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# A model may not end up with less loss further away: bounds of the slope's correction, dB a decade.
SLOPE_BOUNDS_DB = (-20.0, 15.0)
LEAST_SITES = 3
BETWEEN_ELSEWHERE_DB = 9.0
"""What sites differ by in other campaigns: taken for the probability of coverage where too few were measured."""
_BOUNDS = {"slope": SLOPE_BOUNDS_DB}
VARIANTS = (
    Variant("uncalibrated", (), {}, {}),
    Variant("offset", ("offset",), {}, {}),
    Variant("offset + slope", ("offset", "slope"), _BOUNDS, {}),
    Variant("offset + slope + clutter", ("offset", "slope"), _BOUNDS, {}, by_clutter=True),
)


@dataclass(frozen=True)
class CalibrationSettings:
    """What is known about the measurements, and how they are used.

    Attributes
    ----------
    frequency_mhz : float
        Frequency where neither transmitters nor measurements state one.
    rx_height_agl_m : float
        Height of the receiver (the device, whichever way the packets go) where measurements state none.
    eirp_dbm : float, optional
        EIRP, with the gain of the antenna at the other end, of transmitters that don't state theirs.
    sensitivity_dbm : float, optional
        Level below which nothing is received. With it, rows without a level count as "weaker than this" (Tobit);
        without it they are left out.
    non_receptions : {"given", "packets"}
        "given": rows without a level. "packets": also every packet that one site heard and another, in operation
        that day, did not; where no sensitivity is given, it is the 2nd percentile of what was received.
    rssi_convention : {"detect", "signal", "channel_power"}
        What RSSI means where an SNR is given; detected receiver by receiver by default.
    block_m : float
        Side of the spatial blocks held out together.
    doubtful_positions : {"leave out", "keep"}
        What becomes of transmitters whose levels fall off from another place than the one given.
    link_filter : LinkFilter
        Which measurements are used.
    """

    frequency_mhz: float = 1800.0
    rx_height_agl_m: float = 1.5
    eirp_dbm: float | None = None
    sensitivity_dbm: float | None = None
    non_receptions: Literal["given", "packets"] = "given"
    rssi_convention: RssiConvention | Literal["detect"] = "detect"
    block_m: float = 2000.0
    doubtful_positions: Literal["leave out", "keep"] = "leave out"
    link_filter: LinkFilter = field(default_factory=LinkFilter)

    def __post_init__(self) -> None:
        require_choice("non_receptions", self.non_receptions, ("given", "packets"))
        require_choice("rssi_convention", self.rssi_convention, ("detect", "signal", "channel_power"))
        require_choice("doubtful_positions", self.doubtful_positions, ("leave out", "keep"))
        require(30.0 <= self.frequency_mhz <= 1e5, "frequency_mhz", self.frequency_mhz, "30 to 100,000 MHz")
        require(0.1 <= self.rx_height_agl_m <= 3000.0, "rx_height_agl_m", self.rx_height_agl_m, "0.1 to 3000 m")
        require(50.0 <= self.block_m <= 1e6, "block_m", self.block_m, "50 m to 1000 km")


@dataclass(frozen=True, eq=False)
class Prepared:
    """Links that can be used, and transmitters with what is doubtful about them."""

    links: Links
    transmitters: pd.DataFrame
    settings: CalibrationSettings
    blocks: IntArray


def prepare(
    measurements: Measurements | pd.DataFrame | str | os.PathLike[str],
    transmitters: pd.DataFrame | str | os.PathLike[str],
    terrain: Terrain,
    settings: CalibrationSettings,
) -> Prepared:
    """From measurements and transmitters to links: cleaned, matched, gathered by pixel, doubtful positions left out.

    Raises
    ------
    ParameterError
        Nothing is left; the message counts why.
    """
    given = as_measurements(measurements)
    if len(given) == 0:
        raise ParameterError("the table of measurements has no row with a position")
    cleaned = apply_rssi_convention(drop_duplicates(given), settings.rssi_convention)
    sensitivity = settings.sensitivity_dbm
    if settings.non_receptions == "packets":
        cleaned = add_non_receptions(cleaned)
        if sensitivity is None:
            sensitivity = estimated_sensitivity_dbm(cleaned.table["level_dbm"].to_numpy(float))
            cleaned = cleaned.noted(cleaned.table, f"sensitivity taken as {sensitivity:.1f} dBm, the 2nd percentile")
    placed = place_transmitters(as_transmitters(transmitters), terrain, settings.eirp_dbm)
    links = make_links(cleaned, placed, terrain, settings.link_filter, sensitivity)
    links, table = _without_doubtful(links, terrain, settings)
    side = max(1, round(settings.block_m / terrain.resolution_m))
    blocks = (links.row // side) * (terrain.shape[1] // side + 1) + links.col // side
    return Prepared(links, table, settings, blocks)


def _without_doubtful(links: Links, terrain: Terrain, settings: CalibrationSettings) -> tuple[Links, pd.DataFrame]:
    x, y = links.xy(terrain)
    heard = ~links.censored
    doubts = doubt_positions(links.level_dbm[heard], x[heard], y[heard], links.transmitter[heard], links.transmitters)
    table = links.transmitters.assign(doubt="")
    for doubt in doubts:
        lon, lat = (float(v) for v in terrain.lonlat(doubt.x_m, doubt.y_m))
        table.loc[doubt.transmitter, "doubt"] = (
            f"stands near {lon:.3f}, {lat:.3f}, {doubt.distance_m / 1000:.1f} km away: {doubt.reason}"
        )
    wrong = np.isin(links.transmitter, [doubt.transmitter for doubt in doubts])
    if not wrong.any():
        return links, table
    names = ", ".join(str(table["site_id"].iloc[doubt.transmitter]) for doubt in doubts)
    what = f"the positions of {len(doubts)} transmitters can't be true ({names}), see result.transmitters"
    if settings.doubtful_positions == "keep" or (wrong | links.censored).all():
        return links.without(np.zeros(len(links), dtype=bool), f"{what}; they are kept"), table
    warnings.warn(DataWarning(f"{what}; their {int(wrong.sum())} links are left out"), stacklevel=5)
    return links.without(wrong, f"{what}; their {int(wrong.sum())} links are left out"), table


def calibrate(
    measurements: Measurements | pd.DataFrame | str | os.PathLike[str],
    transmitters: pd.DataFrame | str | os.PathLike[str],
    terrain: Terrain,
    *,
    model: PropagationModel | None = None,
    settings: CalibrationSettings | None = None,
    compare: Sequence[PropagationModel] | Literal["all"] = (),
) -> Calibration:
    """Calibrate a model on measurements.

    Parameters
    ----------
    measurements : Measurements, DataFrame or path
        From `read_measurements`, a table with usual column names, or a file.
    transmitters : DataFrame or path
        ``site_id, lon_deg, lat_deg`` (or the names gateways' lists usually have) and, where known,
        ``tx_height_agl_m`` or ``altitude_amsl_m`` (else 30 m), ``eirp_dbm`` (towards the receivers, with the
        receiver's own gain; else 0 dBm, then the offset holds it), ``frequency_mhz``, ``azimuth_deg`` and
        ``beamwidth_deg``.
    terrain : Terrain
        With clutter: what it lacks the offset has to make up for.
    model : PropagationModel, optional
        The model to calibrate; `P1812` by default.
    settings : CalibrationSettings, optional
        What is known about the measurements.
    compare : sequence of PropagationModel, or "all"
        Models to set beside it, on the same links and the same held-out data; "all" takes every model of rfplan that
        suits the frequency.

    Returns
    -------
    Calibration
        The variant with the lowest RMSE on held-out sites (on held-out blocks where fewer than three sites were
        measured), the uncalibrated model among them: calibration never makes a held-out prediction worse. Where
        non-receptions are known, the log score judges in place of the RMSE, which sees received levels only.

    Raises
    ------
    ParameterError
        No measurement can be used; the message counts why.
    """
    from rfplan.calibration.compared import models_for
    from rfplan.propagation.p1812 import P1812

    settings = settings or CalibrationSettings()
    model = P1812() if model is None else model
    prepared = prepare(measurements, transmitters, terrain, settings)
    others = models_for(settings.frequency_mhz, model) if compare == "all" else compare
    predicted = predict_links(prepared.links, terrain, model, settings.frequency_mhz, settings.rx_height_agl_m)
    own = judge_variants(prepared, predicted, model)
    tables, notes = [pd.DataFrame([item.row for item in own])], list(prepared.links.notes)
    for candidate in others:
        table, found = _compared(prepared, terrain, candidate)
        notes += found
        tables += [] if table is None else [table]
    by = criterion(prepared.links, tables[0])
    chosen = min(own, key=lambda item: np.inf if np.isnan(item.row[by]) else item.row[by])
    calibrated = _calibrated(model, prepared.links, chosen)
    correction = calibrated.correction_db(prepared.links.distance_m, prepared.links.clutter_height_m)
    return finish(
        prepared,
        terrain,
        chosen,
        calibrated,
        predicted_dbm=predicted + correction,
        table=pd.concat(tables, ignore_index=True),
        coefficients=_coefficients(chosen.fit, calibrated, len(prepared.links.site_names)),
        notes=tuple(notes),
    )


def finish(
    prepared: Prepared,
    terrain: Terrain,
    chosen: Judgement,
    calibrated: CalibratedModel,
    *,
    predicted_dbm: FloatArray,
    table: pd.DataFrame,
    coefficients: pd.DataFrame,
    notes: tuple[str, ...],
) -> Calibration:
    """Gather what was learnt; `predicted_dbm` is the calibrated model's level of each link."""
    links = prepared.links
    by = criterion(links, table)
    few = ""
    if len(links.site_names) < LEAST_SITES:
        few = (
            f"{len(links.site_names)} site(s) can't tell how sites differ: the model carries "
            f"{BETWEEN_ELSEWHERE_DB:g} dB between sites, as known from elsewhere"
        )
    return Calibration(
        model=calibrated,
        variant=chosen.fitter.variant.name,
        fit=chosen.fit,
        sigma_within_db=chosen.row["sigma_within_db"],
        sigma_between_db=chosen.row["sigma_between_db"],
        table=table.sort_values(by, kind="stable").reset_index(drop=True),
        coefficients=coefficients,
        residuals=residual_table(links, terrain, predicted_dbm, chosen.site_error_db),
        transmitters=prepared.transmitters,
        site_offset_db=effects(links.site_names, chosen.fit, "site"),
        device_offset_db=effects(links.device_names, chosen.fit, "device"),
        chosen_by=by,
        notes=(*(note for note in (*notes, few) if note), f"variant chosen by {by}"),
    )


def _coefficients(fit: MixedFit | None, model: CalibratedModel, n_sites: int) -> pd.DataFrame:
    errors = dict(zip(fit.names, fit.standard_errors, strict=True)) if fit else {}
    rows = [
        (f"{name} (dB{unit})", value, float(errors.get(name, 0.0)), 0.0, name in errors)
        for name, unit, value in (("offset", "", model.offset_db), ("slope", "/decade", model.slope_db_per_decade))
    ]
    return coefficient_table(rows, n_sites)


def judge_variants(prepared: Prepared, predicted_dbm: FloatArray, model: PropagationModel) -> list[Judgement]:
    """Judge the additive corrections of a model."""
    links = prepared.links
    columns = {"offset": np.ones(len(links)), "slope": np.log10(links.distance_m / 1000.0)}
    found = []
    for variant in VARIANTS:
        if variant.by_clutter and (model.needs == "distance" or clutter_levels(links)[0].size < 2):
            continue  # a distance model does not see the receiver's clutter, so it can't be told of it on a grid
        fitter = Fitter(links, links.level_dbm - predicted_dbm, columns, variant)
        require(bool((fitter.usable & ~links.censored).any()), "model", model_name(model), "one that predicts a link")
        found.append(judge(fitter, prepared.blocks, model_name(model)))
    return found


def _compared(prepared: Prepared, terrain: Terrain, model: PropagationModel) -> tuple[pd.DataFrame | None, list[str]]:
    """Rows of a model that is compared only, and what it objected to: it does not stop the others."""
    settings = prepared.settings
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            predicted = predict_links(prepared.links, terrain, model, settings.frequency_mhz, settings.rx_height_agl_m)
            rows = [item.row for item in judge_variants(prepared, predicted, model)]
        except RfplanError as error:
            return None, [f"{model_name(model)} can't be compared: {error}"]
    texts: dict[str, str] = {}  # transmitters repeat a warning with other figures: the first stands for all
    for item in caught:
        if issubclass(item.category, RfplanWarning):
            texts.setdefault(re.sub(r"[-+]?\d[\d.e+-]*", "#", str(item.message)), str(item.message))
    return pd.DataFrame(rows), [f"{model_name(model)}: {text}" for text in texts.values()]


def _calibrated(model: PropagationModel, links: Links, chosen: Judgement) -> CalibratedModel:
    fit = chosen.fit
    coefficients = dict(zip(fit.names, fit.coefficients, strict=True)) if fit else {}
    heights, _ = clutter_levels(links)
    by_clutter = zip(heights, fit.effects["clutter"], strict=False) if fit and "clutter" in fit.effects else ()
    return CalibratedModel(
        model,
        float(coefficients.get("offset", 0.0)),
        float(coefficients.get("slope", 0.0)),
        tuple((float(height), float(offset)) for height, offset in by_clutter),
        float(chosen.row["sigma_within_db"]),
        between_sites_db(links, chosen.row["sigma_between_db"]),
    )


def between_sites_db(links: Links, estimate_db: float) -> float:
    """Sigma between sites that a model carries: the estimate, or with under three sites what is known elsewhere."""
    return float(estimate_db) if len(links.site_names) >= LEAST_SITES else BETWEEN_ELSEWHERE_DB


def effects(names: tuple[str, ...], fit: MixedFit | None, group: str) -> dict[str, float]:
    """Offset of each level of a grouping by name."""
    if fit is None or group not in fit.effects:
        return {}
    return {name: float(value) for name, value in zip(names, fit.effects[group], strict=False)}


def residual_table(links: Links, terrain: Terrain, predicted_dbm: FloatArray, held_out_db: FloatArray) -> pd.DataFrame:
    """A row a link."""
    lon, lat = terrain.lonlat(*links.xy(terrain))
    return pd.DataFrame(
        {
            "lon_deg": lon,
            "lat_deg": lat,
            "site_id": links.transmitters["site_id"].to_numpy()[links.transmitter],
            "device_id": np.array(links.device_names)[links.device],
            "distance_m": links.distance_m,
            "measured_dbm": np.where(links.censored, np.nan, links.level_dbm),
            "predicted_dbm": predicted_dbm,
            "residual_db": np.where(links.censored, np.nan, links.level_dbm - predicted_dbm),
            "held_out_db": held_out_db,
        }
    )
