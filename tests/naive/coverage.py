"""Slow, obvious coverage of one technology: every pixel against every cell, with plain formulas."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rfplan.antenna import find_antenna


def naive_coverage(
    network: Any,
    terrain: Any,
    loss_db: Any,
    receiver: Any,
    service: Any,
    technology: str,
    radius_m: float,
    earth_radius_m: float,
    antennas: Any = None,
) -> dict[str, np.ndarray]:
    """Level, best cell and margin at every pixel, in float64 rounded to float32 at the end of each cell's sum."""
    ny, nx = terrain.shape
    level = np.full((ny, nx), np.nan, dtype=np.float32)
    best = np.full((ny, nx), -1, dtype=np.int32)
    margin = np.full((ny, nx), np.nan, dtype=np.float32)
    closed = np.full((ny, nx), np.nan, dtype=np.float32)
    for i, cell in network.cells.iterrows():
        if cell["technology"] != technology:
            continue
        sector = network.sectors.set_index("sector_id").loc[cell["sector_id"]]
        site = network.sites.set_index("site_id").loc[sector["site_id"]]
        antenna = find_antenna(sector["antenna"], antennas)
        x, y = (float(v) for v in terrain.xy(site["lon_deg"], site["lat_deg"]))
        xn, yn = (float(v) for v in terrain.xy(site["lon_deg"], site["lat_deg"] + 1e-3))
        north = math.degrees(math.atan2(xn - x, yn - y))
        tx = float(terrain.elevation_at(x, y)) + sector["tx_height_agl_m"]
        blocks = {20.0: 100, 10.0: 50}[cell["bandwidth_mhz"]]
        device = receiver.gain_dbi - receiver.body_loss_db - service.penetration_db
        epre = cell["max_power_dbm"] - 10 * math.log10(12 * blocks)
        noise = -174 + 10 * math.log10(180e3 * service.uplink_resource_blocks) + sector["noise_figure_db"]
        needed = noise + service.uplink_sinr_db + service.interference_margin_db + service.fading_margin_db
        duplex = 20 * math.log10(cell["uplink_frequency_mhz"] / cell["frequency_mhz"])
        for r in range(ny):
            for c in range(nx):
                px = terrain.x0_m + (c + 0.5) * terrain.resolution_m
                py = terrain.y0_m - (r + 0.5) * terrain.resolution_m
                d = math.hypot(px - x, py - y)
                if d > radius_m or not np.isfinite(terrain.elevation_amsl_m[r, c]):
                    continue
                loss = loss_db(d, cell["frequency_mhz"])
                rise = float(terrain.elevation_amsl_m[r, c]) + receiver.height_agl_m - tx
                elevation = math.degrees(math.atan2(rise, d) - d / (2 * earth_radius_m))
                azimuth = math.degrees(math.atan2(px - x, py - y)) - north - sector["azimuth_deg"]
                gain = float(
                    antenna.gain_dbi_at(
                        azimuth,
                        elevation,
                        mechanical_tilt_deg=sector["mechanical_tilt_deg"],
                        electrical_tilt_deg=sector["electrical_tilt_deg"],
                    )
                )
                link = gain - sector["feeder_loss_db"] + device - loss
                down = np.float32(epre + link)
                up = np.float32(receiver.power_dbm + link - duplex - needed)
                both = min(down - np.float32(service.required_rsrp_dbm), up)
                if best[r, c] < 0 or down > level[r, c]:
                    level[r, c], best[r, c] = down, i
                if np.isnan(margin[r, c]) or both > margin[r, c]:
                    margin[r, c] = both
                if up >= 0 and not down <= closed[r, c]:
                    closed[r, c] = down
    return {"rsrp_dbm": level, "best_server": best, "margin_db": margin, "closed_rsrp_dbm": closed}
