"""Coverage-guided fuzzing of the readers; not part of the test run.

``pip install atheris``, then
``python tests/fuzz/fuzz_readers.py TARGET CORPUS_FOLDER -max_total_time=600 -max_len=4096``
with one of the targets below. A reader may refuse with an `RfplanError`; anything else (another exception, a crash,
a hang over 20 s, more than 4 GiB) stops the run and leaves the input in the working folder.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["rfplan"]):
    import rfplan.io.antenna_files
    import rfplan.io.archives
    import rfplan.io.tables
    import rfplan.io.vector
    import rfplan.network
    import rfplan.scenario
    import rfplan.terrain.opening
from rfplan.errors import RfplanError

# a small file may ask for a large grid, which is allowed but slow, and atheris keeps every array that is compared
rfplan.terrain.opening.MAX_GRID_PIXELS = 20_000
FOLDER = Path(tempfile.mkdtemp(prefix="rfplan-fuzz-"))


def table(path: Path) -> None:
    """Any table, every column as numbers."""
    frame = rfplan.io.tables.read_table(path)
    for name in frame.columns:
        rfplan.io.tables.to_float(frame[name], name)


def archive(path: Path) -> None:
    """Unpack whatever is in there."""
    with rfplan.io.archives.unpacked(path, ("",)):
        pass


def terrain(path: Path) -> None:
    """Open elevation on a fixed grid size."""
    source = rfplan.terrain.RasterFile(path, crs="EPSG:32648", nodata=-1)
    rfplan.terrain.open_terrain(source, crs="EPSG:32648", resolution_m=90)


MSI = b"NAME a\nMAKE b\nFREQUENCY 1800\nH_WIDTH 65\nGAIN 17.5 dBi\nTILT ELECTRICAL\nHORIZONTAL 360\n" + b"".join(
    b"%d.0 %d.5\n" % (i, i % 30) for i in range(360)
)
MSI += b"VERTICAL 360\n" + b"".join(b"%d.0 %d.5\n" % (i, i % 30) for i in range(360))
CSV = b"site_id;lon;lat;azimuth;height\nA;105,5;21,3;120;40\nB;105.6;21.4;;\n"
TOML = b'schema = 1\nname = "x"\n[terrain]\npaths = ["a.tif"]\nresolution_m = 90\n[demand]\ncommunes = "c.geojson"\n'
GEOJSON = (
    b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"1","population":12},"geometry":'
    b'{"type":"Polygon","coordinates":[[[105,21],[105.1,21],[105.1,21.1],[105,21]]]}}]}'
)
ASC = b"ncols 3\nnrows 2\nxllcorner 500000\nyllcorner 2400000\ncellsize 90\nNODATA_value -9999\n1 2 3\n4 5 6\n"


def tiff_seed() -> bytes:
    """A small elevation TIFF."""
    import numpy as np
    import rasterio
    from affine import Affine

    with rasterio.MemoryFile() as memory:
        place = {"crs": "EPSG:32648", "transform": Affine(90, 0, 5e5, 0, -90, 2.4e6), "nodata": -1}
        with memory.open(driver="GTiff", width=8, height=8, count=1, dtype="int16", **place) as dataset:
            dataset.write(np.arange(64, dtype="int16").reshape(8, 8), 1)
        return bytes(memory.read())


def zip_seed() -> bytes:
    """A small archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("doc.kml", b"<kml/>" * 20)
    return buffer.getvalue()


TARGETS: dict[str, tuple[str, Callable[[Path], Any], Callable[[], bytes]]] = {
    "msi": ("a.msi", rfplan.io.antenna_files.read_antenna_file, lambda: MSI),
    "table": ("a.csv", table, lambda: CSV),
    "network": ("a.csv", rfplan.network.read_network, lambda: CSV),
    "scenario": ("a.toml", rfplan.scenario.load_scenario, lambda: TOML),
    "geojson": ("a.geojson", rfplan.io.vector.read_vector, lambda: GEOJSON),
    "asc": ("a.asc", terrain, lambda: ASC),
    "tiff": ("a.tif", terrain, tiff_seed),
    "zip": ("a.zip", archive, zip_seed),
}


def main() -> None:
    """Run one target until its time is over."""
    name, read, seed = TARGETS[sys.argv[1]]
    corpus = Path(sys.argv[2])
    corpus.mkdir(parents=True, exist_ok=True)
    (corpus / "seed").write_bytes(seed())
    warnings.simplefilter("ignore")

    def one(content: bytes) -> None:
        path = FOLDER / name
        path.write_bytes(content)
        try:
            read(path)
        except RfplanError:
            pass
        finally:
            path.unlink(missing_ok=True)

    arguments = [sys.argv[0], str(corpus), *sys.argv[3:], "-timeout=20", "-rss_limit_mb=4096"]
    os.environ.setdefault("CPL_LOG", os.devnull)
    atheris.Setup(arguments, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
