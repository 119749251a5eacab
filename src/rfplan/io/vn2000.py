"""VN-2000: the CRS of Vietnamese maps, its zones, and its datum shift of about 200 m.

VN-2000 uses the WGS 84 ellipsoid, placed elsewhere: coordinates taken for WGS 84 lie some 200 m off. The shift is
applied by PROJ whenever the datum is known as VN-2000, by the seven parameters of EPSG:6960 (accuracy about 1 m).
6° zones are EPSG:3405 and 3406; every province had its own 3° zone (scale 0.9999, false easting 500 km), whose
central meridian was laid down in Circular 25/2014/TT-BTNMT, Annex 2, for the 63 provinces before 1 July 2025. A file of
a merged province keeps the zone of whoever drew it: ask.
"""

from __future__ import annotations

import unicodedata
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pyproj

from rfplan.errors import ParameterError
from rfplan.io.crs import LONLAT, crs_name, transformer

THREE_DEGREE_ZONES: Final = MappingProxyType(
    {
        102.0: 5896, 103.0: 9205, 104.0: 9206, 104.5: 9207, 104.75: 9208, 105.0: 5897, 105.5: 9209, 105.75: 9210,
        106.0: 9211, 106.25: 9212, 106.5: 9213, 107.0: 9214, 107.25: 9215, 107.5: 9216, 107.75: 5899, 108.0: 5898,
        108.25: 9217, 108.5: 9218,
    }
)  # fmt: skip
"""Central meridian (degrees) → EPSG code of the 3° zone."""

_PROVINCES: Final = {
    103.0: "Lai Châu, Điện Biên",
    104.0: "Sơn La",
    104.5: "Kiên Giang, Cà Mau",
    104.75: "Lào Cai, Yên Bái, Nghệ An, Phú Thọ, An Giang",
    105.0: "Thanh Hóa, Vĩnh Phúc, Đồng Tháp, Cần Thơ, Bạc Liêu, Hậu Giang, Hà Nội, Ninh Bình, Hà Nam",
    105.5: "Hà Giang, Hải Dương, Hà Tĩnh, Bắc Ninh, Hưng Yên, Thái Bình, Nam Định, Tây Ninh, Vĩnh Long, Sóc Trăng, "
    "Trà Vinh",
    105.75: "Cao Bằng, Long An, Tiền Giang, Bến Tre, Hải Phòng, Hồ Chí Minh, Bình Dương",
    106.0: "Tuyên Quang, Hòa Bình, Quảng Bình",
    106.25: "Quảng Trị, Bình Phước",
    106.5: "Bắc Kạn, Thái Nguyên",
    107.0: "Bắc Giang, Thừa Thiên Huế",
    107.25: "Lạng Sơn",
    107.5: "Kon Tum",
    107.75: "Quảng Ninh, Đồng Nai, Bà Rịa - Vũng Tàu, Quảng Nam, Lâm Đồng, Đà Nẵng",
    108.0: "Quảng Ngãi",
    108.25: "Ninh Thuận, Khánh Hòa, Bình Định",
    108.5: "Đắk Lắk, Đắk Nông, Phú Yên, Gia Lai, Bình Thuận",
}


def _plain(name: str) -> str:
    """Lower-case letters only, without Vietnamese marks."""
    bare = unicodedata.normalize("NFD", name.lower().replace("đ", "d"))
    return "".join(letter for letter in bare if letter.isascii() and letter.isalpha())


CENTRAL_MERIDIANS_DEG: Final = MappingProxyType(
    {_plain(name): meridian for meridian, names in _PROVINCES.items() for name in names.split(",")}
)
"""Province (without marks or blanks) → central meridian of its 3° zone, degrees."""


def vn2000_crs(zone: str | float) -> str:
    """Return the EPSG code of a VN-2000 zone.

    Parameters
    ----------
    zone : str or float
        Province (``"Phú Thọ"``, marks optional, one of the 63 before July 2025), central meridian of a 3° zone in
        degrees (104.75), or ``"48N"``/``"49N"`` for the 6° zones.

    Returns
    -------
    str
        For instance ``"EPSG:9208"``.

    Raises
    ------
    ParameterError
        If there is no such province or meridian.
    """
    if isinstance(zone, str):
        sixth = {"48n": 3405, "49n": 3406}.get(zone.strip().lower())
        if sixth:
            return f"EPSG:{sixth}"
        meridian = CENTRAL_MERIDIANS_DEG.get(_plain(zone))
        if meridian is None:
            raise ParameterError(
                f"zone {zone!r} is no province with a VN-2000 zone; give one of the 63 before July 2025, a central "
                "meridian in degrees, '48N' or '49N'"
            )
    else:
        meridian = float(zone)
    code = THREE_DEGREE_ZONES.get(round(meridian, 4))
    if code is None:
        raise ParameterError(
            f"central meridian {meridian:g} has no VN-2000 3° zone; allowed are "
            f"{', '.join(map(str, THREE_DEGREE_ZONES))}"
        )
    return f"EPSG:{code}"


def vn2000_to_lonlat(
    x_m: npt.ArrayLike, y_m: npt.ArrayLike, zone: str | float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Convert VN-2000 eastings and northings (m) to WGS 84 longitudes and latitudes, datum shift applied.

    Parameters
    ----------
    x_m, y_m : array-like
        Easting and northing, m (Vietnamese sheets print the northing as X and the easting as Y).
    zone : str or float
        As in `vn2000_crs`.
    """
    lon, lat = transformer(vn2000_crs(zone), LONLAT).transform(
        np.asarray(x_m, dtype=np.float64), np.asarray(y_m, dtype=np.float64)
    )
    return np.asarray(lon), np.asarray(lat)


def lonlat_to_vn2000(
    lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike, zone: str | float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Convert WGS 84 longitudes and latitudes to VN-2000 eastings and northings (m)."""
    x, y = transformer(LONLAT, vn2000_crs(zone)).transform(
        np.asarray(lon_deg, dtype=np.float64), np.asarray(lat_deg, dtype=np.float64)
    )
    return np.asarray(x), np.asarray(y)


def with_datum_shift(crs: pyproj.CRS) -> pyproj.CRS:
    """Give a CRS that is named VN-2000 but carries no EPSG code its coded twin, so that the datum shift is applied.

    Files written by CAD and GIS programs often name the datum (``D_VN_2000``, ``Vietnam_2000``) without a code or
    shift; PROJ would then take it for WGS 84. Every other CRS is returned as it is.
    """
    if ":" in crs_name(crs)[:12] and crs.to_authority(min_confidence=100):
        return crs
    datum = f"{crs.datum.name if crs.datum else ''} {crs.name}"
    if not any(word in _plain(datum) for word in ("vn", "vietnam")) or "2000" not in datum:
        return crs
    if crs.is_geographic:
        return pyproj.CRS.from_epsg(4756)
    parameters = {p.name: p.value for p in crs.coordinate_operation.params} if crs.coordinate_operation else {}
    meridian = round(float(parameters.get("Longitude of natural origin", np.nan)), 4)
    scale = round(float(parameters.get("Scale factor at natural origin", np.nan)), 5)
    if scale == 0.9996 and meridian in (105.0, 111.0):
        return pyproj.CRS.from_epsg(3405 if meridian == 105.0 else 3406)
    if scale == 0.9999 and meridian in THREE_DEGREE_ZONES:
        return pyproj.CRS.from_epsg(THREE_DEGREE_ZONES[meridian])
    return crs
