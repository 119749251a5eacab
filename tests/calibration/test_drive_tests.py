"""Drive tests: logs, matching to cells, filters, local means."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from rfplan.calibration import CalibrationSettings, LinkFilter, Measurements, average_along_track, calibrate
from rfplan.calibration.links import make_links
from rfplan.calibration.matching import AMBIGUOUS, NOT_FOUND, match
from rfplan.calibration.measurements import read_measurements
from rfplan.calibration.transmitters import as_transmitters, place_transmitters
from rfplan.errors import DataWarning, InputFileError, ParameterError, RfplanError
from rfplan.io.nmf import read_nmf
from rfplan.terrain import Terrain

LOG = """#START,23:59:50.000,,"14.05.2024"
GPS,23:59:50.000,,105.4000,21.3000,30,0,1,9,40
CELLMEAS,23:59:52.000,,7,0,2,11,0,70003,1550,318,-44.0,-73.5,-9.7,173229,97.0,54.0,,2,70003,1550,380,-61.1,-90.3,-17.1,170556,,37.0,
CELLMEAS,23:59:53.000,,5,0,1,3,3,3032,-80.1
GPS,00:00:00.000,,105.4010,21.3000,30,0,1,9,40
CELLMEAS,00:00:00.500,,7,1,99,1,11,0,70003,1850,12,-44.0,-101.0,-9.7,,,,
CELLMEAS,00:00:09.000,,7,0,2,11,0,70003,1550
GPS,00:01:00.000,,105.4020,21.3000,30,0,1,9,40
CELLMEAS,00:00:30.000,,7,0,1,11,0,70003,1550,318,-44.0,-70.0,-9.7,,,,
"""


def test_an_event_log_is_read_with_positions_between_fixes(tmp_path: Path) -> None:
    path = tmp_path / "drive.nmf"
    path.write_text(LOG)
    with pytest.warns(DataWarning) as caught:
        table = read_nmf(path)
    assert sorted(str(w.message).split(": ")[1][:9] for w in caught) == ["1 damaged", "1 levels "]
    assert table["pci"].tolist() == ["318", "380", "12"]
    assert table["earfcn"].tolist() == ["1550", "1550", "1850"]
    assert table["rsrp"].tolist() == [-73.5, -90.3, -101.0]
    assert table["serving"].tolist() == [True, False, True]
    assert table["lon"].tolist() == pytest.approx([105.4002, 105.4002, 105.4010 + 0.0010 / 120])
    assert table["time"].tolist() == ["2024-05-14T23:59:52", "2024-05-14T23:59:52", "2024-05-15T00:00:00.500000"]
    with pytest.warns(DataWarning):
        got = read_measurements(path)
    assert got.level_kind == "reference"
    assert got.table["arfcn"].tolist() == ["1550", "1550", "1850"]
    path.write_text("GPS,10:00:00.000,,105.4,21.3\n")
    with pytest.raises(InputFileError, match="no LTE measurement"):
        read_nmf(path)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(alphabet="GPSCELMA#TR,0123456789.:-e+nN\x00é", max_size=80),
            st.sampled_from(LOG.splitlines()),
            st.builds(
                lambda counts: f"CELLMEAS,10:00:01.0,,7,{','.join(counts)},0,70003,1550,318,-44.0,-73.5,-9.7",
                st.lists(st.text(alphabet="0123456789-.²", max_size=12), max_size=4),
            ),
        ),
        max_size=12,
    )
)
def test_hostile_logs_end_in_a_table_or_a_stated_error(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("nmf") / "x.nmf"
    path.write_text("\n".join(lines), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            table = read_nmf(path)
        except RfplanError:
            return
    assert np.isfinite(table[["lon", "lat", "rsrp"]].to_numpy()).all()


def grid(*rows: tuple[str, ...], names: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=names)


CELLS = as_transmitters(
    grid(
        ("s1", "1001", "7", "1550", "105.40", "21.30"),
        ("s2", "1002", "7", "1850", "105.40", "21.30"),
        ("s3", "1003", "7", "1550", "105.60", "21.30"),
        ("s4", "1004", "8", "1550", "105.50", "21.35"),
        names=("site_id", "cell_id", "pci", "earfcn", "longitude", "latitude"),
    )
).assign(x_m=[0.0, 0.0, 20_000.0, 10_000.0], y_m=[0.0, 0.0, 0.0, 5_000.0])


def matched(x: list[float], **columns: list[str]) -> list[int]:
    n = len(x)
    table = Measurements(pd.DataFrame({"lon": [105.4] * n, "lat": [21.3] * n, "rsrp": [-90.0] * n, **columns})).table
    return match(table, CELLS, np.array(x), np.zeros(n))[0].tolist()


def test_cells_are_matched_by_id_then_by_pci_and_channel() -> None:
    assert matched([0.0, 0.0], cell_id=["1004", "9"]) == [3, NOT_FOUND]
    assert matched([900.0, 900.0, 19_000.0], pci=["7", "7", "7"], earfcn=["1550", "1850", "1550"]) == [0, 1, 2]
    # a row without a cell id falls back on PCI and channel
    assert matched([900.0, 900.0], cell_id=["", "1004"], pci=["7", "7"], earfcn=["1550", "1550"]) == [0, 3]


def test_a_reused_pci_belongs_to_the_nearest_where_that_is_clear() -> None:
    assert matched([900.0, 9_500.0, 10_500.0, 16_000.0], pci=["7"] * 4, earfcn=["1550"] * 4) == [
        0,
        AMBIGUOUS,
        AMBIGUOUS,
        2,
    ]
    # two carriers at one place are no ambiguity
    assert matched([900.0], pci=["7"])[0] in (0, 1)


def test_capital_letters_do_not_matter_and_strangers_are_named(flat: Terrain) -> None:
    lon, lat = flat.lonlat(503_000.0, 2_346_000.0)
    here = flat.lonlat(504_000.0, 2_346_000.0)
    table = pd.DataFrame({"lat": [float(lat)], "lon": [float(lon)], "rssi": [-90.0], "gateway": ["EUI-00AB"]})
    gateways = pd.DataFrame(
        {"gateway_id": ["eui-00ab"], "lat": [float(here[1])], "lon": [float(here[0])], "height": 30.0}
    )
    placed = place_transmitters(as_transmitters(gateways), flat, 10.0)
    assert len(make_links(Measurements(table), placed, flat, LinkFilter(), None)) == 1
    strange = place_transmitters(as_transmitters(gateways.assign(gateway_id="other")), flat, 10.0)
    with pytest.raises(
        ParameterError, match=r"no site_id of the measurements \('eui-00ab'\) is a transmitter's \('other'\)"
    ):
        make_links(Measurements(table), strange, flat, LinkFilter(), None)
    with pytest.raises(ParameterError, match="no row with a position"):
        calibrate(table.iloc[:0], gateways, flat)


def test_whole_numbers_that_pandas_read_as_floats_still_match() -> None:
    assert matched([900.0, 900.0], pci=[7.0, np.nan], earfcn=[1550.0, 1550.0]) == [0, NOT_FOUND]


@pytest.fixture(scope="module")
def flat() -> Terrain:
    return Terrain.from_arrays(
        np.full((80, 80), 20.0), x0_m=500_000.0, y0_m=2_350_000.0, resolution_m=100.0, crs="EPSG:32648"
    )


def test_filters_by_angle_and_antenna_pattern(flat: Terrain) -> None:
    """One sector that looks east: what lies behind it is filtered, what lies aside is predicted weaker."""
    x, y = 504_000.0 + np.array([2000.0, 0.0, -2000.0, 1000.0]), 2_346_000.0 + np.array([0.0, 2000.0, 0.0, 1000.0])
    lon, lat = flat.lonlat(x, y)
    table = Measurements(pd.DataFrame({"lon": lon, "lat": lat, "rsrp": -90.0, "site": "a"}))
    here = flat.lonlat(504_000.0, 2_346_000.0)
    sector = pd.DataFrame(
        {"site_id": ["a"], "lon": [float(here[0])], "lat": [float(here[1])], "azimuth": [90.0], "beamwidth": [65.0]}
    )
    placed = place_transmitters(as_transmitters(sector), flat, 40.0)
    all_round = make_links(table, placed, flat, LinkFilter(), None)
    by_x = dict(zip(np.round(all_round.xy(flat)[0], -3), all_round.antenna_db, strict=True))
    assert by_x[506_000.0] == pytest.approx(0.0, abs=0.1)
    assert by_x[502_000.0] == -25.0
    ahead = make_links(table, placed, flat, LinkFilter(max_off_axis_deg=60.0), None)
    assert len(ahead) == 2
    assert any("2 measurements lie more than 60° off the main lobe" in note for note in ahead.notes)
    near = make_links(table, placed, flat, LinkFilter(max_distance_m=1500.0), None)
    assert len(near) == 1
    with pytest.raises(ParameterError, match="level outside the filter"):
        make_links(table, placed, flat, LinkFilter(min_level_dbm=-80.0), None)


def naive_local_means(x_m: np.ndarray, level: np.ndarray, stretch_m: float) -> list[float]:
    stretch = np.floor(np.abs(x_m - x_m[0]) / stretch_m)
    return [10 * np.log10(np.mean(10 ** (level[stretch == k] / 10))) for k in sorted(set(stretch))]


def test_forty_wavelengths_take_the_fast_fading_out() -> None:
    rng = np.random.default_rng(0)
    n, step_m = 4000, 0.4
    x = np.arange(n) * step_m
    rayleigh = 10 * np.log10(rng.exponential(1.0, n))
    level = -80.0 + rayleigh
    table = pd.DataFrame({"lon": 105.0 + x / 111_195.0, "lat": 0.0, "rsrp": level, "site": "a"})
    mean = average_along_track(Measurements(table), 900.0)
    stretch_m = 40 * 299_792_458 / 900e6
    got = mean.table["level_dbm"].to_numpy()
    np.testing.assert_allclose(got, naive_local_means(x, level, stretch_m), atol=1e-6)
    assert np.std(got) < 1.2 < np.std(level)
    assert "local means" in mean.notes[-1]


def test_local_means_keep_cells_devices_and_silence_apart() -> None:
    table = pd.DataFrame(
        {
            "lon": 105.0,
            "lat": 21.0,
            "rsrp": [-80.0, -90.0, np.nan, -70.0, -60.0],
            "site": ["a", "b", "a", "a", "a"],
            "device": ["d", "d", "d", "e", "e"],
            "time": ["3", "1", "2", "1", "2"],
        }
    )
    mean = average_along_track(Measurements(table), 900.0).table
    heard = mean.dropna(subset=["level_dbm"]).set_index(["device_id", "site_id"])["level_dbm"].to_dict()
    assert heard[("d", "a")] == pytest.approx(-80.0)
    assert heard[("d", "b")] == pytest.approx(-90.0)
    assert heard[("e", "a")] == pytest.approx(10 * np.log10((1e-7 + 1e-6) / 2))
    assert mean["level_dbm"].isna().sum() == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "gateway_id": st.one_of(st.none(), st.text(max_size=4), st.floats()),
                "latitude": st.one_of(st.none(), st.floats(), st.just(21.18), st.text(max_size=3)),
                "longitude": st.one_of(st.none(), st.floats(), st.just(105.03)),
                "altitude": st.one_of(st.none(), st.floats(), st.text(max_size=3)),
                "azimuth": st.one_of(st.none(), st.floats()),
                "frequency": st.one_of(st.none(), st.floats()),
            }
        ),
        max_size=6,
    )
)
def test_hostile_tables_of_transmitters_end_in_a_stated_error(flat: Terrain, rows: list[dict[str, object]]) -> None:
    measurements = pd.DataFrame(
        {"lat": [21.18, 21.2], "lon": [105.03, 105.04], "rssi": [-90.0, -100.0], "gateway": "a"}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            calibrate(measurements, pd.DataFrame(rows), flat, settings=CalibrationSettings(frequency_mhz=868.0))
        except RfplanError:
            return
