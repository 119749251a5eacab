"""Rasters in and out: an allow-list of drivers, sizes checked before reading, north-up arrays."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from rfplan.errors import InputFileError, OutputError, RfplanError
from rfplan.io.archives import unpacked
from rfplan.io.atomic import atomic_path
from rfplan.io.crs import LONLAT, crs_name, parse_crs, transform_box
from rfplan.io.products import Surface, product_of
from rfplan.io.vn2000 import with_datum_shift

RASTER_DRIVERS = ("GTiff", "SRTMHGT", "AAIGrid", "EHdr")
"""The only GDAL drivers a raster is opened with; a VRT, which can name other files, is not among them."""

MAIN_SUFFIXES = (".hgt", ".asc", ".agr", ".bil", ".tif", ".tiff")
RASTER_SUFFIXES = (*MAIN_SUFFIXES, ".hdr", ".prj")
"""Members unpacked from a zipped raster."""

MAX_RASTER_PIXELS = 100_000_000
"""Largest window that is read from one raster; reading and repairing it stays below 2 GiB."""

HGT_SIDES = {2 * n * m: (n, m) for n, m in ((1201, 1201), (3601, 3601), (3601, 1801), (1201, 601))}

Array = npt.NDArray[Any]
Bounds = tuple[float, float, float, float]


class OutsideAreaError(InputFileError):
    """A raster does not overlap the area asked for."""


@dataclass(frozen=True)
class RasterFile:
    """A raster file with what its header leaves unsaid.

    Parameters
    ----------
    path : path-like
        GeoTIFF/COG, SRTM ``.hgt``, Arc/Info ASCII grid (``.asc``) or ``.bil`` with ``.hdr``.
    crs : str, optional
        CRS of the file, used only where the file has none.
    nodata : float or "none", optional
        Value that means no data, instead of the one in the file; ``"none"``: every value is data.
    unit : {"m", "ft", "us-ft"}, optional
        Unit of heights; default: the unit in the file, else metres.
    surface : {"dtm", "dsm"}, optional
        Whether heights are of the ground or of the top of trees and buildings; default by product
        (`rfplan.io.products`), else ground.
    vertical_datum : str, optional
        EGM96, EGM2008, "ellipsoid", or any other name, which is only recorded; default by product.
    """

    path: str | os.PathLike[str]
    crs: str | None = None
    nodata: float | Literal["none"] | None = None
    unit: Literal["m", "ft", "us-ft"] | None = None
    surface: Surface | None = None
    vertical_datum: str | None = None


@dataclass(frozen=True, eq=False)
class Raster:
    """A band in memory, north-up.

    Parameters
    ----------
    values : ndarray, shape (ny, nx)
        Row 0 is the northern row, column 0 the western one. Floating types hold NaN where there is no data.
    x0, y0 : float
        Outer corner of the north-west pixel in units of `crs`.
    dx, dy : float
        Pixel size, both positive.
    crs : str
        ``EPSG:…`` or WKT.
    nodata : float or None
        Left in integer arrays.
    path : str
        Where it came from.
    unit : str
        Unit of the values as the file states it, ``""`` when it does not.
    """

    values: Array
    x0: float
    y0: float
    dx: float
    dy: float
    crs: str
    nodata: float | None
    path: str
    unit: str = ""

    @property
    def transform(self) -> Affine:
        """Affine transform of the north-up array."""
        return Affine(self.dx, 0.0, self.x0, 0.0, -self.dy, self.y0)

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north in units of `crs`."""
        ny, nx = self.values.shape
        return (self.x0, self.y0 - ny * self.dy, self.x0 + nx * self.dx, self.y0)

    def with_values(self, values: Array, nodata: float | None = None) -> Raster:
        """Return the same grid with other values."""
        return replace(self, values=values, nodata=nodata)


def _check_file(path: str | os.PathLike[str]) -> Path:
    text = os.fspath(path)
    if "://" in text or text.startswith("/vsi"):
        raise InputFileError(f"{text} is not a local file; download it first (`rfplan fetch`)")
    file = Path(text)
    if not file.exists():
        raise InputFileError(f"{file} does not exist; check the path (relative to {Path.cwd()})")
    if not file.is_file():
        raise InputFileError(f"{file} is not a regular file")
    if file.suffix.lower() == ".hgt" and file.stat().st_size not in HGT_SIDES:
        raise InputFileError(
            f"{file} has {file.stat().st_size:,} bytes, which is no SRTM tile: 1201² tiles have 2,884,802 and 3601² "
            "tiles 25,934,402; the download was cut off or the file is still packed"
        )
    return file


