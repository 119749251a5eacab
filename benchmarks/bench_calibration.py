"""Time of a calibration on a synthetic LoRaWAN-like campaign: `python benchmarks/bench_calibration.py [PACKETS]`.

Prints rows, seconds of a first call (with compiling, where nothing is cached) and of a second, rows a second, and
the peak memory of the process.
"""

from __future__ import annotations

import resource
import sys
import time
import warnings
from pathlib import Path

import rfplan as rf

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "calibration"))
from lora_world import make_world


def main(packets: int) -> None:
    world = make_world(1, packets=packets)
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    settings = rf.CalibrationSettings(frequency_mhz=868.0, eirp_dbm=17.0)
    for what in ("first", "second"):
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = rf.calibrate(world.measurements, world.gateways, world.terrain, settings=settings)
        seconds = time.perf_counter() - start
        print(f"{what} call: {len(world.measurements)} rows, {len(result.residuals)} links, {seconds:.1f} s")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(world.measurements) / seconds:.0f} rows/s; peak memory {peak_mb:.0f} MB ({before_mb:.0f} MB before)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 24_000)
