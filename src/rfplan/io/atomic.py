"""Files appear whole or not at all: write under a temporary name, then rename."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from rfplan.errors import OutputError


def make_folder(folder: str | os.PathLike[str]) -> Path:
    """Create an output folder and prove that a file can be written into it.

    Parameters
    ----------
    folder : path-like
        Folder to create, parents included; may exist already.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If the name is taken by a file, or the folder cannot be made or written to.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".rfplan-{secrets.token_hex(6)}.tmp"
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"cannot write into the output folder {path}: {error.strerror or error}; "
            "choose a folder you may write to, with free space"
        ) from error
    return path


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name beside `path`; on success it replaces `path`, on failure it is removed.

    The temporary name keeps the suffix (drivers choose by it) and lies in the same folder, so the final
    rename cannot cross a file system.

    Raises
    ------
    OutputError
        If the folder or the file cannot be written.
    """
    final = Path(path)
    folder = make_folder(final.parent)
    temporary = folder / f".{final.stem}.{secrets.token_hex(6)}.tmp{final.suffix}"
    try:
        yield temporary
        os.replace(temporary, final)
    except OSError as error:
        raise OutputError(f"cannot write {final}: {error.strerror or error}") from error
    finally:
        for leftover in folder.glob(f"{temporary.stem}*"):
            with contextlib.suppress(OSError):
                leftover.unlink()


def write_bytes(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write bytes to `path` atomically and return it."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return Path(path)


def write_text(path: str | os.PathLike[str], content: str) -> Path:
    """Write UTF-8 text with Unix line ends to `path` atomically and return it."""
    return write_bytes(path, content.encode("utf-8"))
