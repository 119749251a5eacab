"""Arrays with a checksum in one file, and a folder of such files that never outgrows its limit."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rfplan.io.atomic import make_folder, write_bytes

MAGIC = b"rfplan-arrays-1\n"
_SUM_BYTES = 32
_ABANDONED_S = 3600.0  # age of a file half written by a process that must be dead


class DamagedBlobError(Exception):
    """The bytes are not what was written: cut off, altered, or of another kind."""


@dataclass(frozen=True, eq=False)
class Blob:
    """What a file holds: a description that JSON can carry, and arrays by name."""

    about: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]


def pack(about: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Bytes of a blob; the same content always gives the same bytes.

    An array is taken apart into its first, second … bytes, which run-length coding with Huffman codes then shortens:
    exponents repeat, the last digits don't. Nothing is lost.
    """
    entries, bodies = [], []
    for name, array in arrays.items():
        plain = np.ascontiguousarray(array)
        if plain.dtype.hasobject:
            raise TypeError(f"array {name!r} holds objects")
        planes = plain.reshape(-1).view(np.uint8).reshape(-1, plain.dtype.itemsize).T.tobytes()
        coder = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
        body = coder.compress(planes) + coder.flush()
        entries.append([name, plain.dtype.str, list(array.shape), len(body)])
        bodies.append(body)
    head = json.dumps({"about": about, "arrays": entries}, sort_keys=True, allow_nan=True).encode()
    content = len(head).to_bytes(8, "little") + head + b"".join(bodies)
    return MAGIC + hashlib.sha256(content).digest() + content


def unpack(raw: bytes) -> Blob:
    """Read what `pack` wrote.

    Raises
    ------
    DamagedBlobError
        If a single bit differs.
    """
    start = len(MAGIC) + _SUM_BYTES
    content = memoryview(raw)[start:]
    if raw[: len(MAGIC)] != MAGIC or hashlib.sha256(content).digest() != raw[len(MAGIC) : start]:
        raise DamagedBlobError("checksum does not match")
    size = int.from_bytes(content[:8], "little")
    head = json.loads(bytes(content[8 : 8 + size]))
    at, arrays = 8 + size, {}
    for name, kind, shape, length in head["arrays"]:
        dtype = np.dtype(kind)
        planes = np.frombuffer(zlib.decompress(content[at : at + length]), np.uint8).reshape(dtype.itemsize, -1)
        arrays[name] = np.ascontiguousarray(planes.T).reshape(-1).view(dtype).reshape(shape)
        at += length
    return Blob(head["about"], arrays)


class BlobFolder:
    """Blobs by key in a folder, safe under several processes, the least recently used removed at the limit.

    A file appears whole, by renaming, and is never changed; so readers and writers need no lock. Its time of
    modification is the time of its last use.

    Parameters
    ----------
    folder : path-like
        Made when it is not there.
    max_bytes : int
        Size the folder may reach.
    suffix : str
        Of the files.
    """

    def __init__(self, folder: str | os.PathLike[str], max_bytes: int, suffix: str) -> None:
        self.folder = make_folder(folder)
        self.max_bytes = max_bytes
        self.suffix = suffix
        self._held: int | None = None

    def path(self, key: str) -> Path:
        """Where a key's blob is, or would be."""
        return self.folder / key[:2] / f"{key}{self.suffix}"

    def get(self, key: str) -> Blob | None:
        """Return the blob of a key, or None where there is none.

        Raises
        ------
        DamagedBlobError
            If it is there but not as it was written, or belongs to another key; it is removed.
        """
        path = self.path(key)
        try:
            raw = path.read_bytes()
        except OSError:
            return None
        try:
            blob = unpack(raw)
            if blob.about.get("key") != key:
                raise DamagedBlobError("the file belongs to another key")
        except DamagedBlobError:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        with contextlib.suppress(OSError):
            os.utime(path)
        return blob

    def put(self, key: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keep arrays under a key.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        raw = pack({"key": key}, arrays)
        if len(raw) > self.max_bytes:
            return
        if self._held is None:
            self._held = sum(size for _, size, _ in self._files())
        if self._held + len(raw) > self.max_bytes:
            self._make_room(len(raw))
        write_bytes(self.path(key), raw)
        self._held += len(raw)

    def _files(self) -> list[tuple[int, int, Path]]:
        """Time of last use, ns, size and path of every blob."""
        found = []
        for path in self.folder.glob(f"??/*{self.suffix}"):
            with contextlib.suppress(OSError):  # another process has just removed it
                state = path.stat()
                if not path.name.startswith("."):
                    found.append((state.st_mtime_ns, state.st_size, path))
                elif state.st_mtime < time.time() - _ABANDONED_S:  # else another process is writing it
                    path.unlink()
        return found

    def _make_room(self, size: int) -> None:
        """Remove what was not used for longest, down to nine tenths, so that this is not done every time."""
        files = sorted(self._files())
        held = sum(length for _, length, _ in files)
        if held + size > self.max_bytes:
            limit = max(0, int(0.9 * self.max_bytes) - size)
            for _, length, path in files:
                if held <= limit:
                    break
                with contextlib.suppress(OSError):
                    path.unlink()
                held -= length
        self._held = held

    @property
    def size_bytes(self) -> int:
        """Bytes that the blobs take now."""
        return sum(size for _, size, _ in self._files())


__all__ = ["Blob", "BlobFolder", "DamagedBlobError", "pack", "unpack"]