def _driver(file: Path) -> str:
    """Choose the one driver a file is opened with, by suffix, or as TIFF by its first bytes."""
    by_suffix = {".hgt": "SRTMHGT", ".asc": "AAIGrid", ".agr": "AAIGrid", ".bil": "EHdr"}
    by_suffix |= {".tif": "GTiff", ".tiff": "GTiff"}
    suffix = file.suffix.lower()
    if suffix in by_suffix:
        return by_suffix[suffix]
    with file.open("rb") as stream:
        magic = stream.read(4)
    if magic in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "GTiff"
    raise InputFileError(
        f"{file} is not a raster that is read here; allowed are {', '.join(sorted(by_suffix))} and any TIFF"
    )


def _source_crs(dataset: Any, source: RasterFile) -> str:
    if dataset.crs:
        return crs_name(with_datum_shift(parse_crs(dataset.crs.to_wkt())))
    if source.crs is None:
        raise InputFileError(
            f"{source.path} has no CRS; add one to the file (a .prj beside an .asc or .bil) or pass "
            "RasterFile(path, crs='EPSG:…')"
        )
    return crs_name(parse_crs(source.crs))


def _check_layout(dataset: Any, path: Path, band: int) -> None:
    transform = dataset.transform
    if transform.is_identity:
        raise InputFileError(f"{path} is not georeferenced: it has no position or pixel size")
    if transform.b or transform.d:
        raise InputFileError(f"{path} is rotated or sheared; make it north-up first (gdalwarp)")
    # a cell is between a thousandth of a second and the size of a continent, in degrees or metres
    sizes_fit = all(1e-7 <= abs(v) <= 1e7 for v in (transform.a, transform.e))
    if not sizes_fit or not all(abs(v) < 1e9 for v in (transform.c, transform.f)):
        raise InputFileError(f"{path} has an impossible position or pixel size: {tuple(transform)[:6]}")
    if not 1 <= band <= dataset.count:
        raise InputFileError(f"{path} has {dataset.count} band(s), band {band} was asked for")
    if np.dtype(dataset.dtypes[band - 1]).kind == "c":
        raise InputFileError(f"{path} holds complex numbers, not heights or counts")


def _window(dataset: Any, path: Path, crs: str, bounds: Bounds | None) -> Window:
    """Whole raster, or the part that covers lon/lat `bounds` with two pixels to spare."""
    whole = Window(0, 0, dataset.width, dataset.height)
    if bounds is None:
        return whole
    west, south, east, north = _box_in(bounds, crs)
    t = dataset.transform
    if parse_crs(crs).is_geographic:
        # the same meridians may be counted from -180 or up to 360
        middle = t.c + dataset.width * t.a / 2
        turns = 360.0 * round((middle - (west + east) / 2) / 360.0)
        west, east = west + turns, east + turns
    c0, c1 = sorted(((west - t.c) / t.a, (east - t.c) / t.a))
    r0, r1 = sorted(((south - t.f) / t.e, (north - t.f) / t.e))
    left, right = max(0, math.floor(c0) - 2), min(dataset.width, math.ceil(c1) + 2)
    top, bottom = max(0, math.floor(r0) - 2), min(dataset.height, math.ceil(r1) + 2)
    if left >= right or top >= bottom:
        raise OutsideAreaError(
            f"{path} does not overlap the area {tuple(round(v, 4) for v in bounds)} (west, south, east, north); "
            f"it starts at {t.c:.4f}, {t.f:.4f} in {crs}"
        )
    return Window(left, top, right - left, bottom - top)


def _box_in(bounds: Bounds, crs: str) -> Bounds:
    """Box in units of `crs` around lon/lat bounds."""
    if crs == LONLAT:
        return bounds
    return transform_box(LONLAT, crs, bounds)


def _check_size(dataset: Any, path: Path, window: Window, band: int) -> None:
    block = math.prod(dataset.block_shapes[band - 1])
    wanted = max(int(window.width) * int(window.height), block)
    if wanted > MAX_RASTER_PIXELS:
        size = wanted * np.dtype(dataset.dtypes[band - 1]).itemsize / 1024**3
        raise InputFileError(
            f"{path} claims {dataset.width:,} x {dataset.height:,} pixels (blocks of {block:,}): reading it needs "
            f"{size:,.1f} GiB for {wanted:,} pixels, at most {MAX_RASTER_PIXELS:,} are read; pass bounds=… for a part "
            "of it, or check the header"
        )


def _check_raw_length(dataset: Any, path: Path) -> None:
    """Refuse a raw file shorter than its header says; GDAL would read the missing part as zeros."""
    bits = dataset.tags(1, ns="IMAGE_STRUCTURE").get("NBITS")
    size = int(bits) / 8 if bits else np.dtype(dataset.dtypes[0]).itemsize
    expected = int(dataset.width * dataset.height * dataset.count * size)
    if path.stat().st_size < expected:
        raise InputFileError(
            f"{path} has {path.stat().st_size:,} bytes but its header asks for {expected:,}; it is cut off"
        )


