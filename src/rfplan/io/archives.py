"""Zip files from elsewhere: nothing leaves the folder, nothing unpacks without end."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from rfplan.errors import InputFileError

MAX_UNPACKED_BYTES = 1024**3
"""Largest sum of unpacked members."""
MAX_MEMBERS = 2_000
"""Most members of an archive."""
MAX_RATIO = 200
"""Largest ratio of unpacked to packed size of a member over 32 MiB; an elevation tile of open sea is all zeros."""
_CHUNK = 1 << 20
_SMALL = 1 << 25


def checked_members(archive: zipfile.ZipFile, path: str | os.PathLike[str]) -> list[zipfile.ZipInfo]:
    """Check every member of an archive by its directory entry and return the files among them.

    Raises
    ------
    InputFileError
        If a name is absolute or leaves the folder, a member is a link, encrypted or nested in an odd way, or sizes or
        numbers pass the limits.
    """
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise InputFileError(f"{path} has {len(members):,} members; at most {MAX_MEMBERS:,} are unpacked")
    total = 0
    for member in members:
        name = member.filename.replace("\\", "/")
        parts = PurePosixPath(name).parts
        drive = len(name) > 1 and name[1] == ":"
        if name.startswith("/") or drive or ".." in parts or "\0" in name:
            raise InputFileError(f"{path}: member {member.filename!r} would be written outside the folder; refused")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise InputFileError(f"{path}: member {member.filename!r} is a link; refused")
        if member.flag_bits & 0x1:
            raise InputFileError(f"{path}: member {member.filename!r} is encrypted; unpack it first")
        total += member.file_size
        bomb = member.file_size > _SMALL and member.file_size > MAX_RATIO * max(1, member.compress_size)
        if bomb or total > MAX_UNPACKED_BYTES:
            raise InputFileError(
                f"{path}: member {member.filename!r} unpacks to {member.file_size:,} bytes (archive {total:,} so far); "
                f"at most {MAX_UNPACKED_BYTES:,} in all and {MAX_RATIO} times the packed size are allowed"
            )
    return [member for member in members if not member.is_dir()]


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, path: str | os.PathLike[str]) -> None:
    """Unpack one member, counting bytes: the directory entry may lie about the size."""
    written = 0
    with archive.open(member) as source, target.open("wb") as sink:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > member.file_size:
                raise InputFileError(f"{path}: member {member.filename!r} is larger than its entry says; refused")
            sink.write(chunk)


@contextlib.contextmanager
def unpacked(path: str | os.PathLike[str], suffixes: Sequence[str]) -> Iterator[list[Path]]:
    """Unpack the members with these suffixes into a temporary folder, which is removed afterwards.

    Parameters
    ----------
    path : path-like
        Zip archive (or KMZ).
    suffixes : sequence of str
        Lower-case suffixes to unpack, such as ``(".shp", ".shx", ".dbf", ".prj", ".cpg")``.

    Yields
    ------
    list of Path
        Unpacked files, in order of the archive; folders inside it are flattened.

    Raises
    ------
    InputFileError
        If the archive is damaged or unsafe (see `checked_members`), or has two members of one name.
    """
    with tempfile.TemporaryDirectory(prefix="rfplan-") as folder:
        files: list[Path] = []
        try:
            with zipfile.ZipFile(path) as archive:
                for member in checked_members(archive, path):
                    name = PurePosixPath(member.filename.replace("\\", "/")).name
                    if not name.lower().endswith(tuple(suffixes)) or name.startswith("._"):
                        continue
                    target = Path(folder) / name
                    if target.exists():
                        raise InputFileError(f"{path} has two members named {name!r}; unpack it first")
                    _copy(archive, member, target, path)
                    files.append(target)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, OSError) as error:
            raise InputFileError(f"{path} is not a readable zip archive: {error}") from error
        except Exception as error:  # zlib.error and the like have no common base
            if isinstance(error, InputFileError):
                raise
            raise InputFileError(f"{path} is not a readable zip archive: {error}") from error
        yield files
