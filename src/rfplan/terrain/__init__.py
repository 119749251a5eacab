"""Terrain on a metric grid, and how files become one."""

from rfplan.io.raster import RasterFile
from rfplan.terrain.coast import with_sea
from rfplan.terrain.cover import with_osm_clutter
from rfplan.terrain.grid import Terrain
from rfplan.terrain.opening import open_terrain

__all__ = ["RasterFile", "Terrain", "open_terrain", "with_osm_clutter", "with_sea"]
