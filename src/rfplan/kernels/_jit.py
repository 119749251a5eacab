"""The one place that decides how kernels are compiled.

Every kernel is compiled without fast-math (kernels see NaN, and results must be bit-identical), but for contraction
where that is asked for, releases the GIL, and is cached on disk. Numba keys its cache on the file that defines a
kernel and does not see an edit to a callee in another file, nor whether indices are checked (NUMBA_BOUNDSCHECK), so
the cache folder's name carries a digest of all kernel sources and that setting.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

# Read by the OpenMP runtime when Numba starts it: threads that wait by spinning double the cost of a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numba
from numba.core import config

from rfplan.errors import RfplanWarning

F = TypeVar("F", bound=Callable[..., Any])


def _digest() -> str:
    digest = hashlib.sha256(f"boundscheck {bool(config.BOUNDSCHECK)}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _cache_dir() -> str | None:
    """A writable folder of our own for compiled kernels, or None: then each process compiles anew, and is told so."""
    owner = os.getuid() if hasattr(os, "getuid") else 0
    for root in (_user_folder, lambda: Path(tempfile.gettempdir()) / f"rfplan-{owner}"):
        try:
            folder = root() / f"kernels-{_digest()}"  # finding a folder fails, too, where there is none
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # A cache is loaded as code: one that somebody else prepared in the shared temporary folder is not ours.
            if hasattr(os, "getuid") and folder.stat().st_uid != owner:
                continue
            with tempfile.TemporaryFile(dir=folder):
                return str(folder)
        except (OSError, RuntimeError):
            continue
    if not config.DISABLE_JIT:
        warnings.warn(
            "no folder can be written for compiled kernels, so every process compiles them anew, which takes up to a "
            "minute; set NUMBA_CACHE_DIR to a folder that can be written",
            RfplanWarning,
            stacklevel=2,
        )
    return None


def _user_folder() -> Path:
    base = os.environ.get("NUMBA_CACHE_DIR")
    if base is None:
        import platformdirs

        base = platformdirs.user_cache_dir("rfplan")
    return Path(base)


CACHE_DIR = _cache_dir()


def _compile(options: dict[str, Any]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        # Numba reads config.CACHE_DIR when it decorates; restoring it leaves other packages' caches alone.
        before = config.CACHE_DIR
        try:
            if CACHE_DIR is not None:
                config.CACHE_DIR = CACHE_DIR
            # fast-math is said even where there is none: unsaid, it is that of whichever caller is compiled first
            said = {"fastmath": False, "nogil": True, "error_model": "numpy", **options}
            compiled: F = numba.njit(cache=CACHE_DIR is not None, **said)(function)
        finally:
            config.CACHE_DIR = before
        return compiled

    return decorate


def jit(function: F) -> F:
    """Compile a serial kernel."""
    return _compile({})(function)


def jit_parallel(function: F) -> F:
    """Compile a kernel whose ``numba.prange`` rows each own their output: bit-identical at any thread count."""
    return _compile({"parallel": True})(function)


# Reference counting of array arguments costs more than the arithmetic in kernels of a few nanoseconds. All below
# leave it out: they may take and slice arrays, never make or return them.


def jit_light(function: F) -> F:
    """Compile a kernel that only looks into the arrays it is given."""
    return _compile({"_nrt": False})(function)


def jit_inline(function: F) -> F:
    """Compile a small kernel into its callers: for what runs several times a pixel.

    An array travels as nine words, so a call with ten arrays costs more than what most such kernels do.
    """
    return _compile({"forceinline": True, "_nrt": False})(function)


# Contraction alone, a * b + c rounded once, is no fast-math: NaN stays NaN and no sum changes its order. It makes the
# arithmetic of whole blocks of pixels quicker (docs/design.md). Where two kernels must agree to the last bit, neither
# has it.


def jit_fused(function: F) -> F:
    """Compile a serial kernel of vector arithmetic, which may round a product and a sum once."""
    return _compile({"fastmath": {"contract"}, "_nrt": False})(function)


def jit_fused_inline(function: F) -> F:
    """`jit_inline` for the same."""
    return _compile({"fastmath": {"contract"}, "forceinline": True, "_nrt": False})(function)
