from __future__ import annotations

from pathlib import Path

import pytest

from rfplan.errors import DataWarning, InputFileError
from rfplan.network import read_network


def csv(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_positions_alone_get_stated_defaults(tmp_path: Path) -> None:
    network = read_network(csv(tmp_path / "s.csv", "lon,lat\n105.1,21.1\n105.2,21.2\n"))
    assert (len(network.sites), len(network.sectors), len(network.cells)) == (2, 6, 6)
    assert list(network.sectors["azimuth_deg"][:3]) == [0.0, 120.0, 240.0]
    cell = network.cells.iloc[0]
    assert (cell["technology"], cell["frequency_mhz"], cell["bandwidth_mhz"], cell["max_power_dbm"]) == (
        "4G",
        1842.5,
        20.0,
        46.0,
    )
    assert network.report.defaults["azimuth_deg"] == 6
    assert network.report.defaults["tx_height_agl_m"] == 6
    assert network.report.ok


def test_bom_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    text = "\ufeffsite_id;lon;lat;height;technologies\nA;105,1;21,1;42,5;2G,4G\n"
    network = read_network(csv(tmp_path / "s.csv", text))
    assert network.sites["lon_deg"].iloc[0] == 105.1
    assert set(network.sectors["tx_height_agl_m"]) == {42.5}
    assert sorted(set(network.cells["technology"])) == ["2G", "4G"]
    assert network.sites["technologies"].iloc[0] == "2G;4G"


def test_a_row_a_sector_and_a_row_a_cell(tmp_path: Path) -> None:
    text = "site,sector,cell,lon,lat,azimuth,freq,power\n" + "".join(
        f"A,A{k},A{k}-{b},105,21,{k * 120},{f},43\n" for k in range(3) for b, f in ((1, 1842.5), (2, 947.4))
    )
    network = read_network(csv(tmp_path / "s.csv", text))
    assert (len(network.sites), len(network.sectors), len(network.cells)) == (1, 3, 6)
    assert list(network.cells["sector_id"]) == ["A0", "A0", "A1", "A1", "A2", "A2"]
    assert set(network.cells["max_power_dbm"]) == {43.0}


def test_sector_rows_without_azimuth_are_spread_round_the_site(tmp_path: Path) -> None:
    network = read_network(csv(tmp_path / "s.csv", "site,sector,lon,lat\nA,A1,105,21\nA,A2,105,21\n"))
    assert list(network.sectors["azimuth_deg"]) == [0.0, 180.0]
    assert network.report.defaults["azimuth_deg"] == 2


def test_problems_are_reported_row_by_row(tmp_path: Path) -> None:
    text = (
        "site_id,lon,lat,height,azimuth,tech\n"
        "A,105.1,21.1,,,\nB,21.2,105.3,45,,\nC,105.3,21.3,900,,\nA,105.4,21.4,,,\nD,105.1,21.1,x,,5G\n"
        "E,,21.0,,,\nF,105.5,21.5,,777,6G\nG,500,21,,,\n"
    )
    with pytest.warns(DataWarning, match=r"left out.*see network.report"):
        network = read_network(csv(tmp_path / "s.csv", text))
    found = {(f.row, f.field, f.severity) for f in network.report.findings}
    assert {
        (3, "position", "warning"),
        (4, "tx_height_agl_m", "warning"),
        (5, "site_id", "error"),
        (6, "position", "info"),
        (6, "tx_height_agl_m", "warning"),
        (7, "position", "error"),
        (8, "azimuth_deg", "warning"),
        (8, "technology", "warning"),
        (9, "position", "error"),
    } <= found
    assert list(network.sites["site_id"]) == ["A", "B", "C", "D", "F"]
    assert network.sites["lon_deg"].iloc[1] == 105.3
    assert "row 5" in str(network.report)
    assert len(network.report.table) == len(network.report.findings)


def test_all_swapped_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="swapped in 2 of 2 rows"):
        read_network(csv(tmp_path / "s.csv", "lon,lat\n21.1,105.1\n21.2,105.2\n"))


