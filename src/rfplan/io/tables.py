"""Text tables in and out: delimiters, encodings and decimal commas told apart, rows named in every complaint."""

from __future__ import annotations

import csv
import io
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.errors import DataWarning, InputFileError
from rfplan.io.atomic import atomic_path

MAX_TABLE_BYTES = 512 * 1024**2
"""Largest text table that is read, in bytes."""

DELIMITERS = (",", ";", "\t", "|")
_BLANKS = frozenset({"", "nan", "na", "n/a", "#n/a", "null", "none", "-"})
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def read_bytes(path: str | os.PathLike[str], *, max_bytes: int = MAX_TABLE_BYTES) -> bytes:
    """Read a whole regular file after checking that it is there and not larger than `max_bytes`.

    Raises
    ------
    InputFileError
        If the file is missing, not a regular file, empty, too large or not readable.
    """
    file = Path(path)
    if not file.exists():
        raise InputFileError(f"{file} does not exist; check the path (relative to {Path.cwd()})")
    if not file.is_file():
        raise InputFileError(f"{file} is not a regular file")
    size = file.stat().st_size
    if size == 0:
        raise InputFileError(f"{file} is empty")
    if size > max_bytes:
        raise InputFileError(f"{file} has {size:,} bytes; at most {max_bytes:,} are read; split the file")
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputFileError(f"{file} cannot be read: {error.strerror or error}") from error


def decode_text(raw: bytes, path: str | os.PathLike[str]) -> str:
    """Decode the bytes of a text file: UTF-8 (with or without BOM), UTF-16 by BOM, else Windows-1258 or 1252.

    A file that is not Unicode is read as Windows-1252 (Western); where the bytes hold Vietnamese combining
    tone marks (0xCC, 0xD2, 0xDE, 0xEC and 0xF2 after a lower-case letter) it is read as Windows-1258.

    Warns
    -----
    DataWarning
        If the text is not Unicode, with the encoding that was assumed.

    Raises
    ------
    InputFileError
        If the content is binary.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return raw.decode("utf-16")
        except UnicodeDecodeError as error:
            raise InputFileError(f"{path} starts like UTF-16 text but is damaged: {error.reason}") from error
    if b"\0" in raw[:65536]:
        raise InputFileError(f"{path} is binary, not a text table; save it as CSV (UTF-8)")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
    vietnamese = re.search(rb"[a-z\xe2\xea\xf4\xe3\xf5\xfd][\xcc\xd2\xde\xec\xf2]", raw) is not None
    encoding = "cp1258" if vietnamese else "cp1252"
    text = raw.decode(encoding, errors="replace")
    warnings.warn(
        DataWarning(f"{path} is not UTF-8 (first at line {line}); read as {encoding}; check names, or save as UTF-8"),
        stacklevel=3,
    )
    return text


def _delimiter(text: str) -> str:
    """Choose the delimiter that splits the header into most fields, quotes respected."""
    head = next((line for line in text.splitlines() if line.strip()), "")
    counts = {d: len(next(csv.reader([head], delimiter=d))) for d in DELIMITERS}
    return max(DELIMITERS, key=lambda d: counts[d])


def _records(text: str, delimiter: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (first file line, fields) of each record that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    line = 1
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield line, [field.strip() for field in fields]
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputFileError(f"{path}, line {line}: {error}; check quotes around this line") from error


def read_table(
    path: Path | str, *, required: Sequence[str] = (), column_map: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Read a delimited text table, or the first sheet of an ``.xlsx`` workbook, with a header line; cells are text.

    Comma, semicolon, tab and vertical bar are told apart by the header. A byte-order mark, blank lines and
    blanks around fields are dropped. Cells that are missing at the end of a short line become ``""``.

    Parameters
    ----------
    path : path-like
        The file.
    required : sequence of str
        Columns that must be there, after `column_map`.
    column_map : mapping of str to str, optional
        Column of the file → name wanted.

    Returns
    -------
    pandas.DataFrame
        Text columns, ``RangeIndex``. ``attrs``: ``path`` (str), ``first_row`` (file line of record 0),
        ``delimiter``, and ``line_shifts`` (pairs of record index and extra lines before it, where blank or
        many-line records shift the count). `row_number` turns an index into a file line.

    Raises
    ------
    InputFileError
        If the file is missing, empty, binary or too large, has no data row, repeated or unnamed columns,
        a row longer than the header, or lacks a column of `required` or of `column_map`.
    """
    file = Path(path)
    delimiter, records = _open_records(file)
    try:
        header_line, header = next(records)
    except StopIteration:
        raise InputFileError(f"{file} holds no text; a header line and data rows are expected") from None
    header = _checked_header(header, file, column_map or {})
    missing = [name for name in required if name not in header]
    if missing:
        raise InputFileError(
            f"{file} lacks the column(s) {', '.join(missing)}; found: {', '.join(header)}; "
            "rename the columns or give a column map"
        )
    rows: list[list[str]] = []
    shifts: list[tuple[int, int]] = []
    first_row = header_line + 1
    for line, fields in records:
        if len(fields) > len(header) and any(fields[len(header) :]):
            raise InputFileError(
                f"{file}, row {line}: {len(fields)} fields but the header has {len(header)}; "
                "quote text that contains the delimiter"
            )
        if not rows:
            first_row = line
        shift = line - first_row - len(rows)
        if shift != (shifts[-1][1] if shifts else 0):
            shifts.append((len(rows), shift))
        rows.append((fields + [""] * (len(header) - len(fields)))[: len(header)])
    if not rows:
        raise InputFileError(f"{file} has a header but no data row")
    frame = pd.DataFrame(rows, columns=header, dtype=str)
    frame.attrs.update(path=str(file), first_row=first_row, delimiter=delimiter, line_shifts=tuple(shifts))
    return frame