def read_overlapping(
    sources: Sequence[RasterFile], read: Callable[[RasterFile], Raster]
) -> list[tuple[RasterFile, Raster]]:
    """Read the files that overlap the area asked for, leaving out the others.

    Raises
    ------
    InputFileError
        If none overlaps, or one cannot be used.
    """
    out: list[tuple[RasterFile, Raster]] = []
    outside: OutsideAreaError | None = None
    for source in sources:
        try:
            out.append((source, read(source)))
        except OutsideAreaError as error:
            outside = outside or error
    if not out and outside is not None:
        raise outside
    return out


def read_raster(
    source: RasterFile | str | os.PathLike[str],
    *,
    bounds: Bounds | None = None,
    dtype: npt.DTypeLike | None = "float32",
    band: int = 1,
    nodata_needed: bool = True,
) -> Raster:
    """Read one band of a raster, north-up, no data as NaN.

    Parameters
    ----------
    source : RasterFile or path
        What to read.
    bounds : (west, south, east, north), optional
        Longitudes and latitudes in degrees; only this part is read, with two pixels around it.
    dtype : dtype, optional
        Floating type to convert to (scale and offset of the band applied); None keeps the type of the file.
    band : int
        From 1.
    nodata_needed : bool
        False for class maps, where every code is looked up anyway: no declared value then means all is data.

    Returns
    -------
    Raster

    Raises
    ------
    InputFileError
        If the file is missing, truncated, of another format than the allowed ones, too large, rotated, does not
        overlap `bounds`, or has no CRS or no declared nodata value (floating rasters may use NaN for it).
    """
    source = source if isinstance(source, RasterFile) else RasterFile(source)
    if str(source.path).lower().endswith(".zip"):
        with unpacked(_check_file(source.path), RASTER_SUFFIXES) as files:
            rasters = [file for file in files if file.suffix.lower() in MAIN_SUFFIXES]
            if len(rasters) != 1:
                raise InputFileError(f"{source.path} holds {len(rasters)} rasters; unpack it and name the file")
            inner = replace(source, path=rasters[0])
            out = read_raster(inner, bounds=bounds, dtype=dtype, band=band, nodata_needed=nodata_needed)
        return replace(out, path=str(source.path))
    file = _check_file(source.path)
    driver = _driver(file)
    try:
        with warnings.catch_warnings(), rasterio.Env(GDAL_NUM_THREADS="1"):
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(file, driver=driver) as dataset:
                _check_layout(dataset, file, band)
                crs = _source_crs(dataset, source)
                window = _window(dataset, file, crs, bounds)
                _check_size(dataset, file, window, band)
                if driver == "EHdr":
                    _check_raw_length(dataset, file)
                values = dataset.read(band, window=window)
                t = dataset.transform
                declared = dataset.nodatavals[band - 1]
                scale, offset = dataset.scales[band - 1], dataset.offsets[band - 1]
                unit = (dataset.units[band - 1] or "").strip()
    except RfplanError:
        raise
    except (RasterioError, ValueError, OverflowError, MemoryError) as error:
        # damaged texts and numbers in a header surface as all of these
        raise InputFileError(
            f"{file} cannot be read as {driver}: {_reason(error)}; it is damaged, cut off or of another format"
        ) from error
    nodata = declared if source.nodata is None else source.nodata
    if nodata is None and values.dtype.kind == "f" and np.isnan(values).any():
        nodata = float("nan")
    nodata = product_of(file).nodata if nodata is None else nodata
    if nodata is None and nodata_needed:
        raise InputFileError(
            f"{file} does not declare its nodata value; set it in the file, or pass nodata=VALUE, "
            "or nodata='none' when every value is data"
        )
    number = None if nodata is None or nodata == "none" else float(nodata)
    if dtype is not None:
        values = _as_float(values, number, scale, offset, np.dtype(dtype))
        number = None
    x0, y0 = t.c + window.col_off * t.a, t.f + window.row_off * t.e
    if t.e > 0:
        values, y0 = values[::-1], y0 + values.shape[0] * t.e
    if t.a < 0:
        values, x0 = values[:, ::-1], x0 + values.shape[1] * t.a
    values = np.ascontiguousarray(values)
    return Raster(values, x0, y0, abs(t.a), abs(t.e), crs, number, str(file), unit)


def _reason(error: BaseException) -> str:
    cause = error.__cause__ or error.__context__
    return str(cause or error).strip().rstrip(".")


