"""Download open input data: resumable, checked, cached, and polite to those who serve it.

A file is written as ``NAME.part`` and renamed when it is whole; ``NAME.receipt.json`` then records address, size,
SHA-256 and the provider's validator. An interrupted download goes on where it stopped if the provider still serves
the same file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import platformdirs
import urllib3

import rfplan
from rfplan.errors import InputFileError, ParameterError
from rfplan.io import sources
from rfplan.io.sources import BoundingBox, Remote

Progress = Callable[[str, int, int | None], None]

CHUNK_BYTES = 1 << 18
TRIES = 4  # attempts at a body that keeps breaking off; connection errors and 429/5xx are retried below that
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 15.0, 60.0
DEFAULT_SOURCES = ("glo30", "worldcover", "worldpop", "osm")


class FetchError(InputFileError):
    """A file could not be downloaded; the message says what to download by hand and where to put it."""


@dataclass(frozen=True)
class Fetched:
    """What became of one file.

    Attributes
    ----------
    remote : Remote
        The provider's file.
    path : Path or None
        Where it lies; None where the provider has nothing (open sea).
    sha256 : str or None
        Digest of the file.
    size_bytes : int
        Its size.
    from_cache : bool
        It was there already, and nothing was downloaded.
    """

    remote: Remote
    path: Path | None
    sha256: str | None
    size_bytes: int
    from_cache: bool


def cache_folder(folder: str | os.PathLike[str] | None = None) -> Path:
    """Where downloads lie: the folder given, else ``$RFPLAN_CACHE_DIR``, else the user's cache folder."""
    return Path(folder or os.environ.get("RFPLAN_CACHE_DIR") or Path(platformdirs.user_cache_dir("rfplan")) / "data")


def list_files(
    bbox: BoundingBox,
    what: Iterable[str] = DEFAULT_SOURCES,
    *,
    country: str = "VNM",
    region: str = "asia/vietnam",
    mcc: int = 452,
    opencellid_key: str | None = None,
    base_urls: Mapping[str, str] | None = None,
) -> list[Remote]:
    """List the files that serve an area, without asking anybody.

    Parameters
    ----------
    bbox : tuple of float
        West, south, east, north, degrees (WGS 84).
    what : iterable of str
        Keys of :data:`rfplan.io.sources.BASE_URLS`.
    country, region, mcc : str, str, int
        ISO 3166 alpha-3 code (WorldPop), extract path (OpenStreetMap), mobile country code (OpenCelliD).
    opencellid_key : str, optional
        The user's own OpenCelliD key; needed for ``opencellid`` only.
    base_urls : mapping, optional
        Replacements for providers' base addresses.

    Raises
    ------
    ParameterError
        An unknown source, an impossible bounding box, or ``opencellid`` without a key.
    """
    sources.check_bbox(bbox)
    bases = {**sources.BASE_URLS, **(base_urls or {})}
    files: list[Remote] = []
    for name in what:
        if name not in sources.BASE_URLS:
            raise ParameterError(f"source {name!r} is not known; choose from {', '.join(sources.BASE_URLS)}")
        base = bases[name].rstrip("/")
        match name:
            case "glo30":
                files += sources.glo30(bbox, base)
            case "worldcover":
                files += sources.worldcover(bbox, base)
            case "worldpop":
                files += sources.worldpop(base, country)
            case "ghs-pop":
                files += sources.ghs_pop(bbox, base)
            case "osm":
                files += sources.osm(base, region)
            case "opencellid":
                if not opencellid_key:
                    raise ParameterError("opencellid needs your own key: pass opencellid_key or set OPENCELLID_KEY")
                files += sources.opencellid(base, opencellid_key, mcc)
    return files


def fetch(
    bbox: BoundingBox,
    what: Iterable[str] = DEFAULT_SOURCES,
    *,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> list[Fetched]:
    """Download what serves an area into the cache, or find it there.

    Parameters
    ----------
    bbox, what, **options
        See :func:`list_files`.
    folder : path, optional
        Cache folder; see :func:`cache_folder`.
    progress : callable, optional
        Called with file name, bytes so far and bytes in all (None where unknown).

    Returns
    -------
    list of Fetched
        In the order of :func:`list_files`.

    Raises
    ------
    FetchError
        A file could not be had. What came before it stays in the cache, a part of it too.
    """
    root = cache_folder(folder)
    pool = urllib3.PoolManager(
        headers={"User-Agent": f"rfplan/{rfplan.__version__}", "Accept-Encoding": "identity"},
        timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S),
        # urllib3 waits as the server's Retry-After says, else 0.5, 1, 2 … s
        retries=urllib3.Retry(
            total=4,
            backoff_factor=0.5,
            backoff_max=30,
            status_forcelist=(429, 500, 502, 503, 504),
            raise_on_status=False,
        ),
    )
    with pool:
        return [fetch_file(remote, root, pool, progress) for remote in list_files(bbox, what, **options)]


def fetch_file(remote: Remote, root: Path, pool: urllib3.PoolManager, progress: Progress | None = None) -> Fetched:
    """Download one file below `root`, or find it there whole."""
    target = root / remote.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Two processes wait for each other here; the second then finds the file in the cache.
        with filelock.FileLock(f"{target}.lock"):
            return _cached(remote, target) or _download(remote, target, pool, progress)
    except urllib3.exceptions.HTTPError as error:
        raise _by_hand(
            remote, target, f"the server could not be reached or broke off ({_plain(error, remote)})"
        ) from error
    except OSError as error:
        raise FetchError(f"{target}: cannot write to the cache ({error.strerror}); name another folder") from error


