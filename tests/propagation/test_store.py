from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coverage_helpers import flat_terrain
from rfplan.errors import DataWarning, OutputError, ParameterError
from rfplan.io.fingerprint import NoFingerprintError, fingerprint
from rfplan.propagation.free_space import FreeSpace
from rfplan.propagation.grid import path_loss_window
from rfplan.propagation.p1812 import P1812
from rfplan.propagation.store import PathLossStore, SiteLoss, site_path_loss
from rfplan.terrain import Terrain

BANDS = ((30.0, 800.0), (30.0, 1800.0), (45.0, 1800.0))


def hills(size: int = 41) -> Terrain:
    rng = np.random.default_rng(4)
    return replace(flat_terrain(size), elevation_amsl_m=(80.0 * rng.random((size, size))).astype(np.float32))


def site_of(terrain: Terrain, **changes: Any) -> SiteLoss:
    x, y = terrain.x0_m + 1805.0, terrain.y0_m - 1830.0
    return replace(SiteLoss(x, y, BANDS, P1812(), 1.5, 1200.0, "sweep"), **changes)


def test_store_gives_back_the_bits_and_bands_find_each_other(tmp_path: Path) -> None:
    terrain = hills()
    site = site_of(terrain)
    plain = site_path_loss(terrain, site).path_loss_db
    store = PathLossStore(tmp_path)
    cold = site_path_loss(terrain, replace(site, bands=BANDS[:1]), store)
    assert (store.hits, store.misses) == (0, 1)
    mixed = site_path_loss(terrain, site, store).path_loss_db
    assert (store.hits, store.misses) == (1, 3)
    warm = site_path_loss(terrain, site, PathLossStore(tmp_path)).path_loss_db
    assert plain.tobytes() == mixed.tobytes() == warm.tobytes()
    assert cold.path_loss_db.tobytes() == plain[:1].tobytes()
    for i, (height, frequency) in enumerate(BANDS):
        want = path_loss_window(
            terrain, site.x_m, site.y_m, model=P1812(), frequency_mhz=frequency, tx_height_agl_m=height,
            rx_height_agl_m=1.5, radius_m=1200.0,
        ).path_loss_db[0]  # fmt: skip
        np.testing.assert_array_equal(plain[i], want.astype(np.float32))


def _altered(terrain: Terrain, layer: str, pixel: tuple[int, int], value: float) -> Terrain:
    values = getattr(terrain, layer).copy()
    values[pixel] = value
    return replace(terrain, **{layer: values})


@pytest.mark.parametrize(
    "change",
    [
        {"x_m": 501_806.0},
        {"rx_height_agl_m": 2.0},
        {"radius_m": 1300.0},
        {"method": "exact"},
        {"model": P1812(time_percent=10.0)},
        {"model": FreeSpace()},
        {"bands": ((31.0, 800.0),)},
        {"bands": ((30.0, 801.0),)},
    ],
)
def test_whatever_matters_is_in_the_key(tmp_path: Path, change: dict[str, Any]) -> None:
    terrain = hills()
    site = site_of(terrain, bands=BANDS[:1])
    site_path_loss(terrain, site, PathLossStore(tmp_path))
    store = PathLossStore(tmp_path)
    found = site_path_loss(terrain, replace(site, **change), store).path_loss_db
    assert (store.hits, store.misses) == (0, 1)
    np.testing.assert_array_equal(found, site_path_loss(terrain, replace(site, **change)).path_loss_db)


@pytest.mark.parametrize(
    ("layer", "pixel", "value", "hits"),
    [
        ("elevation_amsl_m", (15, 20), 81.0, 0),
        ("elevation_amsl_m", (15, 20), np.nan, 0),
        ("clutter_height_m", (15, 20), 12.0, 0),
        ("zone", (15, 20), 1, 0),
        ("elevation_amsl_m", (0, 0), 81.0, 1),
    ],
)
def test_ground_within_the_radius_is_in_the_key(
    tmp_path: Path, layer: str, pixel: tuple[int, int], value: float, hits: int
) -> None:
    terrain = hills()
    site = site_of(terrain, bands=BANDS[:1])
    site_path_loss(terrain, site, PathLossStore(tmp_path))
    store = PathLossStore(tmp_path)
    site_path_loss(_altered(terrain, layer, pixel, value), site, store)
    assert store.hits == hits


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "swapped"])
def test_damage_is_noticed_and_mended(tmp_path: Path, damage: str) -> None:
    terrain = hills()
    site = site_of(terrain, bands=BANDS[:2])
    want = site_path_loss(terrain, site, PathLossStore(tmp_path)).path_loss_db
    one, two = sorted(tmp_path.glob("??/*.loss"))
    raw = bytearray(one.read_bytes())
    raw[len(raw) // 2] ^= 16
    one.write_bytes({"flipped": bytes(raw), "cut": bytes(raw[:-9]), "empty": b"", "swapped": two.read_bytes()}[damage])
    store = PathLossStore(tmp_path)
    with pytest.warns(DataWarning, match="damaged"):
        found = site_path_loss(terrain, site, store).path_loss_db
    assert found.tobytes() == want.tobytes()
    assert store.hits == 1
    again = PathLossStore(tmp_path)
    site_path_loss(terrain, site, again)
    assert (again.hits, again.misses) == (2, 0)


def test_size_is_bounded_and_the_least_recently_used_goes(tmp_path: Path) -> None:
    terrain = hills()
    one = PathLossStore(tmp_path)
    sites = [site_of(terrain, bands=((float(h), 800.0),)) for h in range(20, 32)]
    site_path_loss(terrain, sites[0], one)
    entry = one.size_bytes
    store = PathLossStore(tmp_path, max_gb=4.5 * entry / 1e9)
    for turn, site in enumerate(sites):
        site_path_loss(terrain, site, store)
        for n, path in enumerate(sorted(tmp_path.glob("??/*.loss"), key=lambda p: p.stat().st_mtime_ns)):
            os.utime(path, ns=(10**9 * (100 * turn + n), 10**9 * (100 * turn + n)))  # in order on coarse clocks too
        assert store.size_bytes <= 4.5 * entry
    last = PathLossStore(tmp_path)
    site_path_loss(terrain, sites[-1], last)
    site_path_loss(terrain, sites[0], last)
    assert (last.hits, last.misses) == (1, 1)


def test_what_a_dead_process_left_half_written_goes_and_what_a_living_one_writes_stays(tmp_path: Path) -> None:
    terrain, site = hills(), site_of(hills(), bands=BANDS[:1])
    site_path_loss(terrain, site, PathLossStore(tmp_path))
    entry = next(tmp_path.glob("??/*.loss"))
    old, new = entry.with_name(".a.0123456789ab.tmp.loss"), entry.with_name(".b.0123456789ab.tmp.loss")
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1e9, 1e9))
    assert PathLossStore(tmp_path).size_bytes == entry.stat().st_size
    assert not old.exists()
    assert new.exists()


