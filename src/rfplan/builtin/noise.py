"""Seeded random fields on a metric raster, made in the frequency domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Field:
    """A north-up raster frame: outer corner of the top left pixel, pixel size in metres and shape."""

    x0_m: float
    y0_m: float
    resolution_m: float
    ny: int
    nx: int

    def coordinates(self) -> tuple[F64, F64]:
        """Return the pixel centres' x, shape (nx,), and y, shape (ny,), in metres."""
        x = self.x0_m + (np.arange(self.nx) + 0.5) * self.resolution_m
        return cast("F64", x), cast("F64", self.y0_m - (np.arange(self.ny) + 0.5) * self.resolution_m)

    def rowcol(self, x: F64, y: F64) -> tuple[F64, F64]:
        """Return fractional pixel rows and columns (0 is a pixel's centre)."""
        return (self.y0_m - y) / self.resolution_m - 0.5, (x - self.x0_m) / self.resolution_m - 0.5

    def sample(self, values: F64, x: F64, y: F64) -> F64:
        """Return ``values`` interpolated bilinearly at points, the edge value outside."""
        row, col = self.rowcol(np.asarray(x), np.asarray(y))
        return cast("F64", ndimage.map_coordinates(values, [row, col], order=1, mode="nearest"))

    def spread(self, values: F64, finer: Field) -> F64:
        """Return ``values`` of this field on the pixels of ``finer``, by cubic splines."""
        x, y = finer.coordinates()
        row, col = self.rowcol(x[None, :] + 0 * y[:, None], y[:, None] + 0 * x[None, :])
        return cast("F64", ndimage.map_coordinates(values, [row, col], order=3, mode="nearest"))


def band_noise(
    field: Field, seed: int, wavelength_m: float, *, stretch: float = 1.0, direction_deg: float = 0.0
) -> F64:
    """Return Gaussian noise of zero mean and unit deviation, about one wavelength in scale.

    ``stretch`` above 1 elongates its features along ``direction_deg`` (clockwise from north).
    """
    rng = np.random.default_rng(seed)
    shape = (fft.next_fast_len(field.ny), fft.next_fast_len(field.nx))
    spectrum = fft.rfft2(rng.standard_normal(shape).astype(np.float32))
    ky = fft.fftfreq(shape[0], field.resolution_m)[:, None]
    kx = fft.rfftfreq(shape[1], field.resolution_m)[None, :]
    angle = np.deg2rad(direction_deg)
    along = kx * np.sin(angle) - ky * np.cos(angle)
    across = kx * np.cos(angle) + ky * np.sin(angle)
    k = np.hypot(along * np.sqrt(stretch), across / np.sqrt(stretch)) * wavelength_m
    spectrum *= np.exp(-((k - 1.0) ** 2) / 0.35) * (k > 0.05)
    noise = fft.irfft2(spectrum, s=shape)[: field.ny, : field.nx].astype(np.float64)
    noise -= noise.mean()
    return cast("F64", noise / noise.std())


def smooth_noise(field: Field, seed: int, wavelength_m: float, octaves: int, gain: float = 0.5) -> F64:
    """Return a sum of bands, each half the wavelength and ``gain`` times the height of the one before; deviation 1."""
    total = np.zeros((field.ny, field.nx))
    for octave in range(octaves):
        total += band_noise(field, seed * 101 + octave, wavelength_m / 2**octave) * gain**octave
    return cast("F64", total / total.std())


def ridged_noise(
    field: Field, seed: int, wavelength_m: float, octaves: int, *, stretch: float, direction_deg: float
) -> F64:
    """Return ridged noise in [0, 1]: sharp crests, broad valleys, detail growing towards the crests."""
    total = np.zeros((field.ny, field.nx))
    weight = np.ones_like(total)
    height, sum_of_heights = 1.0, 0.0
    for octave in range(octaves):
        band = band_noise(field, seed * 103 + octave, wavelength_m / 2**octave, stretch=stretch if octave < 3 else 1.0,
                          direction_deg=direction_deg)  # fmt: skip
        ridge = np.clip(1.0 - np.abs(band) / 2.2, 0.0, 1.0) ** 2
        total += height * ridge * weight
        sum_of_heights += height
        weight = np.clip(0.25 + 0.9 * ridge * weight, 0.0, 1.0)
        height *= 0.48
    return total / sum_of_heights
