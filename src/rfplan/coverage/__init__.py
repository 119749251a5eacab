"""Coverage: path loss, antennas and link budget together, from one site's margins to the layers of a network."""

from __future__ import annotations

from rfplan.coverage.core import Coverage, compute_coverage
from rfplan.coverage.predict import SiteMargins, site_margins
from rfplan.coverage.settings import Receiver, Service

__all__ = ["Coverage", "Receiver", "Service", "SiteMargins", "compute_coverage", "site_margins"]