@dataclass(frozen=True)
class Own:
    slope: float = 35.0
    needs: str = "distance"

    def path_loss_db(self, paths: Any) -> np.ndarray:
        return np.asarray(32.4 + self.slope * np.log10(paths.distance_m))


@dataclass(frozen=True)
class Keyed(Own):
    store_key: str = "version 1"


def test_a_model_of_ones_own_is_kept_by_its_store_key_only(tmp_path: Path) -> None:
    terrain = hills()
    store = PathLossStore(tmp_path)
    with pytest.warns(DataWarning, match="Own is not part of rfplan.*store_key"):
        site_path_loss(terrain, site_of(terrain, model=Own()), store)
    site_path_loss(terrain, site_of(terrain, model=Own()), store)  # said once
    assert store.hits == store.size_bytes == 0
    for model, hits in ((Keyed(), 0), (Keyed(), 3), (Keyed(36.0), 3), (Keyed(store_key="version 2"), 3)):
        site_path_loss(terrain, site_of(terrain, model=model), store)
        assert store.hits == hits


SHARING = """
import sys
import numpy as np
from rfplan.bench import synthetic_relief
from rfplan.propagation.free_space import FreeSpace
from rfplan.propagation.store import PathLossStore, SiteLoss, site_path_loss

terrain = synthetic_relief(60, 90.0)
for round in range(4):
    for height in list(range(20, 28))[:: int(sys.argv[2])]:
        site = SiteLoss(502_700.0, 2_397_300.0, ((float(height), 800.0),), FreeSpace(), 1.5, 2500.0, "sweep")
        found = site_path_loss(terrain, site, PathLossStore(sys.argv[1], max_gb=2e-5))
        want = site_path_loss(terrain, site)
        assert np.isfinite(want.path_loss_db).any()
        assert found.path_loss_db.tobytes() == want.path_loss_db.tobytes()
"""


def test_two_processes_share_a_small_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", SHARING, str(tmp_path)]
    workers = [subprocess.Popen([*command, way], stderr=subprocess.PIPE, text=True) for way in ("1", "-1")]
    for worker in workers:
        _, complaint = worker.communicate(timeout=240)
        assert worker.returncode == 0, complaint


def test_a_folder_that_cannot_be_written_any_more_does_not_stop_the_run(tmp_path: Path) -> None:
    terrain = hills()
    store = PathLossStore(tmp_path / "s")
    (tmp_path / "s").rmdir()
    (tmp_path / "s").write_text("in the way")
    with pytest.warns(DataWarning, match="no longer kept"):
        found = site_path_loss(terrain, site_of(terrain), store).path_loss_db
    assert np.isfinite(found).any()


def test_impossible_stores(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="max_gb"):
        PathLossStore(tmp_path, max_gb=0.0)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        PathLossStore(tmp_path / "file")


def test_fingerprints_tell_types_and_bits_apart() -> None:
    values: list[Any] = [
        1, 1.0, True, "1", b"1", None, 0.0, -0.0, (1, 2), [1, 2], (1, (2,)), ("a", "b"), ("ab", ""), {"a": 1},
        np.zeros(2), np.zeros(2, np.float32), np.zeros((1, 2)), np.array([0.0, -0.0]), P1812(),
        P1812(time_percent=10.0),
    ]  # fmt: skip
    assert len({fingerprint(value) for value in values}) == len(values)
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    with pytest.raises(NoFingerprintError, match="store_key"):
        fingerprint(object())