def test_missing_columns_and_no_rows(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no column for lon_deg"):
        read_network(csv(tmp_path / "s.csv", "east,lat\n105,21\n"))
    with pytest.raises(InputFileError, match="no data row"):
        read_network(csv(tmp_path / "z.csv", "lon,lat\n"))
    with pytest.raises(InputFileError, match="no site is left"):
        read_network(csv(tmp_path / "y.csv", "lon,lat\n0,0\n"))


def test_column_map(tmp_path: Path) -> None:
    file = csv(tmp_path / "s.csv", "Ma,Este,Norte\nA,105,21\n")
    network = read_network(file, {"Ma": "site_id", "Este": "lon_deg", "Norte": "lat_deg"})
    assert list(network.sites["site_id"]) == ["A"]
    with pytest.raises(InputFileError, match="does not know"):
        read_network(file, {"Ma": "station_name"})
    with pytest.raises(InputFileError, match="lacks the column"):
        read_network(file, {"Nothing": "site_id"})


def test_two_columns_for_one_field_are_a_question(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="both look like tx_height_agl_m"):
        read_network(csv(tmp_path / "s.csv", "lon,lat,height,hba\n105,21,30,31\n"))


def test_non_utf8_text(tmp_path: Path) -> None:
    file = csv(tmp_path / "s.csv", "site_id,name,lon,lat\nA,Café,105,21\n", "cp1252")
    with pytest.warns(DataWarning, match="not UTF-8"):
        network = read_network(file)
    assert network.sites["name"].iloc[0] == "Café"


def test_three_tables(tmp_path: Path) -> None:
    sites = csv(tmp_path / "sites.csv", "site_id,lon,lat\nA,105,21\nB,105.1,21\n")
    sectors = csv(tmp_path / "sectors.csv", "sector_id,site_id,azimuth,height\nA1,A,10,25\nA2,A,190,25\nX1,X,0,20\n")
    cells = csv(tmp_path / "cells.csv", "cell_id,sector_id,earfcn,pci\nc1,A1,1575,7\n")
    with pytest.warns(DataWarning, match="1 row"):
        network = read_network(sites, sectors=sectors, cells=cells)
    assert list(network.sectors["sector_id"]) == ["A1", "A2", "B-4G-1", "B-4G-2", "B-4G-3"]
    assert list(network.sectors["tx_height_agl_m"])[:2] == [25.0, 25.0]
    assert network.cells.set_index("cell_id").loc["c1", ["frequency_mhz", "uplink_frequency_mhz", "pci"]].tolist() == [
        1842.5,
        1747.5,
        7,
    ]
    assert any(f.field == "site_id" and "X" in f.message for f in network.report.findings)


def test_german_sector_list(data_dir: Path) -> None:
    network = read_network(data_dir / "sites" / "nsg_germany_lte_sectors.csv")
    assert (len(network.sites), len(network.sectors), len(network.cells)) == (7, 37, 37)
    assert set(network.cells["technology"]) == {"4G"}
    by_channel = network.cells.groupby("channel")[["frequency_mhz", "uplink_frequency_mhz"]].first()
    assert by_channel.loc[6300].tolist() == [806.0, 847.0]
    assert by_channel.loc[125].tolist() == [2122.5, 1932.5]
    assert by_channel.loc[1600].tolist() == [1845.0, 1750.0]
    assert any("stands where" in f.message for f in network.report.findings)


def test_excel(tmp_path: Path) -> None:
    import pandas as pd

    file = tmp_path / "s.xlsx"
    pd.DataFrame({"Site": ["A"], "Longitude": [105.5], "Latitude": [21.25], "Azimuth": [90]}).to_excel(
        file, index=False
    )
    network = read_network(file)
    assert network.sites["lat_deg"].iloc[0] == 21.25
    assert list(network.sectors["azimuth_deg"]) == [90.0]
    (tmp_path / "b.xlsx").write_bytes(b"not a workbook")
    with pytest.raises(InputFileError, match="Excel"):
        read_network(tmp_path / "b.xlsx")


def test_ids_that_start_anew_at_every_site_stay_apart(tmp_path: Path) -> None:
    text = "site,lon,lat,sector,azimuth\nA,105,21,1,0\nA,105,21,2,120\nB,105.2,21,1,30\nB,105.2,21,2,150\n"
    network = read_network(csv(tmp_path / "s.csv", text))
    assert list(network.sectors["sector_id"]) == ["A-1", "A-2", "B-1", "B-2"]
    assert list(network.sectors["azimuth_deg"]) == [0.0, 120.0, 30.0, 150.0]
    cells = read_network(csv(tmp_path / "c.csv", text.replace("sector,", "cell,")))
    assert len(cells.cells) == 4
    assert cells.report.ok
    assert cells.cells["cell_id"].is_unique


def test_a_cell_listed_twice_is_left_out(tmp_path: Path) -> None:
    text = "site,lon,lat,cell,azimuth,pci\nA,105,21,c1,0,4\nA,105,21,c2,120,5\nA,105,21,c1,0,6\n"
    with pytest.warns(DataWarning, match="1 row"):
        network = read_network(csv(tmp_path / "s.csv", text))
    assert list(network.cells["pci"]) == [4, 5]
    assert "repeats row 2" in network.report.findings[0].message


def test_rows_with_a_pci_are_cells(tmp_path: Path) -> None:
    network = read_network(csv(tmp_path / "s.csv", "site,lon,lat,pci\nA,105,21,4\nA,105,21,5\nA,105,21,6\n"))
    assert list(network.sectors["azimuth_deg"]) == [0.0, 120.0, 240.0]
    assert list(network.cells["pci"]) == [4, 5, 6]


def test_a_bandwidth_that_lte_does_not_have(tmp_path: Path) -> None:
    with pytest.warns(DataWarning, match="7 MHz is not a 4G bandwidth"):
        network = read_network(
            csv(tmp_path / "s.csv", "site,lon,lat,azimuth,bandwidth\nA,105,21,0,7\nA,105,21,90,10\n")
        )
    assert list(network.cells["bandwidth_mhz"]) == [20.0, 10.0]


def test_three_tables_with_ids_that_start_anew(tmp_path: Path) -> None:
    sites = csv(tmp_path / "sites.csv", "site_id,lon,lat\nA,105,21\nB,105.1,21\n")
    sectors = csv(tmp_path / "sectors.csv", "sector_id,site_id,azimuth\n1,A,10\n2,A,190\n1,B,20\n")
    cells = csv(tmp_path / "cells.csv", "site_id,sector_id,cell_id,pci\nA,1,x,7\nA,2,y,8\nB,1,z,9\n")
    network = read_network(sites, sectors=sectors, cells=cells)
    assert list(network.sectors["azimuth_deg"]) == [10.0, 190.0, 20.0]
    assert list(network.cells["pci"]) == [7, 8, 9]
