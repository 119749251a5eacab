"""Where open data lies, by the providers' documented layouts: which files serve a bounding box.

Longitudes and latitudes are WGS 84 degrees; a bounding box is ``(west, south, east, north)``. Each provider's base
address can be replaced (a mirror, a local server), the layout below it stays.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rfplan.errors import ParameterError

BoundingBox = tuple[float, float, float, float]

BASE_URLS: Mapping[str, str] = {
    "glo30": "https://copernicus-dem-30m.s3.amazonaws.com",
    "worldcover": "https://esa-worldcover.s3.eu-central-1.amazonaws.com",
    "worldpop": "https://data.worldpop.org",
    "ghs-pop": "https://jeodpp.jrc.ec.europa.eu/ftp/jrc-opendata/GHSL",
    "osm": "https://download.geofabrik.de",
    "opencellid": "https://opencellid.org",
}

LICENCES: Mapping[str, str] = {
    "glo30": "Copernicus DEM GLO-30, © DLR e.V. 2010–2014 and © Airbus Defence and Space GmbH 2014–2018, free licence",
    "worldcover": "ESA WorldCover 2021 v200, CC BY 4.0",
    "worldpop": "WorldPop, CC BY 4.0",
    "ghs-pop": "GHS-POP R2023A, European Commission JRC, CC BY 4.0",
    "osm": "© OpenStreetMap contributors, ODbL 1.0",
    "opencellid": "OpenCelliD, CC BY-SA 4.0",
}

# GHS-POP R2023A at 3″: 10° tiles counted from this north-west corner (GHSL Data Package 2023, tiling schema).
_GHS_WEST_DEG, _GHS_NORTH_DEG, _GHS_TILE_DEG = -180.0079167, 89.0995831, 10.0


@dataclass(frozen=True)
class Remote:
    """One file of a provider.

    Attributes
    ----------
    source : str
        Key of :data:`BASE_URLS`.
    url : str
        Full address.
    name : str
        Path below the cache folder, ``/``-separated.
    may_be_absent : bool
        A 404 means that the provider has nothing there (a tile of open sea), not a failure.
    md5_url : str or None
        Address of the provider's own checksum file, where there is one.
    secret : str or None
        Part of the address that must not be printed or stored (a user's key).
    """

    source: str
    url: str
    name: str
    may_be_absent: bool = False
    md5_url: str | None = None
    secret: str | None = None

    @property
    def shown_url(self) -> str:
        """The address with the user's key blanked."""
        return self.url.replace(self.secret, "***") if self.secret else self.url


def check_bbox(bbox: BoundingBox) -> BoundingBox:
    """Return the bounding box if it is one, else say which part of it is wrong.

    Raises
    ------
    ParameterError
        Not four finite numbers, outside the globe, or west/east or south/north swapped.
    """
    if len(bbox) != 4 or not all(math.isfinite(value) for value in bbox):
        raise ParameterError(f"bbox: got {bbox!r}; give west, south, east, north as four finite degrees")
    west, south, east, north = bbox
    if not (-180 <= west < east <= 180):
        raise ParameterError(
            f"bbox: west {west} and east {east} must satisfy -180 <= west < east <= 180; "
            "an area across the antimeridian is fetched in two parts"
        )
    if not (-90 <= south < north <= 90):
        raise ParameterError(f"bbox: south {south} and north {north} must satisfy -90 <= south < north <= 90")
    return bbox


def _tiles(bbox: BoundingBox, size_deg: int) -> Iterator[tuple[int, int]]:
    """South-west corners (latitude, longitude) of the tiles a bounding box touches, south to north, west to east."""
    west, south, east, north = bbox
    for row in range(math.floor(south / size_deg), math.ceil(north / size_deg)):
        for column in range(math.floor(west / size_deg), math.ceil(east / size_deg)):
            yield row * size_deg, column * size_deg


def _corner(latitude: int, longitude: int) -> tuple[str, str]:
    north_south = f"{'N' if latitude >= 0 else 'S'}{abs(latitude):02d}"
    east_west = f"{'E' if longitude >= 0 else 'W'}{abs(longitude):03d}"
    return north_south, east_west


def glo30(bbox: BoundingBox, base: str) -> list[Remote]:
    """Copernicus DEM GLO-30: a COG a degree square, absent over open sea."""
    remotes = []
    for latitude, longitude in _tiles(bbox, 1):
        north_south, east_west = _corner(latitude, longitude)
        stem = f"Copernicus_DSM_COG_10_{north_south}_00_{east_west}_00_DEM"
        remotes.append(Remote("glo30", f"{base}/{stem}/{stem}.tif", f"glo30/{stem}.tif", may_be_absent=True))
    return remotes


def worldcover(bbox: BoundingBox, base: str) -> list[Remote]:
    """ESA WorldCover 2021 v200: 3° tiles named by their south-west corner."""
    remotes = []
    for latitude, longitude in _tiles(bbox, 3):
        north_south, east_west = _corner(latitude, longitude)
        stem = f"ESA_WorldCover_10m_2021_v200_{north_south}{east_west}_Map.tif"
        remotes.append(Remote("worldcover", f"{base}/v200/2021/map/{stem}", f"worldcover/{stem}", may_be_absent=True))
    return remotes


def worldpop(base: str, country: str, year: int = 2020) -> list[Remote]:
    """WorldPop unconstrained global mosaic, 1 km, by ISO 3166 alpha-3 country code."""
    upper, lower = country.upper(), country.lower()
    stem = f"{lower}_ppp_{year}_1km_Aggregated.tif"
    url = f"{base}/GIS/Population/Global_2000_2020_1km/{year}/{upper}/{stem}"
    return [Remote("worldpop", url, f"worldpop/{stem}")]


def ghs_pop(bbox: BoundingBox, base: str, epoch: int = 2025) -> list[Remote]:
    """GHS-POP R2023A, 3 arc-seconds: zipped 10° tiles by row and column, absent over open sea."""
    west, south, east, north = bbox
    product = f"GHS_POP_E{epoch}_GLOBE_R2023A_4326_3ss"
    rows = [math.floor((_GHS_NORTH_DEG - latitude) / _GHS_TILE_DEG) + 1 for latitude in (north, south)]
    columns = [math.floor((longitude - _GHS_WEST_DEG) / _GHS_TILE_DEG) + 1 for longitude in (west, east)]
    remotes = []
    for row in range(rows[0], rows[1] + 1):
        for column in range(columns[0], columns[1] + 1):
            stem = f"{product}_V1_0_R{row}_C{column}.zip"
            url = f"{base}/GHS_POP_GLOBE_R2023A/{product}/V1-0/tiles/{stem}"
            remotes.append(Remote("ghs-pop", url, f"ghs-pop/{stem}", may_be_absent=True))
    return remotes


def osm(base: str, region: str) -> list[Remote]:
    """An OpenStreetMap extract (roads, settlements, power lines) of a region such as ``asia/vietnam``, with its MD5."""
    url = f"{base}/{region.strip('/')}-latest.osm.pbf"
    stem = region.strip("/").replace("/", "-")
    return [Remote("osm", url, f"osm/{stem}-latest.osm.pbf", md5_url=f"{url}.md5")]


def opencellid(base: str, key: str, mcc: int) -> list[Remote]:
    """OpenCelliD's cells of a mobile country code; needs the user's own key, which is never printed or stored."""
    url = f"{base}/ocid/downloads?token={key}&type=mcc&file={mcc}.csv.gz"
    return [Remote("opencellid", url, f"opencellid/{mcc}.csv.gz", secret=key)]
