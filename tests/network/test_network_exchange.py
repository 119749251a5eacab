from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from rfplan.errors import DataWarning, InputFileError, ParameterError
from rfplan.network import (
    Network,
    SectorTemplate,
    read_atoll,
    read_network,
    read_opencellid,
    write_atoll,
    write_network,
)

SITES = pd.DataFrame(
    {
        "site_id": ["A", "B"],
        "name": ["Café", "=B"],
        "lon_deg": [105.0, 105.1],
        "lat_deg": [21.0, 21.1],
        "operator": ["V", "M"],
    }
)


def network() -> Network:
    start = Network.with_sectors(SITES, SectorTemplate(technologies="2G;4G;5G", mechanical_tilt_deg=1.5))
    return start.with_cells(pd.DataFrame({"cell_id": ["A-4G-1-c1"], "pci": [17], "channel": [1575], "load": [0.25]}))


def same(left: Network, right: Network) -> None:
    for name in ("sites", "sectors", "cells"):
        a, b = getattr(left, name), getattr(right, name)
        key = a.columns[0]
        pd.testing.assert_frame_equal(
            a.sort_values(key, ignore_index=True), b.sort_values(key, ignore_index=True)[a.columns], check_dtype=False
        )


def test_atoll_tables_round_trip(tmp_path: Path) -> None:
    original = network()
    files = write_atoll(original, tmp_path)
    assert [f.name for f in files] == ["Sites.csv", "Transmitters.csv", "Cells.csv"]
    assert files[0].read_text(encoding="utf-8").startswith("NAME,LONGITUDE,LATITUDE,ALTITUDE")
    again = read_atoll(tmp_path)
    # A name like a formula is disarmed in the file.
    assert again.sites["name"].tolist() == ["Café", "'=B"]
    same(original.with_values("sites", ["B"], name="'=B"), again)
    same(again, read_atoll(*files))


def test_foreign_atoll_tables(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("Name;Longitude;Latitude;Altitude\nHN1;105,8;21,0;12\n", encoding="utf-8")
    (tmp_path / "t.csv").write_text(
        "TX_ID;SITE_NAME;ANTENNA_NAME;HEIGHT;AZIMUT;TILT\nHN1_1;HN1;sector-1800;32;60;4\nHN1_2;HN1;sector-1800;32;180;4\n",
        encoding="utf-8",
    )
    (tmp_path / "c.csv").write_text(
        "CELL_ID;TX_ID;CARRIER;MAX_POWER;PHY_CELL_ID\nHN1_1(0);HN1_1;1575;43;11\nHN1_2(0);HN1_2;EARFCN 1575;43;12\n",
        encoding="utf-8",
    )
    got = read_atoll(tmp_path / "s.csv", tmp_path / "t.csv", tmp_path / "c.csv")
    assert got.cells["frequency_mhz"].tolist() == [1842.5, 1842.5]
    assert got.cells["pci"].tolist() == [11, 12]
    assert got.sectors["mechanical_tilt_deg"].tolist() == [4.0, 4.0]
    alone = read_atoll(tmp_path / "s.csv", tmp_path / "t.csv")
    assert len(alone.cells) == 2
    with pytest.raises(InputFileError, match="Transmitters table too"):
        read_atoll(tmp_path / "s.csv")
    with pytest.raises(InputFileError, match="lacks the column"):
        read_atoll(tmp_path / "t.csv", tmp_path / "s.csv")
    with pytest.raises(InputFileError, match="Sites and Transmitters"):
        read_atoll(tmp_path)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_flat_table_round_trip(tmp_path: Path, suffix: str) -> None:
    original = network().with_values("sites", ["B"], name="B")
    same(original, read_network(write_network(original, tmp_path / f"n{suffix}")))


def test_german_list_through_atoll(data_dir: Path, tmp_path: Path) -> None:
    original = read_network(data_dir / "sites" / "nsg_germany_lte_sectors.csv")
    write_atoll(original, tmp_path)
    same(original, read_atoll(tmp_path))


HEADER = "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal\n"
BODY = (
    "LTE,452,4,100,256001,7,105.10,21.10,1000,3,1,0,0,0\nLTE,452,4,100,256002,8,105.14,21.10,1000,1,1,0,0,0\n"
    "GSM,452,1,100,1231,,105.2,21.2,1000,9,1,0,0,0\nCDMA,452,6,1,1,,105.2,21.2,1000,9,1,0,0,0\n"
)


@pytest.mark.parametrize("head", [HEADER, ""])
def test_opencellid(tmp_path: Path, head: str) -> None:
    file = tmp_path / "cells.csv"
    file.write_text(head + BODY, encoding="utf-8")
    got = read_opencellid(file)
    assert got.sites["site_id"].tolist() == ["452-04-4G-1000", "452-01-2G-123"]
    assert got.sites["lon_deg"].iloc[0] == pytest.approx(105.11)
    assert got.sites["operator"].tolist() == ["452-04", "452-01"]
    assert got.cells["pci"].tolist() == [7, 8, -1]
    assert got.sectors["azimuth_deg"].tolist() == [0.0, 180.0, 0.0]
    assert any("estimates" in f.message for f in got.report.findings)
    assert any("1 row(s) of other radio types" in f.message for f in got.report.findings)
    with pytest.raises(InputFileError, match="min_samples"):
        read_opencellid(file, min_samples=100)


def test_opencellid_needs_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputFileError, match="not OpenCellID"):
        read_opencellid(file)


def test_cells_and_values() -> None:
    start = network()
    more = start.with_cells(pd.DataFrame({"cell_id": ["new"], "sector_id": ["A-4G-1"], "frequency_mhz": [2140.0]}))
    row = more.cells.set_index("cell_id").loc["new"]
    assert (row["technology"], row["bandwidth_mhz"], row["max_power_dbm"]) == ("4G", 20.0, 46.0)
    assert len(start.cells) + 1 == len(more.cells)
    tilted = start.with_values("sectors", ["A-4G-1"], electrical_tilt_deg=7.0)
    assert tilted.sectors.set_index("sector_id").loc["A-4G-1", "electrical_tilt_deg"] == 7.0
    assert start.sectors.set_index("sector_id").loc["A-4G-1", "electrical_tilt_deg"] == 3.0
    with pytest.raises(ParameterError, match="no such sector_id"):
        start.with_values("sectors", ["Z"], azimuth_deg=1.0)
    with pytest.raises(ParameterError, match="cannot set"):
        start.with_values("sectors", ["A-4G-1"], colour="red")
    with pytest.raises(ParameterError, match="tx_height_agl_m"):
        start.with_values("sectors", ["A-4G-1"], tx_height_agl_m=-3.0)
    assert list(start.only_operator("M").sites["site_id"]) == ["B"]
    with pytest.raises(ParameterError, match="its operators: M, V"):
        start.only_operator("Q")


def test_orphan_cells_are_reported(tmp_path: Path) -> None:
    write_atoll(network(), tmp_path)
    text = (tmp_path / "Cells.csv").read_text(encoding="utf-8").replace("A-2G-1,", "lost,")
    (tmp_path / "Cells.csv").write_text(text, encoding="utf-8")
    with pytest.warns(DataWarning, match="1 row"):
        got = read_atoll(tmp_path)
    assert any("'lost' is not in" in f.message for f in got.report.findings)
