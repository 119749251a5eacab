"""The HTML report, maps and tables."""

from rfplan.report.context import PublishedFigure, ReportContext
from rfplan.report.write import write_report

__all__ = ["PublishedFigure", "ReportContext", "write_report"]
