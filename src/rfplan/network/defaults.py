"""What is assumed where a site list is silent: one row a technology, planning values for northern Vietnam.

Carriers are in the bands in use there (900, 1800, 2100 MHz and 2500–2600 MHz); powers and gains are typical of
the equipment class, not of any operator. Every use of a default is counted in the network's report.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

TECHNOLOGIES = ("2G", "3G", "4G", "5G")
TDD_DOWNLINK_SHARE = 0.75
"""Share of time for the downlink where uplink and downlink share a frequency; what is left is the uplink's."""
DEFAULT_AZIMUTHS_DEG = (0.0, 120.0, 240.0)
# TS 36.101 Table 5.6-1 and TS 38.101-1 Table 5.3.5-1.
BANDWIDTHS_MHZ: dict[str, tuple[float, ...]] = {
    "4G": (1.4, 3.0, 5.0, 10.0, 15.0, 20.0),
    "5G": (5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0),
}


@dataclass(frozen=True)
class TechnologyDefaults:
    """Defaults of a sector and its cell for one technology."""

    technology: str
    frequency_mhz: float
    uplink_frequency_mhz: float
    bandwidth_mhz: float
    subcarrier_khz: float
    max_power_dbm: float
    antenna: str
    tx_height_agl_m: float = 30.0
    mechanical_tilt_deg: float = 0.0
    electrical_tilt_deg: float = 3.0
    feeder_loss_db: float = 0.5
    noise_figure_db: float = 2.5
    load: float = 0.5
    mimo_layers: int = 1
    downlink_share: float = 1.0


DEFAULTS: dict[str, TechnologyDefaults] = {
    row.technology: row
    for row in (
        TechnologyDefaults("2G", 947.4, 902.4, 0.2, 200.0, 43.0, "sector-900", load=1.0),
        TechnologyDefaults("3G", 2132.4, 1942.4, 5.0, 3840.0, 43.0, "sector-2100"),
        TechnologyDefaults("4G", 1842.5, 1747.5, 20.0, 15.0, 46.0, "sector-1800", mimo_layers=2),
        TechnologyDefaults(
            "5G", 2550.0, 2550.0, 100.0, 30.0, 53.0, "panel-2600-ssb", mimo_layers=4, downlink_share=TDD_DOWNLINK_SHARE
        ),
    )
}

ALIASES_OF_TECHNOLOGY = {
    "GSM": "2G", "EDGE": "2G", "GPRS": "2G", "DCS": "2G",
    "UMTS": "3G", "WCDMA": "3G", "HSPA": "3G",
    "LTE": "4G", "EUTRAN": "4G", "LTE-A": "4G",
    "NR": "5G", "5GNR": "5G", "NR5G": "5G",
}  # fmt: skip


def canonical_technology(text: str) -> str | None:
    """2G, 3G, 4G or 5G for the usual spellings; None when it is none of them."""
    word = text.strip().upper().replace(" ", "")
    word = ALIASES_OF_TECHNOLOGY.get(word, word)
    return word if word in DEFAULTS else None


def default_antenna(technology: str, frequency_mhz: float) -> str:
    """Antenna assumed for a carrier: by band, and a panel for 5G above 2.3 GHz."""
    if technology == "5G" and frequency_mhz > 2300.0:
        return "panel-2600-ssb"
    if frequency_mhz < 1100.0:
        return "sector-900"
    return "sector-1800" if frequency_mhz < 2000.0 else "sector-2100"


def defaults_table() -> pd.DataFrame:
    """The defaults as a table, a row a technology."""
    return pd.DataFrame([asdict(row) for row in DEFAULTS.values()])
