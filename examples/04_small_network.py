"""Coverage of a small network: best server, level, and who is covered.

Ground, people and stations are synthetic.
"""

import numpy as np
import pandas as pd

import rfplan as rf

n, resolution_m = 120, 100.0
row, col = np.mgrid[0:n, 0:n]
ground_m = 30.0 + 180.0 * np.exp(-(((col - 80) / 12.0) ** 2)) + 10.0 * np.sin(row / 7.0)
terrain = rf.Terrain.from_arrays(
    ground_m, x0_m=540_000.0, y0_m=2_360_000.0, resolution_m=resolution_m, crs="EPSG:32648", clutter_height_m=10.0
)

x, y = np.array([543_000.0, 545_500.0, 550_500.0]), np.array([2_356_500.0, 2_351_500.0, 2_354_000.0])
lon, lat = terrain.lonlat(x, y)
sites = pd.DataFrame({"site_id": ["west", "south", "east"], "lon_deg": lon, "lat_deg": lat})
network = rf.Network.with_sectors(sites, azimuth_deg=(0, 120, 240))

coverage = rf.compute_coverage(
    network,
    terrain,
    model=rf.P1812(),
    receiver=rf.Receiver(height_agl_m=1.5),
    service=rf.Service.named("outdoor"),
    technology="4G",
    radius_m=6_000.0,
    method="exact",
)
print(network)
print(coverage)
level = coverage.layers["rsrp_dbm"].values
for service, threshold in (("indoor", -100.0), ("outdoor", -110.0)):
    reached = np.nan_to_num(level, nan=-999.0) >= threshold
    print(f"{service}: {100.0 * reached.mean():.1f} % of the area has {threshold:.0f} dBm or more")

served = coverage.layers["best_server"].values
cells = network.cells["cell_id"].to_numpy()
names, pixels = np.unique(cells[served[served >= 0]], return_counts=True)
for name, count in zip(names, pixels, strict=True):
    print(f"  {name}: best server on {count * (resolution_m / 1000.0) ** 2:.1f} km2")
