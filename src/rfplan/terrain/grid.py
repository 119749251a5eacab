"""Terrain on a metric grid: elevation, clutter and radio-climatic zone, north-up."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from affine import Affine
from scipy.ndimage import binary_erosion

from rfplan.clutter import DEFAULT_CLUTTER_HEIGHT_M
from rfplan.errors import ParameterError
from rfplan.io.crs import LONLAT, metric_crs, parse_crs, transform_box, transformer
from rfplan.io.elevation import sample_bilinear
from rfplan.io.raster import Bounds
from rfplan.profile import PathProfile, Zone

if TYPE_CHECKING:
    import xarray as xr

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Terrain:
    """Ground, clutter and zone of an area on a square metric grid.

    Row 0 is the northern row. The centre of pixel (r, c) is at ``x0_m + (c + 0.5) * resolution_m``,
    ``y0_m - (r + 0.5) * resolution_m`` in `crs`.

    Parameters
    ----------
    elevation_amsl_m : ndarray of float32, shape (ny, nx)
        Ground height above mean sea level, m; NaN is unknown ground.
    clutter_class : ndarray of uint8, shape (ny, nx)
        `rfplan.clutter.Clutter` codes.
    clutter_height_m : ndarray of float32, shape (ny, nx)
        Representative clutter height above ground, m.
    zone : ndarray of int8, shape (ny, nx)
        `rfplan.profile.Zone`: 1 sea, 3 coastal land, 4 inland.
    x0_m, y0_m : float
        Outer corner of the north-west pixel, m.
    resolution_m : float
        Pixel size, m.
    crs : str
        Projected CRS in metres.
    attrs : dict
        Where it came from and what was repaired: ``sources``, ``voids_filled``, ``spikes_removed``, ``voids_left``,
        ``clutter_source``, ``zone_source``, ``method``.

    Raises
    ------
    ParameterError
        If shapes differ, the resolution is not positive or the CRS is not metric.
    """

    elevation_amsl_m: npt.NDArray[np.float32]
    clutter_class: npt.NDArray[np.uint8]
    clutter_height_m: npt.NDArray[np.float32]
    zone: npt.NDArray[np.int8]
    x0_m: float
    y0_m: float
    resolution_m: float
    crs: str
    attrs: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = np.shape(self.elevation_amsl_m)
        if len(shape) != 2 or 0 in shape:
            raise ParameterError(f"elevation_amsl_m has shape {shape}; a grid of at least 1 x 1 is needed")
        layers = {
            "elevation_amsl_m": np.float32,
            "clutter_class": np.uint8,
            "clutter_height_m": np.float32,
            "zone": np.int8,
        }
        for name, dtype in layers.items():
            layer = getattr(self, name)
            if np.shape(layer) != shape:
                raise ParameterError(f"{name} has shape {np.shape(layer)} but elevation_amsl_m has {shape}")
            object.__setattr__(self, name, np.ascontiguousarray(layer, dtype=dtype))
        if not (math.isfinite(self.resolution_m) and self.resolution_m > 0):
            raise ParameterError(f"resolution_m is {self.resolution_m}; it must be positive")
        object.__setattr__(self, "crs", metric_crs(self.crs))

    @classmethod
    def from_arrays(
        cls,
        elevation_amsl_m: npt.ArrayLike,
        *,
        x0_m: float,
        y0_m: float,
        resolution_m: float,
        crs: str,
        clutter_height_m: float | npt.ArrayLike = DEFAULT_CLUTTER_HEIGHT_M,
        clutter_class: npt.ArrayLike | None = None,
    ) -> Terrain:
        """Make an inland terrain from arrays; clutter is one height or a grid of heights."""
        elevation = np.array(elevation_amsl_m, dtype=np.float32)
        height = np.broadcast_to(np.asarray(clutter_height_m, dtype=np.float32), elevation.shape).copy()
        classes = np.zeros(elevation.shape, np.uint8) if clutter_class is None else np.asarray(clutter_class)
        return cls(
            elevation,
            classes.astype(np.uint8),
            height,
            np.full(elevation.shape, int(Zone.INLAND), dtype=np.int8),
            float(x0_m),
            float(y0_m),
            float(resolution_m),
            crs,
            {
                "sources": ["arrays"],
                "voids_filled": 0,
                "spikes_removed": 0,
                "voids_left": int(np.isnan(elevation).sum()),
                "clutter_source": "arrays",
                "zone_source": "inland everywhere",
            },
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns (ny, nx)."""
        ny, nx = self.elevation_amsl_m.shape
        return (ny, nx)

    @property
    def transform(self) -> Affine:
        """Affine transform from (column, row) to (x, y) of outer corners."""
        return Affine(self.resolution_m, 0.0, self.x0_m, 0.0, -self.resolution_m, self.y0_m)

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north edges in metres of `crs`."""
        ny, nx = self.shape
        return (
            self.x0_m,
            self.y0_m - ny * self.resolution_m,
            self.x0_m + nx * self.resolution_m,
            self.y0_m,
        )

    @property
    def bounds_lonlat(self) -> Bounds:
        """West, south, east, north in degrees of the box around the grid."""
        return transform_box(self.crs, LONLAT, self.bounds)

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """Mask of ground that a path can reach, shape (ny, nx): known here and at the eight neighbours.

        Interpolating the path to a pixel takes in its neighbours, so the last row before unknown ground can't be
        predicted and counts as off the terrain, not as uncovered.
        """
        known = np.isfinite(self.elevation_amsl_m)
        reachable: npt.NDArray[np.bool_] = binary_erosion(known, np.ones((3, 3), dtype=bool), border_value=1)
        return reachable

    @functools.cached_property
    def uniform_zone(self) -> int:
        """`rfplan.profile.Zone` of the whole grid, or 0 where it has several; kept, for every link asks for it."""
        first = int(self.zone[0, 0])
        return first if bool((self.zone == first).all()) else 0

    @functools.cached_property
    def zone_strides(self) -> npt.NDArray[np.uint16]:
        """Zones with the distance to the nearest other one, for the sweep; kept, for it is the same at every site."""
        from rfplan.kernels.sweep_zones import zone_strides  # kernels take seconds to load

        strides: npt.NDArray[np.uint16] = zone_strides(self.zone)
        return strides

    @property
    def pixel_area_km2(self) -> float:
        """Area of one pixel on the grid, km²."""
        return self.resolution_m**2 / 1e6

    def xy(self, lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Project longitudes and latitudes (degrees, WGS 84) to x and y (m)."""
        x, y = transformer(LONLAT, self.crs).transform(
            np.asarray(lon_deg, dtype=np.float64), np.asarray(lat_deg, dtype=np.float64)
        )
        return np.asarray(x), np.asarray(y)

    def lonlat(self, x_m: npt.ArrayLike, y_m: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Longitudes and latitudes (degrees, WGS 84) of x and y (m)."""
        lon, lat = transformer(self.crs, LONLAT).transform(
            np.asarray(x_m, dtype=np.float64), np.asarray(y_m, dtype=np.float64)
        )
        return np.asarray(lon), np.asarray(lat)

    def rowcol(self, x_m: npt.ArrayLike, y_m: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Fractional row and column of x and y (m); whole numbers are pixel centres."""
        row = (self.y0_m - np.asarray(y_m, dtype=np.float64)) / self.resolution_m - 0.5
        col = (np.asarray(x_m, dtype=np.float64) - self.x0_m) / self.resolution_m - 0.5
        return row, col

    def centres(self) -> tuple[FloatArray, FloatArray]:
        """Return the x of every column, shape (nx,), and the y of every row, shape (ny,), m."""
        ny, nx = self.shape
        x: FloatArray = self.x0_m + (np.arange(nx, dtype=np.float64) + 0.5) * self.resolution_m
        y: FloatArray = self.y0_m - (np.arange(ny, dtype=np.float64) + 0.5) * self.resolution_m
        return x, y

    def nearest(self, x_m: npt.ArrayLike, y_m: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], ...]:
        """Row and column of the pixel that holds each point; -1 and -1 outside the grid."""
        row, col = self.rowcol(x_m, y_m)
        with np.errstate(invalid="ignore"):
            r, c = np.floor(row + 0.5), np.floor(col + 0.5)
            inside = (r >= 0) & (r < self.shape[0]) & (c >= 0) & (c < self.shape[1])
        return np.where(inside, r, -1).astype(np.int64), np.where(inside, c, -1).astype(np.int64)

    def elevation_at(self, x_m: npt.ArrayLike, y_m: npt.ArrayLike) -> FloatArray:
        """Ground height (m) at x, y, bilinear between pixel centres; NaN off the terrain or on unknown ground."""
        return sample_bilinear(self.elevation_amsl_m, *self.rowcol(x_m, y_m))

    def profile(
        self,
        a_lonlat: tuple[float, float],
        b_lonlat: tuple[float, float],
        step_m: float | None = None,
    ) -> PathProfile:
        """Cut the terrain profile of one link.

        The path is the straight line on the grid, in ``n = ceil(d / step_m)`` equal steps (at least two). Distances
        are grid distances, as in the coverage grids, so that a link and a pixel agree; in a UTM zone they differ
        from geodesic ones by at most 0.1 %. Elevation is bilinear, clutter and zone are those of the nearest pixel.

        Parameters
        ----------
        a_lonlat, b_lonlat : (longitude, latitude)
            Transmitter and receiver, degrees.
        step_m : float, optional
            Largest distance between points, m; default the resolution.

        Returns
        -------
        PathProfile

        Raises
        ------
        ParameterError
            If the ends coincide, lie off the terrain, or the path crosses unknown ground.
        """
        step = self.resolution_m if step_m is None else step_m
        if not (math.isfinite(step) and step > 0):
            raise ParameterError(f"step_m is {step_m}; it must be positive")
        x, y = self.xy([a_lonlat[0], b_lonlat[0]], [a_lonlat[1], b_lonlat[1]])
        for name, lonlat, px, py in zip(("a_lonlat", "b_lonlat"), (a_lonlat, b_lonlat), x, y, strict=True):
            if self.nearest(px, py)[0] < 0:
                west, south, east, north = self.bounds_lonlat
                raise ParameterError(
                    f"{name} {lonlat} lies off the terrain, which spans {west:.4f} to {east:.4f}° E and "
                    f"{south:.4f} to {north:.4f}° N; give (longitude, latitude), in this order"
                )
        distance = math.hypot(x[1] - x[0], y[1] - y[0])
        if distance <= 0:
            raise ParameterError(f"both ends of the profile are at {a_lonlat}; give two places")
        n = max(2, math.ceil(distance / step))
        part = np.arange(n + 1) / n
        px, py = x[0] + part * (x[1] - x[0]), y[0] + part * (y[1] - y[0])
        elevation = self.elevation_at(px, py)
        unknown = np.flatnonzero(np.isnan(elevation))
        if unknown.size:
            lon, lat = self.lonlat(px[unknown[0]], py[unknown[0]])
            raise ParameterError(
                f"the path crosses unknown ground at {float(lon):.5f}, {float(lat):.5f} and {unknown.size - 1} more "
                "point(s); add the missing elevation tile"
            )
        row, col = self.nearest(px, py)
        return PathProfile(
            distance_m=part * distance,
            elevation_amsl_m=elevation,
            clutter_height_m=self.clutter_height_m[row, col].astype(np.float64),
            zone=self.zone[row, col],
            tx_lonlat=(float(a_lonlat[0]), float(a_lonlat[1])),
            rx_lonlat=(float(b_lonlat[0]), float(b_lonlat[1])),
        )

    def with_clutter(self, clutter_class: npt.ArrayLike, clutter_height_m: npt.ArrayLike, source: str) -> Terrain:
        """Return the same ground under other clutter; `source` is kept in ``attrs["clutter_source"]``."""
        heights = np.array(clutter_height_m, dtype=np.float32)
        if not (np.isfinite(heights).all() and (heights >= 0).all()):
            raise ParameterError("clutter_height_m has values that are not finite or below 0 m")
        return replace(
            self,
            clutter_class=np.array(clutter_class, dtype=np.uint8),
            clutter_height_m=heights,
            attrs=self.attrs | {"clutter_source": source},
        )

    def with_zone(self, zone: npt.ArrayLike, source: str) -> Terrain:
        """Return the same ground in other radio-climatic zones (1 sea, 3 coastal, 4 inland)."""
        codes = np.broadcast_to(np.asarray(zone, dtype=np.int8), self.shape).copy()
        if not np.isin(codes, [int(z) for z in Zone]).all():
            raise ParameterError("zone has codes other than 1 (sea), 3 (coastal land) and 4 (inland)")
        return replace(self, zone=codes, attrs=self.attrs | {"zone_source": source})

    def window(self, rows: slice, cols: slice) -> Terrain:
        """Return the part in these rows and columns."""
        r0, r1, _ = rows.indices(self.shape[0])
        c0, c1, _ = cols.indices(self.shape[1])
        names = ("elevation_amsl_m", "clutter_class", "clutter_height_m", "zone")
        return replace(
            self,
            **{name: getattr(self, name)[r0:r1, c0:c1] for name in names},
            x0_m=self.x0_m + c0 * self.resolution_m,
            y0_m=self.y0_m - r0 * self.resolution_m,
        )

    def crop(self, bounds: Bounds) -> Terrain:
        """Return the smallest part whose pixels cover `bounds` (west, south, east, north in degrees).

        Raises
        ------
        ParameterError
            If the bounds do not overlap the terrain.
        """
        box = transform_box(LONLAT, self.crs, checked_bounds(bounds))
        west, south, east, north = box
        res = self.resolution_m
        r0, r1 = (
            max(0, math.floor((self.y0_m - north) / res)),
            min(self.shape[0], math.ceil((self.y0_m - south) / res)),
        )
        c0, c1 = (
            max(0, math.floor((west - self.x0_m) / res)),
            min(self.shape[1], math.ceil((east - self.x0_m) / res)),
        )
        if r0 >= r1 or c0 >= c1:
            raise ParameterError(f"bounds {bounds} (west, south, east, north) lie off the terrain")
        return self.window(slice(r0, r1), slice(c0, c1))

    def to_dataset(self) -> xr.Dataset:
        """Return the layers as a CF dataset: dims y, x, north-up, ``spatial_ref``, ``units`` on every variable."""
        import xarray as xr

        x, y = self.centres()
        dims = ("y", "x")
        grid = {"grid_mapping": "spatial_ref"}
        variables = {
            "elevation_amsl_m": (
                dims,
                self.elevation_amsl_m,
                {"units": "m", "long_name": "ground height above mean sea level"} | grid,
            ),
            "clutter_class": (
                dims,
                self.clutter_class,
                {"units": "1", "long_name": "clutter class (0-5, rfplan)"} | grid,
            ),
            "clutter_height_m": (
                dims,
                self.clutter_height_m,
                {"units": "m", "long_name": "representative clutter height"} | grid,
            ),
            "zone": (
                dims,
                self.zone,
                {"units": "1", "long_name": "radio-climatic zone (1 sea, 3 coastal, 4 inland)"} | grid,
            ),
        }
        wkt = parse_crs(self.crs).to_wkt()
        transform = self.transform
        reference = {"crs_wkt": wkt, "spatial_ref": wkt} | {
            "GeoTransform": " ".join(f"{v:.12g}" for v in transform.to_gdal())
        }
        coords = {
            "x": ("x", x, {"units": "m", "standard_name": "projection_x_coordinate"}),
            "y": ("y", y, {"units": "m", "standard_name": "projection_y_coordinate"}),
            "spatial_ref": ((), np.int32(0), parse_crs(self.crs).to_cf() | reference),
        }
        attrs = {
            key: value if isinstance(value, str | int | float) else str(value) for key, value in self.attrs.items()
        }
        return xr.Dataset(variables, coords=coords, attrs=attrs | {"resolution_m": self.resolution_m})


def checked_bounds(bounds: Bounds) -> Bounds:
    """Check bounds (west, south, east, north) in degrees and return them."""
    west, south, east, north = bounds
    if not (all(math.isfinite(v) for v in bounds) and -180 <= west < east <= 540 and -90 <= south < north <= 90):
        raise ParameterError(f"bounds {bounds} must be (west, south, east, north) in degrees, west < east")
    return bounds
