"""Results of finished steps in a folder, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import builtins
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rfplan.errors import DataWarning, RfplanWarning, ValidityWarning
from rfplan.io.atomic import write_bytes
from rfplan.io.blobs import Blob, DamagedBlobError, pack, unpack
from rfplan.io.fingerprint import code_fingerprint, fingerprint

Arrays = Mapping[str, npt.NDArray[Any]]


class Memo:
    """Remembers what a step gave, for as long as everything it depends on is the same.

    A step's result lies in one file, named after the step, with the fingerprint of what the step depended on and a
    checksum. It is written at once or not at all, read back to the bit, and replaced when the fingerprint changes. It
    holds no time and no path, so the same step always leaves the same bytes. Warnings of a step are kept with its
    result and given again.

    Parameters
    ----------
    folder : path-like or None
        Where files are; None remembers nothing.
    key : str
        Fingerprint of what all steps depend on; default rfplan's code, the packages and the processor.
    """

    def __init__(self, folder: str | os.PathLike[str] | None, key: str | None = None) -> None:
        self.folder = None if folder is None else Path(folder)
        self.key = (code_fingerprint() if folder is not None else "") if key is None else key

    def on(self, *values: Any) -> Memo:
        """The same memo for steps that depend on these values besides (see `fingerprint`)."""
        return self if self.folder is None else Memo(self.folder, fingerprint(self.key, *values))

    def recall(self, step: str, work: Callable[[], tuple[Mapping[str, Any], Arrays]]) -> Blob:
        """Description (what JSON can hold) and arrays of a step: remembered, or worked out and remembered."""
        if self.folder is None:
            return Blob(*work())
        path = self.folder / f"{step}.state"
        blob = self._read(path)
        if blob is None:
            with warnings.catch_warnings(record=True) as heard:
                warnings.simplefilter("always")
                result, arrays = work()
            told = list(dict.fromkeys((type(w.message).__name__, str(w.message)) for w in heard))
            about = {"key": self.key, "warnings": [list(pair) for pair in told], "result": dict(result)}
            blob = Blob(about, {name: np.asarray(array) for name, array in arrays.items()})
            write_bytes(path, pack(blob.about, blob.arrays))
        for name, text in blob.about["warnings"]:
            warnings.warn(_category(name)(text), stacklevel=3)
        return Blob(blob.about["result"], blob.arrays)

    def _read(self, path: Path) -> Blob | None:
        try:
            blob = unpack(path.read_bytes())
        except OSError:
            return None
        except DamagedBlobError as error:
            warnings.warn(DataWarning(f"{path} is damaged ({error}): its step is done again"), stacklevel=4)
            return None
        return blob if blob.about["key"] == self.key else None


def _category(name: str) -> type[Warning]:
    own = {kind.__name__: kind for kind in (DataWarning, RfplanWarning, ValidityWarning)}
    found = own.get(name, getattr(builtins, name, UserWarning))
    return found if isinstance(found, type) and issubclass(found, Warning) else UserWarning