def find_cached(
    bbox: BoundingBox, what: Iterable[str], *, folder: str | os.PathLike[str] | None = None, **options: Any
) -> dict[str, tuple[list[Path], int]]:
    """Which files of an area the cache holds whole, without asking anybody.

    Parameters
    ----------
    bbox, what, folder, options
        As for :func:`fetch`.

    Returns
    -------
    dict of str to (list of Path, int)
        By source: the files that are there, and how many serve the area in all.
    """
    root = cache_folder(folder)
    found: dict[str, tuple[list[Path], int]] = {}
    for source in what:
        remotes = list_files(bbox, [source], **options)
        here = [root / remote.name for remote in remotes if _cached(remote, root / remote.name) is not None]
        found[source] = (here, len(remotes))
    return found


def _receipt_path(target: Path) -> Path:
    return target.with_name(target.name + ".receipt.json")


def _cached(remote: Remote, target: Path) -> Fetched | None:
    """A file is whole if its receipt says so, or if a person put it there without one."""
    if not target.exists():
        return None
    size = target.stat().st_size
    try:
        receipt = json.loads(_receipt_path(target).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Fetched(remote, target, _sha256(target), size, from_cache=True) if size else None
    except ValueError:
        return None
    if receipt.get("size_bytes") != size:
        return None
    return Fetched(remote, target, str(receipt.get("sha256")), size, from_cache=True)


def _download(remote: Remote, target: Path, pool: urllib3.PoolManager, progress: Progress | None) -> Fetched:
    part = target.with_name(target.name + ".part")
    reason = ""
    for _ in range(TRIES):
        outcome, validators = _stream(remote, part, pool, progress)
        if outcome == "absent":
            return Fetched(remote, None, None, 0, from_cache=False)
        if outcome == "whole":
            reason = _checksum_problem(remote, part, pool)
            if not reason:
                return _finish(remote, target, part, validators)
            part.unlink()  # the bytes are wrong, so going on from them can't help
        else:
            reason = outcome
    raise _by_hand(remote, target, reason)


def _stream(
    remote: Remote, part: Path, pool: urllib3.PoolManager, progress: Progress | None
) -> tuple[str, dict[str, str]]:
    """Append what is missing to the part file. Returns 'whole', 'absent' or what went wrong, and the validators."""
    state = part.with_name(part.name + ".json")
    headers = {}
    have = part.stat().st_size if part.exists() else 0
    validator = json.loads(state.read_text(encoding="utf-8")).get("validator") if have and state.exists() else None
    if have and validator:
        headers = {"Range": f"bytes={have}-", "If-Range": validator}
    response = pool.request("GET", remote.url, headers=headers, preload_content=False)
    try:
        if response.status == 404 and remote.may_be_absent:
            return "absent", {}
        if response.status == 416:  # the part is as long as the file or longer: take it from the start next time
            part.unlink(missing_ok=True)
            return "the server refused to go on with a partial download", {}
        if response.status not in (200, 206):
            raise _by_hand(remote, part.with_suffix(""), f"the server answered {response.status} {response.reason}")
        resumed = response.status == 206 and _starts_at(response.headers.get("Content-Range", ""), have)
        if response.status == 206 and not resumed:
            part.unlink(missing_ok=True)
            return "the server sent another part of the file than the one asked for", {}
        have = have if resumed else 0
        strong = response.headers.get("ETag", "")
        validators = {
            "validator": strong
            if strong and not strong.startswith("W/")
            else response.headers.get("Last-Modified", ""),
        }
        _write_json(state, validators)
        length = response.headers.get("Content-Length")
        total = have + int(length) if length is not None and length.isdigit() else None
        with open(part, "ab" if resumed else "wb") as file:
            try:
                for chunk in response.stream(CHUNK_BYTES):
                    file.write(chunk)
                    have += len(chunk)
                    if progress is not None:
                        progress(remote.name, have, total)
            except urllib3.exceptions.HTTPError as error:
                return f"the connection broke off after {have} bytes ({_plain(error, remote)})", validators
        if total is not None and have != total:
            return f"the body ended after {have} of {total} bytes", validators
        return "whole", validators
    finally:
        response.release_conn()


def _starts_at(content_range: str, offset: int) -> bool:
    return content_range.startswith(f"bytes {offset}-")


def _checksum_problem(remote: Remote, part: Path, pool: urllib3.PoolManager) -> str:
    """Compare with the provider's own checksum; empty where it agrees or there is none."""
    if remote.md5_url is None:
        return ""
    answer = pool.request("GET", remote.md5_url)
    if answer.status != 200:
        return f"the provider's checksum {remote.md5_url} answered {answer.status}"
    words = answer.data.decode("ascii", errors="replace").split()
    expected = words[0].lower() if words else ""
    with open(part, "rb") as file:
        actual = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return "" if actual == expected else f"wrong checksum: MD5 is {actual}, the provider says {expected or 'nothing'}"


def _finish(remote: Remote, target: Path, part: Path, validators: dict[str, str]) -> Fetched:
    digest, size = _sha256(part), part.stat().st_size
    os.replace(part, target)
    receipt = {
        "source": remote.source,
        "url": remote.shown_url,
        "licence": sources.LICENCES[remote.source],
        "size_bytes": size,
        "sha256": digest,
        **validators,
    }
    _write_json(_receipt_path(target), receipt)
    part.with_name(part.name + ".json").unlink(missing_ok=True)
    return Fetched(remote, target, digest, size, from_cache=False)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
    os.replace(temporary, path)


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(error: Exception, remote: Remote) -> str:
    text = str(error)
    return text.replace(remote.secret, "***") if remote.secret else text


def _by_hand(remote: Remote, target: Path, reason: str) -> FetchError:
    return FetchError(
        f"{remote.shown_url}: {reason}. Run the command again to go on where it stopped, "
        f"or download the file by hand and put it at {target}"
    )
