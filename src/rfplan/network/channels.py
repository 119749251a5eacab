"""Channel numbers to carrier frequencies and back: GSM ARFCN, UMTS UARFCN, LTE EARFCN, NR-ARFCN."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rfplan.errors import ParameterError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LteBand:
    """One row of TS 36.101 (release 17) Table 5.7.3-1; equal downlink and uplink starts mean TDD."""

    band: int
    downlink_low_mhz: float
    first_earfcn: int
    last_earfcn: int
    uplink_low_mhz: float

    @property
    def tdd(self) -> bool:
        """Whether both directions share the carrier."""
        return self.downlink_low_mhz == self.uplink_low_mhz


LTE_BANDS: dict[int, LteBand] = {
    row[0]: LteBand(*row)
    for row in (
        (1, 2110.0, 0, 599, 1920.0),
        (2, 1930.0, 600, 1199, 1850.0),
        (3, 1805.0, 1200, 1949, 1710.0),
        (4, 2110.0, 1950, 2399, 1710.0),
        (5, 869.0, 2400, 2649, 824.0),
        (7, 2620.0, 2750, 3449, 2500.0),
        (8, 925.0, 3450, 3799, 880.0),
        (12, 729.0, 5010, 5179, 699.0),
        (13, 746.0, 5180, 5279, 777.0),
        (17, 734.0, 5730, 5849, 704.0),
        (18, 860.0, 5850, 5999, 815.0),
        (19, 875.0, 6000, 6149, 830.0),
        (20, 791.0, 6150, 6449, 832.0),
        (25, 1930.0, 8040, 8689, 1850.0),
        (26, 859.0, 8690, 9039, 814.0),
        (28, 758.0, 9210, 9659, 703.0),
        (34, 2010.0, 36200, 36349, 2010.0),
        (38, 2570.0, 37750, 38249, 2570.0),
        (39, 1880.0, 38250, 38649, 1880.0),
        (40, 2300.0, 38650, 39649, 2300.0),
        (41, 2496.0, 39650, 41589, 2496.0),
        (42, 3400.0, 41590, 43589, 3400.0),
        (43, 3600.0, 43590, 45589, 3600.0),
    )
}

# TS 38.104 Table 5.4.2.1-1: (lowest MHz, raster kHz, first NR-ARFCN, last NR-ARFCN).
_NR_RASTER = ((0.0, 5.0, 0, 599_999), (3000.0, 15.0, 600_000, 2_016_666), (24_250.08, 60.0, 2_016_667, 3_279_165))

# TS 38.101-1 Table 5.2-1, bands with a duplex distance; the others are taken as TDD (same carrier both ways).
NR_DUPLEX_MHZ: dict[str, tuple[float, float, float]] = {
    "n1": (2110.0, 2170.0, 190.0),
    "n3": (1805.0, 1880.0, 95.0),
    "n5": (869.0, 894.0, 45.0),
    "n7": (2620.0, 2690.0, 120.0),
    "n8": (925.0, 960.0, 45.0),
    "n20": (791.0, 821.0, -41.0),
    "n28": (758.0, 803.0, 55.0),
}


def lte_band_of(earfcn: int) -> LteBand:
    """Band whose downlink holds an EARFCN.

    Raises
    ------
    ParameterError
        When no band known here holds it.
    """
    for band in LTE_BANDS.values():
        if band.first_earfcn <= earfcn <= band.last_earfcn:
            return band
    raise ParameterError(
        f"EARFCN {earfcn} is in no known LTE downlink band (TS 36.101 Table 5.7.3-1); give frequency_mhz"
    )


def lte_frequencies_mhz(earfcn: int) -> tuple[float, float]:
    """Downlink and uplink carrier of a downlink EARFCN: ``F = F_low + 0.1 (N − N_offs)`` (TS 36.101 §5.7.3)."""
    band = lte_band_of(earfcn)
    offset = 0.1 * (earfcn - band.first_earfcn)
    return round(band.downlink_low_mhz + offset, 1), round(band.uplink_low_mhz + offset, 1)


def earfcn_of(downlink_mhz: float, band: int) -> int:
    """Downlink EARFCN of a carrier in a band.

    Raises
    ------
    ParameterError
        When the band is not known or the carrier is outside it.
    """
    if band not in LTE_BANDS:
        raise ParameterError(f"LTE band {band} is not known; known: {', '.join(map(str, LTE_BANDS))}")
    row = LTE_BANDS[band]
    earfcn = row.first_earfcn + round(10.0 * (downlink_mhz - row.downlink_low_mhz))
    if not row.first_earfcn <= earfcn <= row.last_earfcn:
        high = row.downlink_low_mhz + 0.1 * (row.last_earfcn - row.first_earfcn)
        raise ParameterError(f"{downlink_mhz} MHz is outside LTE band {band} ({row.downlink_low_mhz}–{high:.1f} MHz)")
    return earfcn


def nr_frequency_mhz(nr_arfcn: int) -> float:
    """Frequency of an NR-ARFCN: ``F_REF = F_offs + ΔF (N − N_offs)`` (TS 38.104 §5.4.2.1)."""
    for low, raster, first, last in _NR_RASTER:
        if first <= nr_arfcn <= last:
            return low + raster * 1e-3 * (nr_arfcn - first)
    raise ParameterError(f"NR-ARFCN {nr_arfcn} must be within 0…3279165 (TS 38.104 Table 5.4.2.1-1)")


def nr_arfcn_of(frequency_mhz: float) -> int:
    """Nearest NR-ARFCN to a frequency (TS 38.104 §5.4.2.1)."""
    if not 0.0 <= frequency_mhz <= 100_000.0:
        raise ParameterError(f"frequency_mhz={frequency_mhz} must be within 0…100000 MHz for NR")
    low, raster, first, _ = next(row for row in reversed(_NR_RASTER) if frequency_mhz >= row[0])
    return first + round((frequency_mhz - low) / (raster * 1e-3))


def nr_uplink_mhz(downlink_mhz: float) -> float:
    """Uplink carrier that goes with an NR downlink: the same one, except in the FDD bands listed here."""
    for low, high, duplex in NR_DUPLEX_MHZ.values():
        if low <= downlink_mhz <= high:
            return downlink_mhz - duplex
    return downlink_mhz


def gsm_frequencies_mhz(arfcn: int) -> tuple[float, float]:
    """Downlink and uplink of a GSM 900 or DCS 1800 ARFCN (TS 45.005 §2)."""
    if 0 <= arfcn <= 124:
        uplink = 890.0 + 0.2 * arfcn
        return round(uplink + 45.0, 1), round(uplink, 1)
    if 975 <= arfcn <= 1023:
        uplink = 890.0 + 0.2 * (arfcn - 1024)
        return round(uplink + 45.0, 1), round(uplink, 1)
    if 512 <= arfcn <= 885:
        uplink = 1710.2 + 0.2 * (arfcn - 512)
        return round(uplink + 95.0, 1), round(uplink, 1)
    raise ParameterError(f"ARFCN {arfcn} is in neither GSM 900 (0…124, 975…1023) nor DCS 1800 (512…885)")


def umts_frequencies_mhz(uarfcn: int) -> tuple[float, float]:
    """Downlink and uplink of a UARFCN in band I or VIII (TS 25.101 §5.4.3, ``F = N/5`` plus the band's offset)."""
    if 10_562 <= uarfcn <= 10_838:
        return round(uarfcn / 5.0, 1), round(uarfcn / 5.0 - 190.0, 1)
    if 2_937 <= uarfcn <= 3_088:
        downlink = 340.0 + uarfcn / 5.0
        return round(downlink, 1), round(downlink - 45.0, 1)
    raise ParameterError(f"UARFCN {uarfcn} is in neither band I (10562…10838) nor band VIII (2937…3088)")


def carrier_mhz(technology: str, channel: int) -> tuple[float, float]:
    """Downlink and uplink carrier of a channel number in the numbering of a technology (2G, 3G, 4G or 5G)."""
    if technology == "2G":
        return gsm_frequencies_mhz(channel)
    if technology == "3G":
        return umts_frequencies_mhz(channel)
    if technology == "4G":
        return lte_frequencies_mhz(channel)
    downlink = nr_frequency_mhz(channel)
    return downlink, nr_uplink_mhz(downlink)