def _open_records(file: Path) -> tuple[str, Iterator[tuple[int, list[str]]]]:
    if file.suffix.lower() in (".xlsx", ".xlsm"):
        from rfplan.io.spreadsheets import read_sheet_rows

        return "sheet", iter(read_sheet_rows(file))
    text = decode_text(read_bytes(file), file)
    delimiter = _delimiter(text)
    return delimiter, _records(text, delimiter, file)


def _checked_header(header: list[str], file: Path, column_map: Mapping[str, str]) -> list[str]:
    while header and not header[-1]:
        header = header[:-1]
    if not all(header):
        raise InputFileError(f"{file}: column {header.index('') + 1} of the header has no name")
    unknown = [name for name in column_map if name not in header]
    if unknown:
        raise InputFileError(
            f"{file} lacks the column(s) {', '.join(unknown)} named in the column map; found: {', '.join(header)}"
        )
    mapped = [column_map.get(name, name) for name in header]
    repeated = sorted({name for name in mapped if mapped.count(name) > 1})
    if repeated:
        raise InputFileError(f"{file}: the column(s) {', '.join(repeated)} occur more than once")
    return mapped


def row_number(table: pd.DataFrame | pd.Series[str], index: int) -> int:
    """Return the file line of the record with this index, for a table (or its column) from `read_table`."""
    shift = 0
    for start, extra in table.attrs.get("line_shifts", ()):
        if index < start:
            break
        shift = extra
    return int(table.attrs.get("first_row", 2)) + int(index) + shift


