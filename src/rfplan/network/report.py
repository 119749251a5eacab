"""What reading or checking a network found, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Finding:
    """One remark: ``error`` = the row was left out, ``warning`` = repaired or doubtful, ``info`` = worth knowing."""

    severity: Severity
    row: int | None
    field: str
    message: str
    remedy: str = ""
    source: str = ""


@dataclass(frozen=True)
class NetworkReport:
    """Findings, and how often each default was used.

    Attributes
    ----------
    findings : tuple of Finding
    defaults : dict
        Field name to the number of sectors or cells that took the stated default.
    """

    findings: tuple[Finding, ...] = ()
    defaults: Mapping[str, int] = field(default_factory=dict)

    @property
    def table(self) -> pd.DataFrame:
        """Findings as a table: severity, row, field, message, remedy, source."""
        columns = ["severity", "row", "field", "message", "remedy", "source"]
        frame = pd.DataFrame([[getattr(f, name) for name in columns] for f in self.findings], columns=columns)
        return frame.astype({"row": "Int64"})

    def count(self, severity: Severity) -> int:
        """Number of findings of one severity."""
        return sum(f.severity == severity for f in self.findings)

    @property
    def ok(self) -> bool:
        """Whether nothing was left out or repaired."""
        return not any(f.severity in ("error", "warning") for f in self.findings)

    def extended(self, findings: Iterable[Finding]) -> NetworkReport:
        """The same report with more findings."""
        return NetworkReport((*self.findings, *findings), dict(self.defaults))

    def __str__(self) -> str:
        lines = [f"{self.count('error')} rows left out, {self.count('warning')} warnings, {self.count('info')} remarks"]
        for f in self.findings[:20]:
            where = f"row {f.row}" if f.row is not None else (f.source or "all")
            lines.append(f"  {f.severity} {where} {f.field}: {f.message}" + (f" — {f.remedy}" if f.remedy else ""))
        if len(self.findings) > 20:
            lines.append(f"  … {len(self.findings) - 20} more in .table")
        if self.defaults:
            used = ", ".join(f"{name} {count}" for name, count in sorted(self.defaults.items()))
            lines.append(f"  defaults used: {used}")
        return "\n".join(lines)