def _as_float(values: Array, nodata: float | None, scale: float, offset: float, dtype: np.dtype[Any]) -> Array:
    missing = ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
    if nodata is not None and not math.isnan(nodata):
        # a float32 band may declare its nodata with more digits than it can hold
        missing |= values == (np.float32(nodata) if values.dtype == np.float32 else nodata)
    out = values.astype(dtype)
    if scale != 1.0 or offset != 0.0:
        out = (out * dtype.type(scale) + dtype.type(offset)).astype(dtype)
    out[missing] = np.nan
    return out


def write_cog(
    path: str | os.PathLike[str],
    array: Array,
    *,
    transform: Affine,
    crs: str,
    nodata: float | None = None,
    unit: str = "",
    tags: Mapping[str, str] | None = None,
    resampling: Literal["nearest", "average", "mode"] = "nearest",
) -> Path:
    """Write a cloud-optimised GeoTIFF (deflate, 512² tiles, overviews), atomically.

    Parameters
    ----------
    path : path-like
        File to write; its folder is made.
    array : ndarray, shape (ny, nx) or (bands, ny, nx)
        North-up. Booleans are written as 0/1 bytes.
    transform : Affine
        For a terrain, ``terrain.transform``.
    crs : str
        CRS of the array.
    nodata : float, optional
        Declared in the file. NaN is taken for floating arrays when None.
    unit : str
        Unit of the values, such as ``"dBm"``.
    tags : mapping of str to str, optional
        Metadata of the dataset; ``DESCRIPTION`` names the band in GIS programs.
    resampling : str
        How overviews are made.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If the array cannot be stored or the file not be written.
    """
    bands = np.asarray(array)
    bands = bands[np.newaxis] if bands.ndim == 2 else bands
    if bands.ndim != 3 or 0 in bands.shape:
        raise OutputError(f"cannot write {path}: an array of shape {np.shape(array)} is no raster")
    if bands.dtype == bool:
        bands = bands.astype(np.uint8)
    if bands.dtype.kind == "f" and nodata is None:
        nodata = float("nan")
    count, height, width = bands.shape
    labels = dict(tags or {})
    with atomic_path(path) as temporary:
        try:
            with rasterio.MemoryFile() as memory:
                profile = {"driver": "GTiff", "dtype": bands.dtype, "count": count, "nodata": nodata}
                with memory.open(width=width, height=height, transform=transform, crs=crs, **profile) as dataset:
                    dataset.write(bands)
                    dataset.units = [unit] * count
                    if "DESCRIPTION" in labels:
                        dataset.descriptions = [labels["DESCRIPTION"]] * count
                    dataset.update_tags(**labels)
                with memory.open() as dataset:
                    options = {"COMPRESS": "DEFLATE", "OVERVIEW_RESAMPLING": resampling.upper(), "BLOCKSIZE": 512}
                    rasterio.shutil.copy(dataset, temporary, driver="COG", **options)
        except RasterioError as error:
            raise OutputError(f"cannot write {path}: {_reason(error)}") from error
    return Path(path)


def resample_classes(raster: Raster, transform: Affine, shape: tuple[int, int], crs: str) -> Array:
    """Bring integer classes onto another grid: the most frequent class, or the nearest for finer grids.

    Pixels outside the raster get its nodata value, or 0.
    """
    import rasterio.warp

    out = np.full(shape, raster.nodata or 0, dtype=raster.values.dtype)
    box = (transform.c, transform.f + shape[0] * transform.e, transform.c + shape[1] * transform.a, transform.f)
    west, south, east, north = transform_box(crs, raster.crs, box)
    coarser = (east - west) / shape[1] > 1.5 * raster.dx and (north - south) / shape[0] > 1.5 * raster.dy
    rasterio.warp.reproject(
        raster.values,
        out,
        src_transform=raster.transform,
        src_crs=raster.crs,
        src_nodata=raster.nodata,
        dst_transform=transform,
        dst_crs=crs,
        dst_nodata=raster.nodata or 0,
        resampling=rasterio.warp.Resampling.mode if coarser else rasterio.warp.Resampling.nearest,
    )
    return out


def resample_sum(raster: Raster, transform: Affine, shape: tuple[int, int], crs: str) -> npt.NDArray[np.float64]:
    """Bring amounts a cell (people) onto another grid: each cell's amount is shared out by area, none is lost.

    NaN and negative cells hold nothing. Amounts outside the target grid are cut off.
    """
    import rasterio.warp

    amounts = np.where(raster.values > 0, raster.values, 0.0).astype(np.float64)
    out = np.zeros(shape, dtype=np.float64)
    rasterio.warp.reproject(
        amounts,
        out,
        src_transform=raster.transform,
        src_crs=raster.crs,
        dst_transform=transform,
        dst_crs=crs,
        resampling=rasterio.warp.Resampling.sum,
        num_threads=2,
    )
    return np.where(np.isfinite(out), out, 0.0)
