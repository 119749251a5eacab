"""What a calibration learnt, on screen and on disk."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.stats import t as student_t

from rfplan.calibration.mixed import MixedFit
from rfplan.calibration.model import CalibratedModel
from rfplan.errors import InputFileError, ParameterError
from rfplan.propagation.base import PropagationModel
from rfplan.propagation.names import describe_model, make_model

FORMAT = 2
_MAX_BYTES = 20_000_000


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
        held-out blocks of known sites (``block_*``), and on the data fitted to (``fitted_rmse_db``, which flatters);
        ``sigma_within_db`` and ``sigma_between_db``; the best row first.
    coefficients : DataFrame
        What was fitted: ``name, value, standard_error, low_95, high_95, before, note``.
    residuals : DataFrame
        A row a link: position (pixel), transmitter, distance, measured, predicted and residual, dB;
        ``held_out_db`` is the error when the link's site was held out.
    transmitters : DataFrame
        The transmitters as they were used, with ``doubt`` where a position or height can't be true.
    site_offset_db, device_offset_db : dict of str to float
        Shrunken offsets.
    chosen_by : str
        The column of `table` that chose.
    notes : tuple of str
        What was assumed or left out, with counts.
    """

    model: CalibratedModel
    variant: str
    fit: MixedFit | None
    sigma_within_db: float
    sigma_between_db: float
    table: pd.DataFrame
    coefficients: pd.DataFrame
    residuals: pd.DataFrame
    transmitters: pd.DataFrame
    site_offset_db: dict[str, float]
    device_offset_db: dict[str, float]
    chosen_by: str
    notes: tuple[str, ...]

    @property
    def best(self) -> str:
        """Model and variant that predict an unmeasured site best, of all that were compared."""
        row = self.table.iloc[0]
        return f"{row['model']}, {row['variant']}"

    def at_site(self, site_id: str) -> CalibratedModel:
        """The model with a measured site's own offset: what is left of the uncertainty is that within a site.

        Raises
        ------
        ParameterError
            The site was not measured.
        """
        if site_id not in self.site_offset_db:
            raise ParameterError(
                f"site {site_id!r} was not measured; measured were {', '.join(list(self.site_offset_db)[:10])}"
            )
        offset = self.model.offset_db + self.site_offset_db[site_id]
        return replace(self.model, offset_db=offset, sigma_between_db=0.0)

    def __str__(self) -> str:
        shown = [c for c in self.table if not str(c).endswith("_log_score") or c == self.chosen_by]
        text = self.table[shown].to_string(index=False, float_format=lambda value: f"{value:.1f}")
        fitted = self.coefficients[self.coefficients["note"] != "as given"]
        learnt = ", ".join(
            f"{row['name']} {row['value']:.2f} ({row['low_95']:.2f} to {row['high_95']:.2f})"
            for _, row in fitted.iterrows()
        )
        return (
            f"{type(self.model.base).__name__}, {self.variant}: {learnt or 'as given'}; "
            f"sigma {self.sigma_within_db:.1f} dB within a site, {self.sigma_between_db:.1f} dB between sites\n"
            f"best on held-out data: {self.best}\n{text}"
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the calibration as JSON; `load_calibration` gives the same model back, bit for bit."""
        from rfplan.io.atomic import atomic_path

        model = self.model
        content = {
            "format": FORMAT,
            "base_model": describe_model(model.base) or {"name": type(model.base).__name__},
            "offset_db": model.offset_db,
            "slope_db_per_decade": model.slope_db_per_decade,
            "clutter_offset_db": model.clutter_offset_db,
            "sigma_within_db": model.sigma_within_db,
            "sigma_between_db": model.sigma_between_db,
            "variant": self.variant,
            "site_offset_db": self.site_offset_db,
            "device_offset_db": self.device_offset_db,
            "chosen_by": self.chosen_by,
            "coefficients": _without_nan(self.coefficients.to_dict(orient="records")),
            "held_out": _without_nan(self.table.to_dict(orient="records")),
            "notes": list(self.notes),
        }
        with atomic_path(Path(path)) as temporary:
            temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")
        return Path(path)


def coefficient_table(rows: list[tuple[str, float, float, float, bool]], n_sites: int) -> pd.DataFrame:
    """Coefficients with 95 % intervals: (name, value, standard error, value before, whether it was fitted) each.

    The quantile is Student's with as many degrees of freedom as there are sites less one: sites, not links, are what
    was sampled independently.
    """
    quantile = float(student_t.ppf(0.975, max(n_sites - 1, 2))) if n_sites > 1 else 1.96
    table = []
    for name, value, error, before, fitted in rows:
        note = "" if fitted and error > 0.0 else ("held at its bound" if fitted else "as given")
        half = quantile * error if fitted else 0.0
        table.append((name, value, error, value - half, value + half, before, note))
    columns = ["name", "value", "standard_error", "low_95", "high_95", "before", "note"]
    return pd.DataFrame(table, columns=columns)


def _without_nan(rows: list[dict[Any, Any]]) -> list[dict[Any, Any]]:
    return [{k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()} for row in rows]


def load_calibration(path: str | os.PathLike[str], base: PropagationModel | None = None) -> Any:
    """Read a calibration that `Calibration.save` wrote: the calibrated model.

    Parameters
    ----------
    path : path
    base : PropagationModel, optional
        The model to put it on; needed for a model of your own, else the one that was calibrated is made again.

    Raises
    ------
    InputFileError
        Not such a file, made for another model than `base`, or for a model that can't be made from its name.
    """
    file = Path(path)
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise InputFileError(f"{file}: {file.stat().st_size:,} bytes; a calibration has at most {_MAX_BYTES:,}")
        content = json.loads(file.read_text(encoding="utf-8"))
        version, described = content["format"], content["base_model"]
        if version != FORMAT:
            raise InputFileError(f"{file}: format {version!r} is not known; this rfplan reads format {FORMAT}")
        offset, slope = _finite(content["offset_db"]), _finite(content["slope_db_per_decade"])
        sigmas = (content["sigma_within_db"], content["sigma_between_db"])
        within, between = (None if value is None else _finite(value) for value in sigmas)
        clutter = tuple((_finite(height), _finite(value)) for height, value in content["clutter_offset_db"])
        made_for = str(described["name"])
        if base is None and not isinstance(described, Mapping):
            raise TypeError("base_model is no table")
    except InputFileError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputFileError(f"{file}: not a calibration file ({error}); write one with Calibration.save") from error
    if base is None:
        try:
            base = make_model(described)
        except (ParameterError, AttributeError, TypeError) as error:
            raise InputFileError(f"{file}: its base model can't be made: {error}; give it as base") from error
    elif made_for != type(base).__name__:
        raise InputFileError(f"{file}: made for {made_for}, not for {type(base).__name__}; give that model as base")
    return CalibratedModel(base, offset, slope, clutter, within, between)


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is no finite number")
    return number
