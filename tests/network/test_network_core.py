from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rfplan.errors import ParameterError
from rfplan.network import Network, SectorTemplate
from rfplan.network.channels import carrier_mhz, earfcn_of, lte_frequencies_mhz, nr_arfcn_of, nr_frequency_mhz

SITES = pd.DataFrame({"site_id": ["A", "B"], "lon_deg": [105.0, 105.1], "lat_deg": [21.0, 21.1]})


def test_with_sectors_and_row_values_win() -> None:
    network = Network.with_sectors(
        SITES.assign(tx_height_agl_m=[np.nan, 42.0]), SectorTemplate(tx_height_agl_m=25.0, max_power_dbm=40.0)
    )
    assert len(network.cells) == 6
    assert network.sectors.groupby("site_id")["tx_height_agl_m"].first().to_dict() == {"A": 25.0, "B": 42.0}
    assert set(network.cells["max_power_dbm"]) == {40.0}
    assert list(network.site_of_cell()) == [0, 0, 0, 1, 1, 1]
    assert len(Network.with_sectors(SITES.iloc[:0])) == 0


def test_concat_keeps_earlier_cell_numbers_and_refuses_shared_ids() -> None:
    one = Network.with_sectors(SITES.iloc[:1])
    two = Network.with_sectors(SITES.iloc[1:])
    both = Network.concat([one, Network.empty(), two])
    assert list(both.cells["cell_id"][:3]) == list(one.cells["cell_id"])
    with pytest.raises(ParameterError, match="unique"):
        Network.concat([one, one])
    assert len(Network.concat([])) == 0


def test_edits_return_new_networks() -> None:
    network = Network.with_sectors(SITES)
    assert list(network.without_site("A").sites["site_id"]) == ["B"]
    assert len(network.sites) == 2
    with pytest.raises(ParameterError, match="no such site: Z"):
        network.without_site("Z")
    up = network.with_technology("LTE", site_ids=["A"])
    assert up is network
    up = network.with_technology("5G", site_ids=["B"])
    assert list(up.sites["technologies"]) == ["4G", "4G;5G"]
    assert len(up.cells) == 9
    assert list(up.only_technology("5G").sites["site_id"]) == ["B"]
    assert list(network.sites["technologies"]) == ["4G", "4G"]


def test_tables_are_checked() -> None:
    network = Network.with_sectors(SITES)
    with pytest.raises(ParameterError, match="lat_deg"):
        Network(network.sites.assign(lat_deg=99.0), network.sectors, network.cells)
    with pytest.raises(ParameterError, match="not in the table above"):
        Network(network.sites.iloc[:1], network.sectors, network.cells)
    with pytest.raises(ParameterError, match="max_power_dbm"):
        Network(network.sites, network.sectors, network.cells.assign(max_power_dbm=np.nan))
    with pytest.raises(ParameterError, match="technology"):
        Network(network.sites, network.sectors, network.cells.assign(technology="6G"))


def test_channel_numbers_both_ways() -> None:
    assert lte_frequencies_mhz(1575) == (1842.5, 1747.5)
    assert earfcn_of(1842.5, 3) == 1575
    assert lte_frequencies_mhz(6200) == (796.0, 837.0)
    assert nr_frequency_mhz(510_000) == pytest.approx(2550.0)
    assert nr_arfcn_of(2550.0) == 510_000
    assert nr_frequency_mhz(653_334) == pytest.approx(3800.01)
    assert nr_arfcn_of(3800.01) == 653_334
    assert carrier_mhz("2G", 62) == (947.4, 902.4)
    assert carrier_mhz("3G", 10_662) == (2132.4, 1942.4)
    assert carrier_mhz("5G", 428_000) == (2140.0, 1950.0)
    for bad in (("4G", 70_000), ("2G", 300), ("3G", 5), ("5G", 4_000_000)):
        with pytest.raises(ParameterError):
            carrier_mhz(*bad)
    with pytest.raises(ParameterError, match="outside LTE band 3"):
        earfcn_of(2100.0, 3)
