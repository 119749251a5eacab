"""P.1546 with synthetic curves that are linear in the logarithms, so that every interpolation is known exactly.

ITU's own curves are not redistributable. With them the steps agree with the implementation that ITU-R WP 3K approved
(see docs/models/p1546.md).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.special import ndtri

from rfplan.errors import InputFileError, ParameterError, ValidityWarning
from rfplan.io.p1546_tables import HEIGHTS_M, P1546Curves, read_p1546_curves
from rfplan.profile import PathProfile, Paths
from rfplan.propagation.p1546 import P1546, P1546Link, p1546_field_dbuv_m, p1546_loss_db
from rfplan.propagation.p1546_curves import fresnel_clear_km, knife_edge_db
from rfplan.propagation.p1546_terrain import terrain_of_paths

DISTANCES = np.concatenate([np.arange(1, 20), np.arange(20, 100, 5), np.arange(100, 200, 10), np.arange(200, 1001, 25)])
TIME_GAIN = (0.0, 6.0, 12.0)  # 50, 10, 1 %
ZONE_GAIN = (0.0, 10.0, 14.0)  # land, cold and warm sea


def synthetic(d: object, h: object, f: object, time: int = 0, zone: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    """A plane in lg d, lg h, lg f: synthetic, with plausible slopes."""
    d, h, f = (np.asarray(v, dtype=np.float64) for v in (d, h, f))
    field = 85.0 - 40.0 * np.log10(d) + 20.0 * np.log10(h / 10.0) - 5.0 * np.log10(f / 100.0)
    return np.asarray(field + TIME_GAIN[time] + (ZONE_GAIN[zone] if (time or not zone) else ZONE_GAIN[1]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 synthetic figures as text files in the Recommendation's order."""
    root = tmp_path_factory.mktemp("synthetic_p1546")
    number = 0
    for f in (100.0, 600.0, 2000.0):
        for zone, time in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 1), (2, 2)):
            number += 1
            rows = ["km," + ",".join(f"{h:g}" for h in HEIGHTS_M) + ",max"]
            rows += [
                ",".join([str(d), *(repr(float(v)) for v in synthetic(d, HEIGHTS_M, f, time, zone)), "0"])
                for d in DISTANCES
            ]
            (root / f"figure_{number:02d}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def curves(folder: Path) -> P1546Curves:
    return read_p1546_curves(folder)


def link(d_km: float, f: float, h1: float, **more: object) -> P1546Link:
    """A receiver at 10 m in the country: its height correction is 0."""
    return P1546Link(d_km * 1e3, f, h1, 10.0, **more)  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(st.floats(20, 1000), st.floats(30, 1999), st.floats(10, 300))
def test_interpolation_in_distance_height_and_frequency(d: float, f: float, h: float) -> None:
    field = p1546_field_dbuv_m(link(d, f, h), SYNTHETIC)
    assert field == pytest.approx(float(synthetic(d, h, f)), abs=1e-9)


SYNTHETIC = P1546Curves(
    np.array(
        [
            [[synthetic(DISTANCES[:, None], HEIGHTS_M, f, time, zone) for f in (100, 600, 2000)] for time in range(3)]
            for zone in range(3)
        ]
    ),
    DISTANCES.astype(np.float64),
    "synthetic",
)


def test_folder_and_workbook_hold_the_same(folder: Path, curves: P1546Curves, tmp_path: Path) -> None:
    np.testing.assert_allclose(curves.field_dbuv_m, SYNTHETIC.field_dbuv_m, rtol=1e-12)
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for path in sorted(folder.iterdir()):
        sheet = book.create_sheet(f"Figure {int(path.stem[-2:])}")
        sheet.append([None, "synthetic curves"])
        for line in path.read_text(encoding="utf-8").splitlines():
            sheet.append([None, *(float(v) if v[0] in "-0123456789" else v for v in line.split(","))])
    book.save(tmp_path / "synthetic.xlsx")
    np.testing.assert_allclose(read_p1546_curves(tmp_path / "synthetic.xlsx").field_dbuv_m, curves.field_dbuv_m)


def test_time_is_interpolated_by_quantiles() -> None:
    for wanted, low, high, times in ((5.0, 1.0, 10.0, (2, 1)), (23.0, 10.0, 50.0, (1, 0))):
        share = (ndtri(wanted / 100) - ndtri(low / 100)) / (ndtri(high / 100) - ndtri(low / 100))
        e_low, e_high = (float(synthetic(50, 75, 600, time)) for time in times)
        field = p1546_field_dbuv_m(link(50, 600, 75), SYNTHETIC, time_percent=wanted)
        assert field == pytest.approx(e_low + share * (e_high - e_low))


def test_land_and_sea_mix() -> None:
    land, sea = float(synthetic(100, 75, 600)), float(synthetic(100, 75, 600, zone=1))
    half = (1 - 0.5 ** (2 / 3)) ** (1 + (sea - land) / 40)
    assert p1546_field_dbuv_m(link(100, 600, 75, sea_m=50e3), SYNTHETIC) == pytest.approx(
        (1 - half) * land + half * sea
    )
    assert p1546_field_dbuv_m(link(100, 600, 75, sea_m=100e3), SYNTHETIC) == pytest.approx(sea)
    warm = p1546_field_dbuv_m(link(100, 600, 75, sea_m=100e3), SYNTHETIC, time_percent=10.0, warm_sea=True)
    assert warm == pytest.approx(float(synthetic(100, 75, 600, time=1, zone=2)))


def test_low_and_negative_effective_heights_on_land() -> None:
    e10, e20 = float(synthetic(30, 10, 600)), float(synthetic(30, 20, 600))
    blocked = 6.03 - float(knife_edge_db(3.31 * np.degrees(np.arctan(10 / 9000))))
    zero = e10 + 0.5 * (e10 - e20 + blocked)
    fields = p1546_field_dbuv_m(P1546Link(30e3, 600.0, [10.0, 5.0, 0.0, -20.0], 10.0), SYNTHETIC)
    below = zero + 6.03 - float(knife_edge_db(3.31 * np.degrees(np.arctan(20 / 9000))))
    np.testing.assert_allclose(fields, [e10, 0.5 * (e10 + zero), zero, below], atol=1e-9)


def test_terrain_clearance_and_troposcatter() -> None:
    plain = p1546_field_dbuv_m(link(60, 600, 75), SYNTHETIC)
    level = p1546_field_dbuv_m(link(60, 600, 75, clearance_angle_deg=0.0), SYNTHETIC)
    hill = p1546_field_dbuv_m(link(60, 600, 75, clearance_angle_deg=3.0), SYNTHETIC)
    root = np.sqrt(600)
    assert level == pytest.approx(plain, abs=0.05)  # 0.55 degrees is the free case
    assert hill - plain == pytest.approx(float(knife_edge_db(0.036 * root) - knife_edge_db(0.195 * root)))
    far = link(900, 600, 75, clearance_angle_deg=0.0, tx_clearance_deg=0.0)
    angle = np.degrees(900 * 0.75 / 6370)
    lg = np.log10(600)
    tropo = 24.4 - 20 * np.log10(900) - 10 * angle - 5 * lg + 2.5 * (lg - 3.3) ** 2 + 48.75
    beyond = float(synthetic(900, 75, 600)) + float(level - plain)
    assert p1546_field_dbuv_m(far, SYNTHETIC) == pytest.approx(max(float(tropo), beyond))


def test_receiver_height_and_clutter() -> None:
    base = float(synthetic(20, 75, 900))
    gain = 3.2 + 6.2 * np.log10(900)
    assert p1546_field_dbuv_m(P1546Link(20e3, 900, 75, 1.5), SYNTHETIC) == pytest.approx(base + gain * np.log10(0.15))
    town = p1546_field_dbuv_m(P1546Link(20e3, 900, 75, [1.5, 15.0, 30.0], 15.0), SYNTHETIC, surroundings="urban")
    clutter = (20e3 * 15 - 15 * 75) / (20e3 - 15)
    assert town[2] == pytest.approx(base + gain * np.log10(30 / clutter))
    assert town[0] < town[1] < town[2]
    tall = link(20, 900, 75, tx_height_agl_m=30.0, tx_clutter_height_m=[10.0, 29.0, 31.0])
    near_roof = p1546_field_dbuv_m(tall, SYNTHETIC)
    assert near_roof[0] > near_roof[1] > near_roof[2]


@settings(max_examples=30, deadline=None)
@given(st.floats(0.005, 900), st.floats(100, 4000), st.floats(-30, 1000))
def test_never_above_the_most_and_falling(d: float, f: float, h: float) -> None:
    fields = p1546_field_dbuv_m(P1546Link([d * 1e3, d * 1.1e3], f, h, 10.0, tx_height_agl_m=40.0), SYNTHETIC)
    assert fields[0] >= fields[1] - 1e-9
    assert fields[0] <= 106.9 - 20 * np.log10(np.hypot(d, 0.03)) + 1e-9


def test_short_paths_end_in_free_space() -> None:
    at = p1546_field_dbuv_m(P1546Link([40.0, 999.999, 1000.0], 600, 40.0, 10.0, tx_height_agl_m=40.0), SYNTHETIC)
    assert at[0] == pytest.approx(106.9 - 20 * np.log10(0.05))
    assert at[1] == pytest.approx(at[2], abs=1e-3)
    assert p1546_loss_db(106.9, 1000.0) == pytest.approx(139.3 - 106.9 + 60)


def test_terrain_is_read_off_the_profile() -> None:
    d = np.linspace(0, 20e3, 201)
    ground = np.where(d < 3e3, 50.0, 20.0) + np.where((d >= 9e3) & (d <= 11e3), 30.0, 0.0)
    zone = np.where(d > 15e3, 1, 4)
    paths = PathProfile(d, ground, None, zone).paths(frequency_mhz=600, tx_height_agl_m=40, rx_height_agl_m=10)
    terrain = terrain_of_paths(paths)
    mean = np.trapezoid(ground[30:151], d[30:151]) / 12e3
    assert terrain.effective_height_m[0] == pytest.approx(90 - mean)
    assert terrain.rx_clearance_deg[0] == pytest.approx(np.degrees(np.arctan(20 / 9e3)))
    assert terrain.tx_clearance_deg[0] == pytest.approx(np.degrees(np.arctan(-40 / 11e3)))
    assert terrain.sea_m[0] == pytest.approx(4950.0)


def test_model_on_profiles() -> None:
    d = np.linspace(0, 30e3, 301)
    flat = PathProfile(d, np.full(301, 12.0))
    kwargs = {"tx_height_agl_m": 75.0, "rx_height_agl_m": 10.0}
    median = P1546(SYNTHETIC).path_loss_db(flat.paths(frequency_mhz=[300.0, 900.0], **kwargs))  # type: ignore[arg-type]
    expected = p1546_loss_db(synthetic(30, 75, [300, 900]), [300, 900])
    # Over flat ground the clearance angle's least value and the slope cost a little.
    np.testing.assert_allclose(median, expected, atol=0.06)
    most = P1546(SYNTHETIC, location_percent=95).path_loss_db(flat.paths(frequency_mhz=900.0, **kwargs))  # type: ignore[arg-type]
    sigma = (0.52 + 0.024 * 0.9) * 500**0.28
    assert most[0] - median[1] == pytest.approx(ndtri(0.95) * sigma)
    few = P1546(SYNTHETIC, time_percent=1.0).path_loss_db(flat.paths(frequency_mhz=900.0, **kwargs))  # type: ignore[arg-type]
    assert few[0] < median[1]
    assert P1546(SYNTHETIC).needs == "profile"


def test_sea_paths_with_low_masts_and_low_frequencies_are_continuous() -> None:
    f = 60.0
    clear = float(fresnel_clear_km(600.0, 50.0, 10.0))
    d = np.array([clear - 1e-6, clear + 1e-6]) * 1e3
    around = P1546Link(d, f, 50.0, 10.0, sea_m=d)
    fields = p1546_field_dbuv_m(around, SYNTHETIC, surroundings="sea")
    assert fields[0] == pytest.approx(fields[1], abs=1e-4)
    near, wide = float(fresnel_clear_km(f, 5.0, 10.0)), float(fresnel_clear_km(f, 20.0, 10.0))
    d = np.array([near * 1.5, wide - 1e-6, wide + 1e-6, 80.0]) * 1e3
    fields = p1546_field_dbuv_m(P1546Link(d, 600.0, 5.0, 10.0, sea_m=d), SYNTHETIC, surroundings="sea")
    assert (np.diff(fields) < 1e-3).all()


def test_limits(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="distance_m"):
        link(2000, 600, 75)
    with pytest.raises(ParameterError, match="sea_m"):
        link(10, 600, 75, sea_m=20e3)
    with pytest.raises(ParameterError, match="time_percent"):
        p1546_field_dbuv_m(link(10, 600, 75), SYNTHETIC, time_percent=0.1)
    with pytest.raises(ParameterError, match="surroundings"):
        P1546(SYNTHETIC, surroundings="forest")  # type: ignore[arg-type]
    with pytest.warns(ValidityWarning, match="frequency_mhz"):
        p1546_field_dbuv_m(link(10, 5000, 75), SYNTHETIC)
    with pytest.raises(ParameterError, match="needs terrain"):
        P1546(SYNTHETIC).path_loss_db(Paths.from_distance(10e3, 600.0, 75.0, 10.0))
    with pytest.raises(InputFileError, match="name the folder"):
        read_p1546_curves(tmp_path / "nowhere")
    with pytest.raises(InputFileError, match="figures 1, 2"):
        read_p1546_curves(tmp_path)
    (tmp_path / "figure_01.csv").write_text("km,10,20\n1,2,3\n", encoding="utf-8")
    with pytest.raises(InputFileError, match="no row lists the heights"):
        read_p1546_curves(tmp_path)
    lines = (folder / "figure_01.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "figure_01.csv").write_text("\n".join(lines[:-3]) + "\n", encoding="utf-8")
    with pytest.raises(InputFileError, match=r"no complete row for 950 km \(3 of 78"):
        read_p1546_curves(tmp_path)
