"""A synthetic LoRaWAN-like campaign: cars with devices, gateways that report RSSI and SNR, everything that goes wrong.

The truth is known, and of another form than any model here: P.1812 over clutter that the calibration is not told of,
plus a site offset, a slope, shadowing that neighbouring pixels share, and fading.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter, map_coordinates

import rfplan as rf
from rfplan.propagation.grid import path_loss_pixels
from rfplan.terrain import Terrain

NOISE_FLOOR_DBM = -117.0
LEAST_SNR_DB = -20.0
MOST_SNR_DB = 11.0
X0, Y0 = 500_000.0, 2_350_000.0


@dataclass(frozen=True)
class World:
    """What the calibration sees, and what it is not told."""

    terrain: Terrain
    measurements: pd.DataFrame
    gateways: pd.DataFrame
    misplaced: frozenset[str]
    site_offset_db: dict[str, float]
    packets: pd.DataFrame
    true_level_dbm: np.ndarray  # (packets, gateways), signal alone


def make_ground(seed: int, pixels: int, resolution_m: float) -> tuple[Terrain, Terrain]:
    """The ground as an elevation file tells it (default clutter), and with the clutter that is really there."""
    rng = np.random.default_rng(seed)
    scale = 30.0 / resolution_m
    hills = sum(
        a * gaussian_filter(rng.normal(size=(pixels, pixels)), s * scale, mode="wrap") * s * scale
        for a, s in ((200.0, 90.0), (70.0, 30.0), (25.0, 10.0))
    )
    elevation = (150.0 + hills - hills.min()).astype(np.float32)
    cover = gaussian_filter(rng.normal(size=(pixels, pixels)), 12 * scale, mode="wrap")
    classes = np.digitize(cover, np.quantile(cover, [0.4, 0.7, 0.9])).astype(np.uint8)
    heights = np.array([0.0, 10.0, 15.0, 20.0], dtype=np.float32)[classes]
    where = {"x0_m": X0, "y0_m": Y0, "resolution_m": resolution_m, "crs": "EPSG:32648"}
    told = Terrain.from_arrays(elevation, clutter_height_m=10.0, **where)
    real = Terrain.from_arrays(
        elevation, clutter_height_m=heights, clutter_class=np.array([2, 3, 4, 5], np.uint8)[classes], **where
    )
    return told, real


def drive(rng: np.random.Generator, packets: int, devices: int, side_m: float) -> pd.DataFrame:
    """Cars on random straight stretches, a packet every ten seconds; some drive off the terrain."""
    tables = []
    for device in range(devices):
        n = packets // devices
        turn = np.repeat(rng.uniform(0, 2 * np.pi, n // 40 + 1), 40)[:n]
        step = 10.0 * rng.uniform(5, 20, n)
        start = rng.uniform(0.2, 0.8, 2) * side_m
        x, y = start[0] + np.cumsum(step * np.cos(turn)), start[1] + np.cumsum(step * np.sin(turn))
        # reflect at 2 % beyond the edge: those rows lie off the terrain
        low, high = -0.02 * side_m, 1.02 * side_m
        width = high - low
        x = low + np.abs((x - low + width) % (2 * width) - width)
        y = low + np.abs((y - low + width) % (2 * width) - width)
        time = pd.Timestamp("2024-05-01") + pd.to_timedelta(10 * np.arange(n) + 3 * device, unit="s")
        tables.append(pd.DataFrame({"device": f"car-{device:02d}", "time": time, "x": X0 + x, "y": Y0 - y}))
    return pd.concat(tables, ignore_index=True)


def make_world(
    seed: int = 1,
    *,
    packets: int = 12_000,
    gateways: int = 14,
    devices: int = 12,
    pixels: int = 700,
    resolution_m: float = 30.0,
    frequency_mhz: float = 868.0,
    misplaced: int = 2,
) -> World:
    """Simulate a campaign; every random number comes from the seed."""
    rng = np.random.default_rng(seed)
    told, real = make_ground(seed, pixels, resolution_m)
    side = pixels * resolution_m
    gx, gy = X0 + side * rng.uniform(0.12, 0.88, gateways), Y0 - side * rng.uniform(0.12, 0.88, gateways)
    height = rng.uniform(12, 45, gateways)
    names = [f"eui-{k:04x}" for k in range(gateways)]
    offset = rng.normal(0.0, 7.0, gateways)
    device_offset = rng.normal(0.0, 2.5, devices)
    packet = drive(rng, packets, devices, side)
    px, py = packet["x"].to_numpy(), packet["y"].to_numpy()
    col, row = np.floor((px - X0) / resolution_m).astype(int), np.floor((Y0 - py) / resolution_m).astype(int)
    inside = (col >= 0) & (col < pixels) & (row >= 0) & (row < pixels)
    level = np.full((len(packet), gateways), -300.0)
    device = packet["device"].str[4:].astype(int).to_numpy()
    for k in range(gateways):
        r, c = row[inside], col[inside]
        loss = path_loss_pixels(
            real,
            gx[k],
            gy[k],
            r,
            c,
            model=rf.P1812(),
            frequency_mhz=frequency_mhz,
            tx_height_agl_m=height[k],
            rx_height_agl_m=1.5,
        )[0]
        d = np.hypot(px[inside] - gx[k], py[inside] - gy[k])
        field = gaussian_filter(rng.normal(size=real.shape), 4.0)
        shadow = 5.0 * map_coordinates(field / field.std(), [r, c], order=1)
        level[inside, k] = (
            14.0 + 3.0 - loss + offset[k] - 7.0 - 5.0 * np.log10(np.maximum(d, 100.0) / 1000.0)
            + shadow + device_offset[device[inside]] + rng.normal(0.0, 4.0, inside.sum())
        )  # fmt: skip
    floor = NOISE_FLOOR_DBM + rng.normal(0, 1.0, gateways)
    snr = level - floor
    heard = snr > LEAST_SNR_DB + rng.normal(0, 1.0, snr.shape)
    heard[~inside] = rng.random((int((~inside).sum()), gateways)) < 0.1
    snr[~inside] = -10.0
    i, k = np.nonzero(heard)
    total = 10 * np.log10(10 ** ((floor[k] + snr[i, k]) / 10) + 10 ** (floor[k] / 10))
    jitter = rng.normal(0, 8.0, (len(packet), 2))
    lon, lat = told.lonlat(px + jitter[:, 0], py + jitter[:, 1])
    table = pd.DataFrame(
        {
            "time": packet["time"].to_numpy()[i],
            "dev_eui": packet["device"].to_numpy()[i],
            "gateway_eui": np.array(names)[k],
            "latitude": np.round(lat[i], 6),
            "longitude": np.round(lon[i], 6),
            "rssi": np.round(total),
            "snr": np.round(np.minimum(snr[i, k], MOST_SNR_DB) * 4) / 4,
        }
    )
    table = pd.concat([table, table.sample(frac=0.03, random_state=seed)]).sample(frac=1.0, random_state=seed)
    table = table.reset_index(drop=True)
    wild = rng.random(len(table)) < 0.005
    table.loc[wild, "rssi"] = rng.uniform(-125, -40, int(wild.sum())).round()
    listed_x, listed_y = gx.copy(), gy.copy()
    wrong = rng.choice(gateways, misplaced, replace=False) if misplaced else np.array([], dtype=int)
    for k in wrong:  # to the other side of the area
        listed_x[k] = X0 + side - (gx[k] - X0) if abs(gx[k] - X0 - side / 2) > side / 6 else gx[k] + side / 3
        listed_y[k] = Y0 - side + (Y0 - gy[k]) if abs(Y0 - gy[k] - side / 2) > side / 6 else gy[k] + side / 3
        listed_y[k] = np.clip(listed_y[k], Y0 - 0.95 * side, Y0 - 0.05 * side)
        listed_x[k] = np.clip(listed_x[k], X0 + 0.05 * side, X0 + 0.95 * side)
    glon, glat = told.lonlat(listed_x, listed_y)
    listed_height = height + rng.normal(0, 8.0, gateways)
    sites = pd.DataFrame(
        {"gateway_eui": names, "latitude": glat, "longitude": glon, "antenna_height": np.maximum(listed_height, 3.0)}
    )
    return World(
        told,
        table,
        sites,
        frozenset(names[k] for k in wrong),
        {name: float(value) for name, value in zip(names, offset, strict=True)},
        packet,
        level,
    )