def to_float(series: pd.Series[str], field: str) -> npt.NDArray[np.float64]:
    """Parse a text column as numbers.

    A single comma is a decimal comma; where both occur, the later of comma and dot is the decimal mark;
    a repeated mark and blanks between digits are grouping. Blank, ``NA``, ``null``, ``none`` and ``-`` are
    NaN.

    Parameters
    ----------
    series : Series of str
        Column from `read_table` (its attrs give file and rows; without them rows count from 2).
    field : str
        Name used in messages.

    Returns
    -------
    numpy.ndarray
        float64, same length.

    Warns
    -----
    DataWarning
        If cells such as ``"12,345"`` in a comma-delimited file could be meant as thousands.

    Raises
    ------
    InputFileError
        If cells are not finite numbers; the first ten rows are named.
    """
    values = np.full(len(series), np.nan)
    bad: list[str] = []
    ambiguous: list[str] = []
    comma_file = series.attrs.get("delimiter") == ","
    for i, (index, cell) in enumerate(zip(series.index, series.astype(str), strict=True)):
        token = cell.strip()
        if token.lower() in _BLANKS:
            continue
        number = _plain_number(token)
        if number is None or not np.isfinite(float(number)):
            bad.append(f"row {row_number(series, index)}: {cell!r}")
            continue
        if comma_file and _GROUPED.fullmatch(token) and token.count(",") == 1:
            ambiguous.append(f"row {row_number(series, index)}: {cell!r}")
        values[i] = float(number)
    source = series.attrs.get("path", "table")
    if bad:
        more = f" and {len(bad) - 10} more" if len(bad) > 10 else ""
        raise InputFileError(
            f"{source}: {field} must be a number; {'; '.join(bad[:10])}{more}; correct or empty these cells"
        )
    if ambiguous:
        warnings.warn(
            DataWarning(
                f"{source}: {len(ambiguous)} value(s) of {field} read with a decimal comma, not as thousands "
                f"({ambiguous[0]}); write them without grouping if thousands are meant"
            ),
            stacklevel=2,
        )
    return values


def _plain_number(token: str) -> str | None:
    """Return the token in Python's notation, or None when it is not a number."""
    token = re.sub(r"(?<=\d)[\s\u00a0\u202f'](?=\d{3}(\D|$))", "", token).replace("\u2212", "-")
    if "," in token:
        if token.rfind(",") > token.rfind("."):
            grouped, mark = ".", ","
        else:
            grouped, mark = ",", "."
        token = token.replace(grouped, "")
        token = token.replace(",", "") if token.count(",") > 1 else token.replace(mark, ".")
    elif token.count(".") > 1:
        token = token.replace(".", "")
    return token if _NUMBER.fullmatch(token) else None


def safe_cell(value: object) -> object:
    """Return a cell that no spreadsheet will run: text starting like a formula gets a leading apostrophe.

    Numbers, and text that is a plain number, stay as they are.
    """
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(value):
        return "'" + value
    return value


def safe_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of the frame whose text cells and column names passed through `safe_cell`."""
    out = frame.copy()
    for position, name in enumerate(out.columns):
        if out.dtypes.iloc[position].kind not in "biufcmM":
            out[name] = pd.Series([safe_cell(cell) for cell in out[name]], index=out.index, dtype=object)
    return out.rename(columns=lambda name: safe_cell(str(name)))


def write_csv(path: Path | str, frame: pd.DataFrame, *, decimals: dict[str, int] | int | None = None) -> Path:
    """Write a frame as UTF-8 CSV with a header, atomically, formula cells disarmed.

    Parameters
    ----------
    path : path-like
        File to write; its folder is made.
    frame : DataFrame
        The index is not written.
    decimals : int or dict of column to int, optional
        Digits after the point for numeric columns.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If the folder or the file cannot be written.
    """
    out = safe_columns(pd.DataFrame(frame) if decimals is None else frame.round(decimals))
    with atomic_path(path) as temporary:
        out.to_csv(temporary, index=False, encoding="utf-8", lineterminator="\n")
    return Path(path)


def join_limited(items: Iterable[object], limit: int = 10) -> str:
    """Join items for a message, at most `limit` of them, then the count of the rest."""
    texts = [str(item) for item in items]
    rest = f" and {len(texts) - limit} more" if len(texts) > limit else ""
    return ", ".join(texts[:limit]) + rest
