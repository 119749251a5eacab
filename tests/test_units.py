from __future__ import annotations

import pytest

from rfplan import units


def test_round_trips():
    assert units.dbm_from_milliwatt(units.milliwatt_from_dbm(-37.5)) == pytest.approx(-37.5)
    assert units.db_from_ratio(100.0) == pytest.approx(20.0)


def test_thermal_noise_density():
    assert units.thermal_noise_dbm(1.0) == pytest.approx(-173.975, abs=1e-3)


def test_field_of_a_known_loss():
    # P.1812-8 equation 70 at 1 GHz
    assert units.field_dbuv_m_from_path_loss_db(100.0, 1000.0) == pytest.approx(99.36)
