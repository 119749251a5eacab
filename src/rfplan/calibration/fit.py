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
        version = content["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputFileError(f"{path}: not a calibration file ({error}); write one with Calibration.save") from error
    if version != FORMAT:
        raise InputFileError(f"{path}: format {version} is not known; this rfplan reads format {FORMAT}")
    if made_for != type(base).__name__:
        raise InputFileError(f"{path}: made for {made_for}, not for {type(base).__name__}; give that model as base")
    return CalibratedModel(base, offset, slope)


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
        measured), the uncalibrated model among them: calibration never makes a held-out prediction worse.

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
    judge = "site_rmse_db" if len(links.site_names) >= 3 else "block_rmse_db"
    if not np.isfinite(own[judge]).any():
        judge = "fitted_rmse_db"
    variant = str(own["variant"].iloc[int(np.nanargmin(own[judge].to_numpy(float)))])
    usable = np.isfinite(predicted)
    fit = _fit(links, links.level_dbm - predicted, variant, usable)
    coefficients = dict(zip(fit.names, fit.coefficients, strict=True)) if fit else {}
    calibrated = CalibratedModel(model, float(coefficients.get("offset", 0.0)), float(coefficients.get("slope", 0.0)))
    residual = links.level_dbm - predicted - calibrated.correction_db(links.distance_m) * bool(fit)
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


def _groups(links: Links) -> dict[str, IntArray]:
    """Groupings with more than one level: with one, its effect is the offset."""
    groups = {}
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
        {name: level[rows] for name, level in _groups(links).items()},
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
) -> FloatArray:
    """Prediction error of each received link when its group is held out; NaN where it can't be had."""
    result = np.full(len(links), np.nan)
    names = VARIANTS[variant]
    for test in _folds(held_out):
        train = usable & ~test
        if not names:
            result[test] = error_db[test]
            continue
        try:
            fit = _fit(links, error_db, variant, train)
        except ParameterError:
            continue  # too little is left to learn from
        assert fit is not None
        groups = {}
        for name, level in _groups(links).items():
            seen = np.isin(level[test], level[train])
            groups[name] = np.where(seen, level[test], -1)
        result[test] = error_db[test] - fit.predict(_columns(links, names)[test], groups)
    result[links.censored | ~usable] = np.nan
    return result


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
        row: dict[str, Any] = {"model": type(model).__name__, "variant": variant}
        by_site = len(links.site_names) > 1
        nothing = np.full(len(links), np.nan)
        row |= _score(_cross_validate(links, error, variant, links.site, usable) if by_site else nothing, "site")
        by_block = np.unique(blocks).size > 1
        row |= _score(_cross_validate(links, error, variant, blocks, usable) if by_block else nothing, "block")
        fit = _fit(links, error, variant, usable)
        own = error if fit is None else error - fit.predict(_columns(links, VARIANTS[variant]), _groups(links))
        row["fitted_rmse_db"] = _score(np.where(links.censored | ~usable, np.nan, own), "fitted")["fitted_rmse_db"]
        row["links"] = int((usable & ~links.censored).sum())
        rows.append(row)
    return pd.DataFrame(rows)
