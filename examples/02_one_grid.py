"""Path loss around one mast, on synthetic ground, in two bands at once."""

import numpy as np

import rfplan as rf

# A synthetic valley between two ridges, 12 km across, pixels of 60 m in UTM zone 48N.
n, resolution_m = 200, 60.0
row, col = np.mgrid[0:n, 0:n]
ground_m = 40.0 + 260.0 * np.abs(np.sin(np.pi * col / n * 1.5)) ** 3 + 15.0 * np.sin(row / 9.0)
terrain = rf.Terrain.from_arrays(
    ground_m, x0_m=540_000.0, y0_m=2_360_000.0, resolution_m=resolution_m, crs="EPSG:32648", clutter_height_m=8.0
)

lon, lat = (float(v) for v in terrain.lonlat(*(v[n // 2] for v in terrain.centres())))
loss = rf.path_loss_grid(
    terrain,
    (lon, lat),
    model=rf.P1812(),
    frequency_mhz=[800.0, 1800.0],
    tx_height_agl_m=40.0,
    rx_height_agl_m=1.5,
    radius_m=5_000.0,
    method="exact",
)
print(loss.sizes, f"units {loss.attrs.get('units', '')}")
for band in loss["band"].values:
    values = loss.sel(band=band).values
    known = values[np.isfinite(values)]
    print(f"{band:5.0f} MHz: median {np.median(known):.1f} dB, 95 % below {np.percentile(known, 95):.1f} dB")

difference = (loss.sel(band=1800.0) - loss.sel(band=800.0)).values
print(f"1800 MHz loses {np.nanmedian(difference):.1f} dB more than 800 MHz at the median pixel")
