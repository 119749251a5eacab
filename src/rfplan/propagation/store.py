"""Path loss kept on disk: looked up by the content of everything it depends on, read back bit for bit."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rfplan.errors import DataWarning, OutputError, ParameterError
from rfplan.io.blobs import BlobFolder, DamagedBlobError
from rfplan.io.fingerprint import NoFingerprintError, code_fingerprint, fingerprint
from rfplan.propagation.area import make_link, window_around
from rfplan.propagation.base import PropagationModel
from rfplan.propagation.grid import path_loss_window

if TYPE_CHECKING:
    from rfplan.terrain import Terrain

__all__ = ["PathLossStore", "StoredLoss", "site_path_loss"]

DEFAULT_MAX_GB = 20.0
_CODE = ("kernels", "propagation", "profile.py", "constants.py", "units.py")
_BESIDE_PX = 4  # a path may touch pixels just outside the window of its ends, and a void is felt three pixels away
_SUFFIX = ".loss"


class PathLossStore:
    """A folder that keeps path loss from run to run.

    Every entry is the loss of one site, height and frequency over its window, float32 and compressed without loss
    (about 1.9 bytes a pixel). It is looked up by a SHA-256 over the ground, clutter and zones of the window, the
    site's position and heights, the model with its parameters, frequency, radius, sector, method, the code that
    computes it, and the processor. So nothing in it can be out of date, and a run from a full store gives the same
    bits as one without. Several processes may share a folder. An entry that was damaged is noticed by its checksum
    and computed again.

    Parameters
    ----------
    folder : path-like
        Made when it is not there.
    max_gb : float
        Size the folder may reach, GB; what was not used for longest is removed then.

    Raises
    ------
    ParameterError
        If `max_gb` is not positive.
    OutputError
        If the folder cannot be written.
    """

    def __init__(self, folder: str | os.PathLike[str], *, max_gb: float = DEFAULT_MAX_GB) -> None:
        if not max_gb > 0.0:
            raise ParameterError(f"max_gb={max_gb!r} must be above 0")
        self._blobs = BlobFolder(folder, int(min(max_gb, 1e9) * 1e9), _SUFFIX)
        self.max_gb = float(max_gb)
        self.hits = 0
        self.misses = 0
        self._told: set[str] = set()

    @classmethod
    def of(cls, given: PathLossStore | str | os.PathLike[str] | None) -> PathLossStore | None:
        """A store as it is, from a folder's name, or None."""
        return given if given is None or isinstance(given, PathLossStore) else cls(given)

    @property
    def folder(self) -> Path:
        """Where the entries are."""
        return self._blobs.folder

    @property
    def size_bytes(self) -> int:
        """Bytes that the entries take now."""
        return self._blobs.size_bytes

    def __repr__(self) -> str:
        return f"PathLossStore({str(self.folder)!r}, max_gb={self.max_gb:g})"

    def get(self, key: str) -> npt.NDArray[np.float32] | None:
        """Return the loss kept under a key, (h, w), or None.

        Warns
        -----
        DataWarning
            If the entry was damaged; it is removed.
        """
        try:
            blob = self._blobs.get(key)
        except DamagedBlobError as error:
            self._tell(f"an entry of the path-loss store {self.folder} is damaged ({error}): it is computed again", key)
            blob = None
        if blob is None:
            self.misses += 1
            return None
        self.hits += 1
        return np.asarray(blob.arrays["path_loss_db"], dtype=np.float32)

    def put(self, key: str, path_loss_db: npt.NDArray[np.float32]) -> None:
        """Keep a loss, (h, w).

        Warns
        -----
        DataWarning
            Once, if the folder cannot be written any more; the run goes on without it.
        """
        try:
            self._blobs.put(key, {"path_loss_db": path_loss_db})
        except OutputError as error:
            self._tell(f"path loss is no longer kept: {error}", "unwritable")

    def tell_unkeyed(self, error: NoFingerprintError) -> None:
        """Warn once that a model cannot be looked up."""
        self._tell(f"path loss is computed anew each time and not kept: {error}", str(error))

    def _tell(self, text: str, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            warnings.warn(DataWarning(text), stacklevel=4)


@dataclass(frozen=True, eq=False)
class StoredLoss:
    """Loss of every (height, frequency) pair of a site over one window, float32 (pairs, h, w)."""

    rows: slice
    cols: slice
    path_loss_db: npt.NDArray[np.float32]


@dataclass(frozen=True)
class SiteLoss:
    """What the path loss around one site depends on besides the terrain.

    Parameters
    ----------
    x_m, y_m : float
        Position in the terrain's coordinates, m.
    bands : tuple of (float, float)
        Pairs of antenna height above ground, m, and frequency, MHz.
    model : PropagationModel
    rx_height_agl_m, radius_m : float
    method : str
        "sweep" or "exact".
    """

    x_m: float
    y_m: float
    bands: tuple[tuple[float, float], ...]
    model: PropagationModel
    rx_height_agl_m: float
    radius_m: float
    method: str


def site_path_loss(terrain: Terrain, site: SiteLoss, store: PathLossStore | None = None) -> StoredLoss:
    """Path loss of every (height, frequency) pair of a site, from the store where it is there.

    Rounded to float32 (at most 8e-6 dB up to 256 dB) with and without a store, so that both give the same bits.
    Geometry is worked out once a height for all frequencies that are not in the store.
    """
    rows, cols = window_around(terrain, site.x_m, site.y_m, site.radius_m)
    shape = (len(site.bands), rows.stop - rows.start, cols.stop - cols.start)
    loss = np.empty(shape, dtype=np.float32)
    keys = _keys(terrain, site, rows, cols, store)
    for height in sorted({h for h, _ in site.bands}):
        missing = []
        for i in (i for i, (h, _) in enumerate(site.bands) if h == height):
            known = store.get(keys[i]) if store is not None and keys else None
            if known is not None and known.shape == shape[1:]:
                loss[i] = known
            else:
                missing.append(i)
        if not missing:
            continue
        window = path_loss_window(
            terrain, site.x_m, site.y_m, model=site.model, frequency_mhz=[site.bands[i][1] for i in missing],
            tx_height_agl_m=height, rx_height_agl_m=site.rx_height_agl_m, radius_m=site.radius_m, method=site.method,
        )  # fmt: skip
        for i, band in zip(missing, window.path_loss_db, strict=True):
            loss[i] = band
            if store is not None and keys:
                store.put(keys[i], loss[i])
    return StoredLoss(rows, cols, loss)


def _keys(terrain: Terrain, site: SiteLoss, rows: slice, cols: slice, store: PathLossStore | None) -> list[str]:
    """Key of each band; none without a store, or for a model that cannot be looked up."""
    if store is None:
        return []
    ny, nx = terrain.shape
    block = (
        slice(max(rows.start - _BESIDE_PX, 0), min(rows.stop + _BESIDE_PX, ny)),
        slice(max(cols.start - _BESIDE_PX, 0), min(cols.stop + _BESIDE_PX, nx)),
    )
    try:
        shared = fingerprint(
            code_fingerprint(*_CODE), site.model, terrain.elevation_amsl_m[block], terrain.clutter_height_m[block],
            terrain.zone[block], (rows.start, rows.stop, cols.start, cols.stop, ny, nx), site.radius_m, site.method,
        )  # fmt: skip
    except NoFingerprintError as error:
        store.tell_unkeyed(error)
        return []
    keys = []
    for height, frequency in site.bands:
        # Making the link also says what is out of the model's range, whether or not the loss is known already.
        link = make_link(
            terrain, site.x_m, site.y_m, site.model, frequency, (height, site.rx_height_agl_m), "vertical"
        )  # fmt: skip
        keys.append(fingerprint(shared, link.site, link.frequency_mhz, link.polarization))
    return keys
