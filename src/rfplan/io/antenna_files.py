"""Planet/MSI antenna files (.msi, .pln, .txt): what the file says, and what had to be assumed."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rfplan.errors import InputFileError
from rfplan.io.atomic import atomic_path

DBD_TO_DBI = 2.15
_MAX_BYTES = 5_000_000
_HEADER_KEYS = (
    "NAME", "MAKE", "FREQUENCY", "H_WIDTH", "V_WIDTH", "FRONT_TO_BACK", "GAIN", "TILT", "ELECTRICAL_TILT",
    "POLARIZATION", "COMMENT",
)  # fmt: skip
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d*)?(?:[eE][-+]?\d+)?|[-+]?[.,]\d+")


@dataclass(frozen=True, eq=False)
class AntennaFile:
    """Contents of one pattern file.

    ``horizontal_loss_db`` and ``vertical_loss_db`` are (360,) positive losses at whole degrees; ``header`` keeps every
    header line as text; ``notes`` says in words what was assumed.
    """

    path: str
    header: dict[str, str]
    name: str
    gain_dbi: float
    frequency_mhz: float
    horizontal_loss_db: npt.NDArray[np.float64]
    vertical_loss_db: npt.NDArray[np.float64]
    notes: tuple[str, ...]


def _number(text: str) -> float | None:
    match = _NUMBER.search(text)
    return float(match.group().replace(",", ".")) if match else None


def _gain_dbi(text: str, notes: list[str]) -> float | None:
    value = _number(text)
    if value is None:
        return None
    unit = text.lower()
    if "dbi" in unit:
        return value
    if "dbd" not in unit:
        notes.append(f"GAIN {text!r} has no unit: taken as dBd, as the format defines")
    return value + DBD_TO_DBI


def _frequency_mhz(text: str) -> float:
    value = _number(text)
    if value is None:
        return math.nan
    return value * 1000.0 if "ghz" in text.lower() else value


def _cut(name: str, samples: list[tuple[float, float]], path: Path, notes: list[str]) -> npt.NDArray[np.float64]:
    """Samples at any spacing to positive losses at whole degrees."""
    if len(samples) < 2:
        raise InputFileError(
            f"{path}: {name} has {len(samples)} rows of 'angle loss'; a cut needs at least 2 (normally 360)"
        )
    table = np.array(samples)
    if np.all(table[:, 1] <= 0.0) and np.any(table[:, 1] < 0.0):
        notes.append(f"{name} losses are negative: taken as gain relative to the maximum and turned positive")
        table[:, 1] = -table[:, 1]
    elif np.any(table[:, 1] < 0.0):
        raise InputFileError(
            f"{path}: {name} mixes positive and negative losses "
            f"(row {int(np.argmin(table[:, 1])) + 1}: {table[:, 1].min()} dB); "
            "losses relative to GAIN must share one sign"
        )
    angle = table[:, 0] % 360.0
    order = np.argsort(angle, kind="stable")
    if np.any(np.diff(angle) < 0.0) and not np.all(np.diff(table[:, 0]) > 0.0):
        notes.append(f"{name} rows were not in order of angle and were sorted")
    angle, first = np.unique(angle[order], return_index=True)
    loss = table[order, 1][first]
    if angle.size != len(samples):
        notes.append(f"{name} repeats {len(samples) - angle.size} angle(s); the first value of each was kept")
    if angle.size != 360:
        notes.append(f"{name} has {angle.size} angles: interpolated to whole degrees")
    return np.asarray(np.interp(np.arange(360.0), angle, loss, period=360.0), dtype=np.float64)


def _parse(lines: list[str], path: Path) -> tuple[dict[str, str], dict[str, list[tuple[float, float]]]]:
    header: dict[str, str] = {}
    cuts: dict[str, list[tuple[float, float]]] = {}
    current: list[tuple[float, float]] | None = None
    for number, raw in enumerate(lines, start=1):
        words = raw.split(None, 1)
        if not words:
            continue
        key, rest = words[0].upper(), (words[1].strip() if len(words) > 1 else "")
        if key in ("HORIZONTAL", "VERTICAL"):
            current = cuts.setdefault(key, [])
        elif current is not None and (key[0].isdigit() or key[0] in "+-."):
            angle, loss = _number(key), _number(rest)
            if angle is None or loss is None:
                raise InputFileError(f"{path}, line {number}: {raw.strip()!r} is not 'angle loss_dB'")
            current.append((angle, loss))
        elif current is not None and key not in _HEADER_KEYS and not key[0].isalpha():
            raise InputFileError(f"{path}, line {number}: {raw.strip()!r} is not 'angle loss_dB'")
        elif number == 1 and key not in _HEADER_KEYS:
            header["NAME"] = raw.strip()
        else:
            header.setdefault(key, rest)
    return header, cuts


def read_antenna_file(path: str | Path) -> AntennaFile:
    """Read a Planet/MSI pattern.

    Takes tabs or spaces, CRLF, header lines in any order or missing, a first line without ``NAME``, gains in dBd
    (also when bare) or dBi, losses of either sign. ``FRONT_TO_BACK`` and the widths are kept as text: the cuts count.

    Raises
    ------
    InputFileError
        When the file is missing, not text, has no GAIN or lacks one of the two cuts.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputFileError(
                f"{path}: {path.stat().st_size} bytes is too large for an antenna pattern (limit {_MAX_BYTES})"
            )
        data = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    notes: list[str] = []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
        notes.append("text is not UTF-8: read as Latin-1")
    if "\x00" in text:
        raise InputFileError(f"{path}: is a binary file, not a Planet/MSI text pattern")
    header, cuts = _parse(text.splitlines(), path)
    missing = [key for key in ("HORIZONTAL", "VERTICAL") if key not in cuts]
    if missing:
        raise InputFileError(f"{path}: no {' and no '.join(missing)} section; a Planet/MSI pattern has both cuts")
    gain_dbi = _gain_dbi(header.get("GAIN", ""), notes)
    if gain_dbi is None:
        raise InputFileError(
            f"{path}: GAIN is missing or not a number ({header.get('GAIN', '')!r}); expected e.g. 'GAIN 15.0 dBd'"
        )
    absent = [key for key in ("NAME", "MAKE", "FREQUENCY", "H_WIDTH", "V_WIDTH") if not header.get(key)]
    if absent:
        notes.append(f"header lacks {', '.join(absent)}")
    if "FRONT_TO_BACK" in header and (_number(header["FRONT_TO_BACK"]) or 0.0) <= 0.0:
        notes.append(f"FRONT_TO_BACK {header['FRONT_TO_BACK']} is not a positive ratio: kept as text, not used")
    return AntennaFile(
        path=str(path),
        header=header,
        name=header.get("NAME") or path.stem,
        gain_dbi=gain_dbi,
        frequency_mhz=_frequency_mhz(header.get("FREQUENCY", "")),
        horizontal_loss_db=_cut("HORIZONTAL", cuts["HORIZONTAL"], path, notes),
        vertical_loss_db=_cut("VERTICAL", cuts["VERTICAL"], path, notes),
        notes=tuple(notes),
    )


def write_antenna_file(
    path: str | Path,
    header: dict[str, str],
    horizontal_loss_db: npt.NDArray[np.float64],
    vertical_loss_db: npt.NDArray[np.float64],
) -> Path:
    """Write a Planet/MSI pattern: header lines in the usual order, then both cuts at whole degrees.

    Parameters
    ----------
    path : path
        Written whole or not at all.
    header : dict
        Key to text; NAME, FREQUENCY and GAIN (with its unit) should be there.
    horizontal_loss_db, vertical_loss_db : (360,) arrays
        Positive losses, written with three decimals.
    """
    known = [key for key in _HEADER_KEYS if header.get(key)]
    lines = [
        f"{key} {' '.join(header[key].split())}" for key in (*known, *(k for k in header if k not in _HEADER_KEYS))
    ]
    for name, cut in (("HORIZONTAL", horizontal_loss_db), ("VERTICAL", vertical_loss_db)):
        lines.append(f"{name} 360")
        lines += [f"{angle}\t{loss:.3f}" for angle, loss in enumerate(cut)]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Path(path)
