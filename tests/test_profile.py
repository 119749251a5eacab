from __future__ import annotations

import math

import numpy as np
import pytest

from rfplan.errors import ParameterError
from rfplan.profile import PathProfile, Paths, Zone


def make_profile(n: int = 5) -> PathProfile:
    return PathProfile(
        np.arange(n) * 100.0,
        np.arange(n) * 2.0,
        np.full(n, 10.0),
        None,
        tx_lonlat=(105.0, 21.0),
        rx_lonlat=(105.1, 21.2),
    )


def test_profile_is_frozen_and_knows_its_centre():
    profile = make_profile()
    assert len(profile) == 5
    assert profile.latitude_deg == pytest.approx(21.0 + math.degrees(200.0 / 6371e3) * 0.906, abs=1e-5)
    with pytest.raises(ValueError, match="read-only"):
        profile.elevation_amsl_m[0] = 1.0


def test_profile_copies_its_input():
    distance = np.array([0.0, 100.0])
    profile = PathProfile(distance, np.zeros(2))
    distance[1] = 5.0
    assert profile.distance_m[1] == 100.0


@pytest.mark.parametrize(
    ("distance", "elevation", "match"),
    [
        ([0.0], [1.0], "at least its two ends"),
        ([1.0, 2.0], [1.0, 1.0], "distances are measured from the transmitter"),
        ([0.0, 2.0, 2.0], [1.0, 1.0, 1.0], r"distance_m\[2\] = 2.0 does not exceed"),
        ([0.0, 2.0], [1.0, np.nan], r"elevation_amsl_m\[1\] is nan"),
        ([0.0, 2.0], [1.0, 2.0, 3.0], "elevation_amsl_m has 3 values"),
    ],
)
def test_profile_refuses_nonsense(distance, elevation, match):
    with pytest.raises(ParameterError, match=match):
        PathProfile(np.array(distance), np.array(elevation))


def test_profile_refuses_bad_zone_clutter_and_position():
    d = np.array([0.0, 1.0])
    with pytest.raises(ParameterError, match=r"zone\[1\] is 2; allowed are 1 \(sea\)"):
        PathProfile(d, d, None, np.array([1, 2]))
    with pytest.raises(ParameterError, match="heights above ground are not negative"):
        PathProfile(d, d, np.array([0.0, -1.0]))
    with pytest.raises(ParameterError, match=r"give \(longitude, latitude\)"):
        PathProfile(d, d, tx_lonlat=(21.0, 105.0))


def test_paths_broadcast_over_one_profile():
    paths = make_profile().paths(frequency_mhz=[700, 1800, 2600], tx_height_agl_m=40, rx_height_agl_m=1.5)
    assert len(paths) == 3
    assert paths.distance_m.tolist() == [400.0] * 3
    assert paths.point_start.tolist() == [0, 0, 0]
    assert paths.point_stop.tolist() == [5, 5, 5]
    assert (paths.point_zone == Zone.INLAND).all()
    assert paths.latitude_deg[1] == make_profile().latitude_deg
    assert paths.frequency_mhz.flags.c_contiguous
    assert paths.tx_height_agl_m.flags.c_contiguous


def test_paths_from_distance_has_no_terrain():
    paths = Paths.from_distance([100.0, 200.0], 900.0, 30.0, 1.5)
    assert not paths.has_profile
    assert math.isnan(paths.latitude_deg[0])
    with pytest.raises(ParameterError, match="carry no terrain"):
        paths.profile(0)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"distance_m": 0.0}, r"distance_m\[0\] is 0.0"),
        ({"frequency_mhz": -1.0}, r"frequency_mhz\[0\] is -1.0"),
        ({"tx_height_agl_m": np.nan}, r"tx_height_agl_m\[0\] is nan"),
        ({"polarization": "circular"}, "polarization is 'circular'"),
    ],
)
def test_paths_refuse_impossible_values(changes, match):
    values = {"distance_m": 1.0, "frequency_mhz": 900.0, "tx_height_agl_m": 30.0, "rx_height_agl_m": 1.5} | changes
    with pytest.raises(ParameterError, match=match):
        Paths(**values)


def test_concatenate_keeps_each_path_on_its_own_profile():
    a = make_profile(5).paths(frequency_mhz=900, tx_height_agl_m=40, rx_height_agl_m=1.5)
    b = make_profile(9).paths(frequency_mhz=[700, 800], tx_height_agl_m=40, rx_height_agl_m=1.5)
    both = Paths.concatenate([a, b])
    assert len(both) == 3
    assert both.point_start.tolist() == [0, 5, 5]
    assert both.point_stop.tolist() == [5, 14, 14]
    assert both.profile(2).distance_m.tolist() == make_profile(9).distance_m.tolist()
    with pytest.raises(ParameterError, match="some batches carry terrain"):
        Paths.concatenate([a, Paths.from_distance(1.0, 900, 1, 1)])


def test_reversed_profile_swaps_the_ends():
    profile = make_profile().reversed()
    assert profile.distance_m[0] == 0.0
    assert profile.elevation_amsl_m[0] == 8.0
    assert profile.tx_lonlat == (105.1, 21.2)
