"""A model of one's own is any object with ``needs`` and ``path_loss_db``: no base class, no registration."""

import numpy as np

import rfplan as rf


class UrbanSlope:
    """A log-distance law with the slope of a dense town."""

    needs = "distance"

    def path_loss_db(self, paths: rf.Paths) -> np.ndarray:
        """Return the loss of every path, dB."""
        return 32.4 + 35.0 * np.log10(paths.distance_m) + 20.0 * np.log10(paths.frequency_mhz / 1000.0)


distance_m = np.array([200.0, 500.0, 1_000.0, 2_000.0, 5_000.0])
paths = rf.Paths.from_distance(distance_m, 1800.0, tx_height_agl_m=30.0, rx_height_agl_m=1.5)
own, free = UrbanSlope().path_loss_db(paths), rf.FreeSpace().path_loss_db(paths)
for d, a, b in zip(distance_m, own, free, strict=True):
    print(f"{d:6.0f} m: own model {a:6.1f} dB, free space {b:6.1f} dB")

# The same object serves wherever a model does: here on a grid.
ground = np.full((80, 80), 15.0)
terrain = rf.Terrain.from_arrays(ground, x0_m=540_000.0, y0_m=2_360_000.0, resolution_m=50.0, crs="EPSG:32648")
lon, lat = (float(v) for v in terrain.lonlat(542_000.0, 2_358_000.0))
grid = rf.path_loss_grid(
    terrain,
    (lon, lat),
    model=UrbanSlope(),
    frequency_mhz=1800.0,
    tx_height_agl_m=30.0,
    rx_height_agl_m=1.5,
    radius_m=1_500.0,
    method="exact",
)
print(f"grid: {int(np.isfinite(grid.values).sum())} pixels, largest loss {float(np.nanmax(grid.values)):.1f} dB")
