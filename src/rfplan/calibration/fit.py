"""Calibrate models on measurements, and say honestly how well they do where nobody has measured."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from rfplan.calibration.links import LinkFilter, Links, make_links, predict_links
from rfplan.calibration.measurements import (
    Measurements,
    RssiConvention,
    apply_rssi_convention,
    drop_duplicates,
)
from rfplan.calibration.mixed import MixedFit, fit_mixed
from rfplan.calibration.model import CalibratedModel
from rfplan.errors import InputFileError, ParameterError
from rfplan.propagation.base import PropagationModel
from rfplan.terrain import Terrain

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

VARIANTS: Mapping[str, tuple[str, ...]] = {
    "uncalibrated": (),
    "offset": ("offset",),
    "offset + slope": ("offset", "slope"),
    "offset + slope + clutter": ("offset", "slope"),
}
# A model may not end up with less loss further away: bounds of the slope's correction, dB a decade.
SLOPE_BOUNDS_DB = (-20.0, 15.0)
MAX_FOLDS = 12
FORMAT = 1


@dataclass(frozen=True)
class CalibrationSettings:
    """What is known about the measurements, and how they are used.

    Attributes
    ----------
    frequency_mhz : float
        Frequency of transmitters that don't state one.
    rx_height_agl_m : float
        Height of the receiver.
    sensitivity_dbm : float, optional
        Level below which nothing is received. With it, rows without a level count as "weaker than this" (Tobit);
        without it they are left out.
    rssi_convention : {"detect", "signal", "channel_power"}
        What RSSI means where an SNR is given; detected device by device by default.
    block_m : float
        Side of the spatial blocks held out together.
    link_filter : LinkFilter
        Which measurements are used.
    """

    frequency_mhz: float = 1800.0
    rx_height_agl_m: float = 1.5
    sensitivity_dbm: float | None = None
    rssi_convention: RssiConvention | Literal["detect"] = "detect"
    block_m: float = 2000.0
    link_filter: LinkFilter = field(default_factory=LinkFilter)


@dataclass(frozen=True, eq=False)
class Calibration:
    """What was learnt.

    Attributes
    ----------
    model : CalibratedModel
        The base model with the variant that did best on held-out data; usable wherever a model is.
    variant : str
        Which one that is: "uncalibrated" where nothing learnt helps on a site never measured.
    fit : MixedFit or None
        Coefficients with standard errors, offsets by site and device, sigma.
    sigma_within_db, sigma_between_db : float
        Standard deviation of measured minus predicted level within a site, and between sites.
    table : DataFrame
        A row a model and variant: mean error, standard deviation and RMSE on held-out sites (``site_*``), on
        held-out blocks of known sites (``block_*``), and on the data fitted to (``fitted_rmse_db``, which flatters).
    residuals : DataFrame
        A row a link: position (pixel), transmitter, distance, measured, predicted and residual, dB.
    site_offset_db, device_offset_db : dict of str to float
        Shrunken offsets.
    notes : tuple of str
        What was assumed or left out, with counts.
    """

    model: CalibratedModel
    variant: str
    fit: MixedFit | None
    sigma_within_db: float
    sigma_between_db: float
    table: pd.DataFrame
    residuals: pd.DataFrame
    site_offset_db: dict[str, float]
    device_offset_db: dict[str, float]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        shown = self.table.to_string(index=False, float_format=lambda value: f"{value:.1f}")
        return (
            f"{type(self.model.base).__name__}, {self.variant}: offset {self.model.offset_db:+.1f} dB, "
            f"slope {self.model.slope_db_per_decade:+.1f} dB/decade; "
            f"sigma {self.sigma_within_db:.1f} dB within a site, {self.sigma_between_db:.1f} dB between sites\n{shown}"
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the calibration as JSON; `load_calibration` gives the same floats back, bit for bit."""
        from rfplan.io.atomic import atomic_path

        content = {
            "format": FORMAT,
            "base_model": type(self.model.base).__name__,
            "offset_db": self.model.offset_db,
            "slope_db_per_decade": self.model.slope_db_per_decade,
            "clutter_offset_db": self.model.clutter_offset_db,
            "variant": self.variant,
            "sigma_within_db": self.sigma_within_db,
            "sigma_between_db": self.sigma_between_db,
            "site_offset_db": self.site_offset_db,
            "device_offset_db": self.device_offset_db,
            "held_out": self.table.to_dict(orient="records"),
            "notes": list(self.notes),
        }
        with atomic_path(Path(path)) as temporary:
            temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
        return Path(path)


