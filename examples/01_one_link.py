"""One link over terrain: how much is lost, and to what.

The profile is made up: flat ground with a hill 60 m high in the middle of 12 km.
"""

import numpy as np

import rfplan as rf

distance_m = np.linspace(0.0, 12_000.0, 241)
ground_m = 20.0 + 60.0 * np.exp(-(((distance_m - 6_000.0) / 900.0) ** 2))
clutter_m = np.full_like(distance_m, 8.0)

profile = rf.PathProfile(distance_m=distance_m, elevation_amsl_m=ground_m, clutter_height_m=clutter_m)
model = rf.P1812(time_percent=50, location_percent=50)

print("hill of 60 m, 12 km, 1800 MHz")
for height_m in (20.0, 40.0, 80.0):
    paths = profile.paths(frequency_mhz=1800.0, tx_height_agl_m=height_m, rx_height_agl_m=1.5)
    print(f"  mast {height_m:3.0f} m: {float(model.path_loss_db(paths)[0]):6.1f} dB")

# One batch for several bands: arguments broadcast against each other.
bands_mhz = np.array([700.0, 1800.0, 2600.0])
paths = profile.paths(frequency_mhz=bands_mhz, tx_height_agl_m=40.0, rx_height_agl_m=1.5)
loss_db = model.path_loss_db(paths)
free_db = rf.free_space_loss_db(12_000.0, bands_mhz)
for band, loss, free in zip(bands_mhz, loss_db, free_db, strict=True):
    print(f"  {band:4.0f} MHz: {loss:6.1f} dB, {loss - free:5.1f} dB more than in free space")

parts = model.loss_parts(paths)
print("  diffraction at 1800 MHz:", f"{float(parts['diffraction_median_db'][1]):.1f} dB")
