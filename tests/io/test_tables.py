from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rfplan.errors import DataWarning, InputFileError, OutputError
from rfplan.io.atomic import atomic_path, make_folder
from rfplan.io.tables import read_table, row_number, safe_cell, to_float, write_csv


def save(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_delimiters_and_bom_are_told_apart(tmp_path: Path, delimiter: str, bom: bytes) -> None:
    text = f"site_id{delimiter}lon\nA{delimiter}105.5\n".encode()
    table = read_table(save(tmp_path, bom + text), required=("site_id", "lon"))
    assert list(table.columns) == ["site_id", "lon"]
    assert table.loc[0].tolist() == ["A", "105.5"]
    assert table.attrs["first_row"] == 2


def test_utf16_from_a_spreadsheet(tmp_path: Path) -> None:
    table = read_table(save(tmp_path, "name\tlon\nViệt Trì\t105,4\n".encode("utf-16")))
    assert table.loc[0, "name"] == "Việt Trì"


def test_not_utf8_warns_and_keeps_the_text(tmp_path: Path) -> None:
    with pytest.warns(DataWarning, match="cp1252"):
        table = read_table(save(tmp_path, "name,lon\nCafé,1\n".encode("cp1252")))
    assert table.loc[0, "name"] == "Café"
    raw = b"name,lon\nTha\xccnh,1\n"
    with pytest.warns(DataWarning, match="cp1258"):
        table = read_table(save(tmp_path, raw))
    assert table.loc[0, "name"] == raw.decode("cp1258").splitlines()[1].split(",")[0]


def test_numbers_in_every_notation(tmp_path: Path) -> None:
    cells = ["1,5", "1.234,5", "1,234.5", "1 234,5", "1.234.567", "-0.25", "", "N/A", "2e3", "\u22123"]
    table = read_table(save(tmp_path, "v;w\n" + "".join(f"{c};x\n" for c in cells)))
    expected = [1.5, 1234.5, 1234.5, 1234.5, 1234567, -0.25, np.nan, np.nan, 2000, -3]
    np.testing.assert_array_equal(to_float(table["v"], "v"), expected)


def test_bad_number_names_the_file_row(tmp_path: Path) -> None:
    table = read_table(save(tmp_path, 'a,b\n"two\nlines",1\n\n\nx,abc\ny,inf\n'))
    assert [row_number(table, i) for i in range(3)] == [2, 6, 7]
    with pytest.raises(InputFileError, match=r"b must be a number; row 6: 'abc'; row 7: 'inf'"):
        to_float(table["b"], "b")


def test_grouped_thousands_in_a_comma_file_are_questioned(tmp_path: Path) -> None:
    table = read_table(save(tmp_path, 'a,b\nx,"78,605"\n'))
    with pytest.warns(DataWarning, match="decimal comma"):
        assert to_float(table["b"], "b")[0] == 78.605


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "no text"),
        (b"a,b\n", "no data row"),
        (b"a,a\n1,2\n", "more than once"),
        (b"a,,c\n1,2,3\n", "column 2"),
        (b"a,b\n1,2\n3,4,5\n", "row 3: 3 fields"),
        (b"a\0b,c\n1,2\n", "binary"),
        (b"\xff\xfea", "damaged"),
        (b"id,b\n1,2\n", r"lacks the column\(s\) a"),
    ],
)
def test_unusable_tables_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputFileError, match=message):
        read_table(save(tmp_path, content), required=("a",))


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="does not exist"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputFileError, match="not a regular file"):
        read_table(tmp_path)


def test_column_map_renames_and_must_match(tmp_path: Path) -> None:
    path = save(tmp_path, "LONGITUDE,LATITUDE\n105,21\n")
    assert list(read_table(path, column_map={"LONGITUDE": "lon_deg"}).columns) == ["lon_deg", "LATITUDE"]
    with pytest.raises(InputFileError, match="named in the column map"):
        read_table(path, column_map={"LON": "lon_deg"})


def test_formula_cells_are_disarmed_and_numbers_are_not(tmp_path: Path) -> None:
    frame = pd.DataFrame({"name": ["=1+1", "@x", "+84 9", "-110", "ok"], "v": [-1.0, 2, 3, 4, 5]})
    lines = write_csv(tmp_path / "o.csv", frame).read_text().splitlines()
    assert lines[1:] == ["'=1+1,-1.0", "'@x,2.0", "'+84 9,3.0", "-110,4.0", "ok,5.0"]
    assert safe_cell(-5) == -5


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "o.txt"
    target.write_text("old")

    def fail_half_way() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert target.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o.txt"]


def test_output_folder_that_cannot_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    with pytest.raises(OutputError, match="cannot write into the output folder"):
        write_csv(blocked / "o.csv", pd.DataFrame({"a": [1]}))
    assert make_folder(tmp_path / "a" / "b").is_dir()
    if os.geteuid() != 0:
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o500)
        with pytest.raises(OutputError):
            make_folder(locked)
