"""What a report says beyond the plan itself: title, provenance, published figures to stand beside."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import pandas as pd

from rfplan.errors import ParameterError

INPUT_KEYS = ("role", "name", "sha256", "bytes", "licence", "note")


@dataclass(frozen=True)
class PublishedFigure:
    """A coverage figure somebody has published, to be shown beside the computed one.

    Attributes
    ----------
    label : str
        What it is, e.g. ``"4G, operator's report for 2024"``.
    population_percent, area_percent : float or None
        Covered share, %; None where not published.
    source : str
    explanation : str
        Why the computed figure differs.
    """

    label: str
    population_percent: float | None = None
    area_percent: float | None = None
    source: str = ""
    explanation: str = ""

    def __post_init__(self) -> None:
        for name in ("population_percent", "area_percent"):
            value = getattr(self, name)
            if value is not None and not 0 <= float(value) <= 100:
                raise ParameterError(f"published figure {self.label!r}: {name} is {value}; give 0…100 or None")


@dataclass(frozen=True)
class ReportContext:
    """Provenance and words for `write_report`; every field has a default, so an empty context makes a report.

    Attributes
    ----------
    title : str
        Headline of the page.
    area_name : str
        The place that is planned.
    scenario : str
        Name of the scenario.
    synthetic : bool
        The input is made up: the page says so at the top, on the map and in the manifest.
    synthetic_note : str
        What is made up and what it is anchored on. Given without `synthetic`, the page says "partly synthetic".
    inputs : sequence of mapping
        Keys ``role, name, sha256, bytes, licence, note``, each optional.
    parameters : mapping
        Whatever the run was given; nested mappings are allowed.
    timings_s : mapping of str to float
        Seconds per stage.
    peak_memory_mb : float or None
    published : sequence of PublishedFigure or mapping
    threshold_sweep : DataFrame or sequence of mapping or None
        Columns ``threshold_dbm, service, population_before_percent, area_before_percent,
        population_after_percent, area_after_percent``; None lets the report compute it.
    notes : sequence of str
        Paragraphs for the method section.
    """

    title: str = "Radio coverage plan"
    area_name: str = ""
    scenario: str = ""
    synthetic: bool = False
    synthetic_note: str = ""
    inputs: Sequence[Mapping[str, Any]] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    timings_s: Mapping[str, float] = field(default_factory=dict)
    peak_memory_mb: float | None = None
    published: Sequence[PublishedFigure] = ()
    threshold_sweep: pd.DataFrame | None = None
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(
            self,
            "published",
            tuple(p if isinstance(p, PublishedFigure) else PublishedFigure(**dict(p)) for p in self.published),
        )
        if self.threshold_sweep is not None and not isinstance(self.threshold_sweep, pd.DataFrame):
            object.__setattr__(self, "threshold_sweep", pd.DataFrame(list(self.threshold_sweep)))
        for entry in self.inputs:
            unknown = sorted(set(entry) - set(INPUT_KEYS))
            if unknown:
                raise ParameterError(
                    f"report input {entry.get('name', '?')!r} has unknown key(s) {', '.join(unknown)}; "
                    f"allowed: {', '.join(INPUT_KEYS)}"
                )

    @property
    def synthetic_extent(self) -> str:
        """``"yes"``; ``"partly"`` where real data is mixed with what `synthetic_note` names; or ``"no"``."""
        return "yes" if self.synthetic else "partly" if self.synthetic_note else "no"

    @classmethod
    def of(cls, given: ReportContext | Mapping[str, Any] | None) -> ReportContext:
        """Take a context as it is, or make one from a mapping whose keys are the fields' names."""
        if isinstance(given, ReportContext):
            return given
        values = dict(given or {})
        allowed = [f.name for f in fields(cls)]
        unknown = sorted(set(values) - set(allowed))
        if unknown:
            raise ParameterError(
                f"report context has unknown key(s) {', '.join(unknown)}; allowed: {', '.join(allowed)}"
            )
        return cls(**values)


def plain(value: Any) -> Any:
    """Turn anything into what JSON can say: numpy numbers, dataclasses, enums and paths included; NaN becomes None."""
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        return {"type": type(value).__name__, **{f.name: plain(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, pd.DataFrame):
        return [plain(row) for row in value.to_dict("records")]
    if isinstance(value, (list, tuple, set, frozenset)) or hasattr(value, "tolist"):
        return [plain(v) for v in (value.tolist() if hasattr(value, "tolist") else value)]
    return str(value)
