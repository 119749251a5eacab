"""Excel workbooks in and out."""

from __future__ import annotations

import datetime
import io
import os
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rfplan.errors import InputFileError, OutputError
from rfplan.io.archives import checked_members
from rfplan.io.atomic import write_bytes
from rfplan.io.tables import safe_columns

_EPOCH = (1980, 1, 1, 0, 0, 0)
MAX_CELLS = 20_000_000
"""Most cells that are read from a sheet."""


def write_xlsx(path: str | os.PathLike[str], sheets: Mapping[str, pd.DataFrame]) -> Path:
    """Write a workbook: a sheet a table, header bold and frozen, numbers as numbers, text never as a formula.

    The same tables give the same bytes.

    Parameters
    ----------
    path : path-like
    sheets : mapping of str to DataFrame
        Sheet name (31 letters at most) → table.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If there is no sheet, a name is not allowed, a table is too long, or the file cannot be written.
    """
    import openpyxl
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    if not sheets:
        raise OutputError(f"cannot write {path}: no sheet was given")
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, table in sheets.items():
        if not name or len(name) > 31 or set(name) & set(r"[]:*?/\\"):
            raise OutputError(f"cannot write {path}: {name!r} is no sheet name (31 letters at most, none of []:*?/\\)")
        if len(table) > 1_048_575 or table.shape[1] > 16_384:
            raise OutputError(f"cannot write {path}: sheet {name!r} is larger than Excel allows; write CSV")
        sheet = workbook.create_sheet(name)
        safe = safe_columns(table)
        sheet.append([str(column) for column in safe.columns])
        for row in safe.itertuples(index=False, name=None):
            sheet.append([_cell(value) for value in row])
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        sheet.freeze_panes = "A2"
        sheet.auto_filter.ref = sheet.dimensions
        for number, column in enumerate(safe.columns, start=1):
            texts = [len(str(column)), *(len(_shown(v)) for v in safe.iloc[:200, number - 1])]
            sheet.column_dimensions[get_column_letter(number)].width = min(50, max(texts) + 2)
            if safe.dtypes.iloc[number - 1].kind == "f":
                for (cell,) in sheet.iter_rows(min_row=2, min_col=number, max_col=number):
                    cell.number_format = "#,##0.00"
    workbook.properties.created = workbook.properties.modified = datetime.datetime(2000, 1, 1)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return write_bytes(path, _same_times(buffer.getvalue()))


def _shown(value: Any) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def _cell(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, str):
        return "".join(c for c in value if c in "\t\n" or ord(c) >= 32)[:32_767]
    return value if isinstance(value, bool | int | float) else str(value)


def _same_times(content: bytes) -> bytes:
    """Repack a workbook with fixed times, so that equal tables give equal files."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist()):
            body = source.read(name)
            if name == "docProps/core.xml":
                # openpyxl stamps the time of saving whatever the properties say
                start, end = body.index(b"<dcterms:modified"), body.index(b"</dcterms:modified>")
                head = body.index(b">", start) + 1
                body = body[:head] + b"2000-01-01T00:00:00Z" + body[end:]
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, body)
    return out.getvalue()


def read_sheet_rows(path: str | os.PathLike[str], sheet: str | None = None) -> list[tuple[int, list[str]]]:
    """Read the rows of a sheet as text, with their numbers as Excel shows them; blank rows are left out.

    Parameters
    ----------
    path : path-like
        ``.xlsx`` or ``.xlsm``; formulas give their stored values, macros are not read.
    sheet : str, optional
        Default the first.

    Raises
    ------
    InputFileError
        If the file is damaged, unsafe to unpack, too large, or has no such sheet.
    """
    import openpyxl

    file = Path(path)
    if not file.is_file():
        raise InputFileError(f"{file} does not exist or is not a regular file")
    try:
        with zipfile.ZipFile(file) as archive:
            checked_members(archive, file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except InputFileError:
        raise
    except Exception as error:  # openpyxl lets KeyError, ValueError and XML errors through
        raise InputFileError(f"{file} is not a readable .xlsx workbook: {error}") from error
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise InputFileError(f"{file} has no sheet {sheet!r}; it has {', '.join(book.sheetnames)}")
        page = book[sheet] if sheet else book[book.sheetnames[0]]
        rows: list[tuple[int, list[str]]] = []
        cells = 0
        for number, values in enumerate(page.iter_rows(values_only=True), start=1):
            cells += len(values)
            if cells > MAX_CELLS:
                raise InputFileError(f"{file}: sheet {page.title!r} has over {MAX_CELLS:,} cells; export it as CSV")
            texts = [_as_text(value) for value in values]
            if any(texts):
                rows.append((number, texts))
    except InputFileError:
        raise
    except Exception as error:  # damage inside a sheet shows only when its rows are read
        raise InputFileError(f"{file} is not a readable .xlsx workbook: {error}") from error
    finally:
        book.close()
    return rows


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value).strip()