def load_calibration(path: str | os.PathLike[str], base: PropagationModel) -> CalibratedModel:
    """Read a calibration that `Calibration.save` wrote and put it on its base model.

    Raises
    ------
    InputFileError
        Not such a file, or made for another model than `base`.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        made_for = content["base_model"]
        offset, slope = float(content["offset_db"]), float(content["slope_db_per_decade"])
        clutter = tuple((float(height), float(value)) for height, value in content["clutter_offset_db"])
        version = content["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputFileError(f"{path}: not a calibration file ({error}); write one with Calibration.save") from error
    if version != FORMAT:
        raise InputFileError(f"{path}: format {version} is not known; this rfplan reads format {FORMAT}")
    if made_for != type(base).__name__:
        raise InputFileError(f"{path}: made for {made_for}, not for {type(base).__name__}; give that model as base")
    return CalibratedModel(base, offset, slope, clutter)


def calibrate(
    measurements: Measurements,
    transmitters: pd.DataFrame,
    terrain: Terrain,
    *,
    model: PropagationModel,
    settings: CalibrationSettings | None = None,
    compare: Sequence[PropagationModel] = (),
) -> Calibration:
    """Calibrate a model on measurements.

    Parameters
    ----------
    measurements : Measurements
        From `read_measurements`, or made from a table.
    transmitters : DataFrame
        ``site_id, lon_deg, lat_deg`` and, where known, ``tx_height_agl_m`` (default 30), ``eirp_dbm`` (towards the
        receivers, with the receiver's own gain; default 0, then the offset holds it) and ``frequency_mhz``.
    terrain : Terrain
        With clutter: what it lacks the offset has to make up for.
    model : PropagationModel
        The model to calibrate.
    settings : CalibrationSettings, optional
        What is known about the measurements.
    compare : sequence of PropagationModel
        Models to set beside it, on the same links and the same held-out data.

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
    settings = settings or CalibrationSettings()
    cleaned = apply_rssi_convention(drop_duplicates(measurements), settings.rssi_convention)
    links = make_links(cleaned, transmitters, terrain, settings.link_filter, settings.sensitivity_dbm)
    tables, predicted = [], None
    for candidate in (model, *compare):
        level = predict_links(links, terrain, candidate, settings.frequency_mhz, settings.rx_height_agl_m)
        predicted = level if predicted is None else predicted
        tables.append(_held_out_table(candidate, links, level, terrain, settings))
    assert predicted is not None
    own = tables[0]
    judge = "site" if len(links.site_names) >= 3 else "block"
    judge += "_log_score" if links.censored.any() else "_rmse_db"
    if not np.isfinite(own[judge]).any():
        judge = "fitted_rmse_db"
    variant = str(own["variant"].iloc[int(np.nanargmin(own[judge].to_numpy(float)))])
    usable = np.isfinite(predicted)
    fit = _fit(links, links.level_dbm - predicted, variant, usable)
    coefficients = dict(zip(fit.names, fit.coefficients, strict=True)) if fit else {}
    heights, _ = _clutter_levels(links)
    by_clutter = zip(heights, fit.effects["clutter"], strict=False) if fit and "clutter" in fit.effects else ()
    calibrated = CalibratedModel(
        model,
        float(coefficients.get("offset", 0.0)),
        float(coefficients.get("slope", 0.0)),
        tuple((float(height), float(offset)) for height, offset in by_clutter),
    )
    residual = links.level_dbm - predicted - calibrated.correction_db(links.distance_m, links.clutter_height_m)
    sigma, between = (fit.sigma_db, fit.tau_db.get("site", 0.0)) if fit else _plain_sigmas(links, residual, usable)
    return Calibration(
        model=calibrated,
        variant=variant,
        fit=fit,
        sigma_within_db=sigma,
        sigma_between_db=between,
        table=pd.concat(tables, ignore_index=True),
        residuals=_residual_table(links, terrain, predicted, residual),
        site_offset_db=_named(links.site_names, fit, "site"),
        device_offset_db=_named(links.device_names, fit, "device"),
        notes=(*links.notes, f"variant chosen by {judge}"),
    )


def _named(names: tuple[str, ...], fit: MixedFit | None, group: str) -> dict[str, float]:
    if fit is None or group not in fit.effects:
        return {}
    return {name: float(value) for name, value in zip(names, fit.effects[group], strict=False)}


def _residual_table(links: Links, terrain: Terrain, predicted: FloatArray, residual: FloatArray) -> pd.DataFrame:
    x = terrain.x0_m + (links.col + 0.5) * terrain.resolution_m
    y = terrain.y0_m - (links.row + 0.5) * terrain.resolution_m
    lon, lat = terrain.lonlat(x, y)
    return pd.DataFrame(
        {
            "lon_deg": lon,
            "lat_deg": lat,
            "site_id": links.transmitters["site_id"].to_numpy()[links.transmitter],
            "device_id": np.array(links.device_names)[links.device],
            "distance_m": links.distance_m,
            "measured_dbm": np.where(links.censored, np.nan, links.level_dbm),
            "predicted_dbm": predicted,
            "residual_db": np.where(links.censored, np.nan, residual),
        }
    )


def _plain_sigmas(links: Links, residual: FloatArray, usable: npt.NDArray[np.bool_]) -> tuple[float, float]:
    rows = usable & ~links.censored
    by_site = pd.Series(residual[rows]).groupby(links.site[rows])
    within = residual[rows] - by_site.transform("mean").to_numpy()
    means = by_site.mean()
    return float(within.std()), float(means.std()) if len(means) > 1 else 0.0


def _columns(links: Links, names: tuple[str, ...]) -> FloatArray:
    known = {"offset": np.ones(len(links)), "slope": np.log10(links.distance_m / 1000.0)}
    return np.column_stack([known[name] for name in names])


def _clutter_levels(links: Links) -> tuple[FloatArray, IntArray]:
    """Representative clutter heights at the receivers, to 2.5 m, and the level of each link."""
    heights, level = np.unique(np.round(links.clutter_height_m / 2.5) * 2.5, return_inverse=True)
    return heights, level.astype(np.int64)


def _groups(links: Links, variant: str) -> dict[str, IntArray]:
    """Groupings with more than one level: with one, its effect is the offset."""
    groups = {}
    heights, level = _clutter_levels(links)
    if "clutter" in variant and heights.size > 1:
        groups["clutter"] = level
    if len(links.site_names) > 1:
        groups["site"] = links.site
    if len(links.device_names) > 1:
        groups["device"] = links.device
    return groups


def _fit(links: Links, error_db: FloatArray, variant: str, rows: npt.NDArray[np.bool_]) -> MixedFit | None:
    names = VARIANTS[variant]
    if not names:
        return None
    return fit_mixed(
        error_db[rows],
        _columns(links, names)[rows],
        names,
        {name: level[rows] for name, level in _groups(links, variant).items()},
        censored=links.censored[rows],
        bounds={"slope": SLOPE_BOUNDS_DB},
    )


def _folds(group: IntArray) -> list[npt.NDArray[np.bool_]]:
    """Leave out each group in turn; with many groups, every MAX_FOLDS-th together."""
    found = np.unique(group)
    fold_of = {int(name): index % MAX_FOLDS for index, name in enumerate(found)}
    fold = np.array([fold_of[int(name)] for name in group])
    return [fold == k for k in range(min(MAX_FOLDS, found.size))]


def _blocks(links: Links, terrain: Terrain, block_m: float) -> IntArray:
    side = max(1, round(block_m / terrain.resolution_m))
    block: IntArray = (links.row // side) * (terrain.shape[1] // side + 1) + links.col // side
    return block


def _cross_validate(
    links: Links, error_db: FloatArray, variant: str, held_out: IntArray, usable: npt.NDArray[np.bool_]
) -> tuple[FloatArray, float]:
    """Prediction error of each link when its group is held out (NaN where it can't be had), and the mean log score.

    The log score is minus the log-likelihood of what was received and of what was not: an error of received levels
    alone rewards models that are too optimistic where nothing was received.
    """
    error = np.full(len(links), np.nan)
    score = np.full(len(links), np.nan)
    names = VARIANTS[variant]
    received = usable & ~links.censored
    for test in _folds(held_out):
        train = usable & ~test
        if not (received & ~test).any():
            continue
        if not names:
            error[test] = error_db[test]
            spread = float(np.sqrt(np.mean(error_db[received & ~test] ** 2)))
        else:
            try:
                fit = _fit(links, error_db, variant, train)
            except ParameterError:
                continue  # too little is left to learn from
            assert fit is not None
            groups, variance = {}, np.full(int(test.sum()), fit.sigma_db**2)
            for name, level in _groups(links, variant).items():
                seen = np.isin(level[test], level[train])
                groups[name] = np.where(seen, level[test], -1)
                variance += np.where(seen, 0.0, fit.tau_db[name] ** 2)
            error[test] = error_db[test] - fit.predict(_columns(links, names)[test], groups)
            spread = np.sqrt(variance)
        z = error[test] / spread
        score[test] = np.where(
            links.censored[test], -norm.logcdf(z), 0.5 * z * z + np.log(spread) + 0.5 * np.log(2 * np.pi)
        )
    known = usable & np.isfinite(score)
    error[~received] = np.nan
    return error, float(score[known].mean()) if known.any() else float("nan")


def _score(error_db: FloatArray, prefix: str) -> dict[str, float]:
    known = error_db[np.isfinite(error_db)]
    if known.size == 0:
        return {f"{prefix}_{name}_db": float("nan") for name in ("mean", "std", "rmse")}
    return {
        f"{prefix}_mean_db": float(known.mean()),
        f"{prefix}_std_db": float(known.std()),
        f"{prefix}_rmse_db": float(np.sqrt(np.mean(known**2))),
    }


def _held_out_table(
    model: PropagationModel, links: Links, predicted: FloatArray, terrain: Terrain, settings: CalibrationSettings
) -> pd.DataFrame:
    error = links.level_dbm - predicted
    usable = np.isfinite(predicted)
    blocks = _blocks(links, terrain, settings.block_m)
    rows: list[dict[str, Any]] = []
    for variant in VARIANTS:
        if "clutter" in variant and model.needs == "distance":
            continue  # such a model does not see the receiver's clutter, so it can't be told of it on a grid
        row: dict[str, Any] = {"model": type(model).__name__, "variant": variant}
        for prefix, group in (("site", links.site), ("block", blocks)):
            held_out = np.full(len(links), np.nan), float("nan")
            if np.unique(group).size > 1:
                held_out = _cross_validate(links, error, variant, group, usable)
            row |= _score(held_out[0], prefix) | {f"{prefix}_log_score": held_out[1]}
        fit = _fit(links, error, variant, usable)
        own = error if fit is None else error - fit.predict(_columns(links, VARIANTS[variant]), _groups(links, variant))
        row["fitted_rmse_db"] = _score(np.where(links.censored | ~usable, np.nan, own), "fitted")["fitted_rmse_db"]
        row["links"] = int((usable & ~links.censored).sum())
        rows.append(row)
    return pd.DataFrame(rows)
