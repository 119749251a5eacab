from __future__ import annotations

import numpy as np
import pytest

from rfplan.coverage.quality import (
    CQI_64QAM,
    CQI_256QAM,
    DOWNLINK_SHANNON,
    UPLINK_SHANNON,
    PowerControl,
    UplinkReceiver,
    coverage_probability,
    cqi_efficiency_bps_hz,
    cqi_thresholds_db,
    cqi_throughput_mbps,
    lone_cell_rsrq_db,
    uplink_sinr_db,
    uplink_throughput_mbps,
)
from rfplan.errors import ParameterError


def test_truncated_shannon_of_tr36942() -> None:
    assert DOWNLINK_SHANNON.cap_bps_hz == pytest.approx(4.39, abs=0.005)
    assert UPLINK_SHANNON.cap_bps_hz == pytest.approx(2.01, abs=0.005)
    np.testing.assert_allclose(
        DOWNLINK_SHANNON.efficiency_bps_hz([-10.1, -10.0, 0.0, 22.0, 40.0]),
        [0.0, 0.6 * np.log2(1.1), 0.6, DOWNLINK_SHANNON.cap_bps_hz, DOWNLINK_SHANNON.cap_bps_hz],
    )
    assert np.isnan(DOWNLINK_SHANNON.efficiency_bps_hz(np.nan))


def test_rsrq_limits() -> None:
    assert lone_cell_rsrq_db(0.0) == pytest.approx(-3.01, abs=0.005)
    assert lone_cell_rsrq_db(1.0) == pytest.approx(-10.79, abs=0.005)


def test_cqi_tables() -> None:
    for table in (CQI_64QAM, CQI_256QAM):
        assert len(table) == 15
        assert (np.diff(cqi_thresholds_db(table)) > 0).all()
    # Usual link-level thresholds at 10 % block errors.
    usual = [-6.7, -4.7, -2.3, 0.2, 2.4, 4.3, 5.9, 8.1, 10.3, 11.7, 14.1, 16.3, 18.7, 21.0, 22.7]
    np.testing.assert_allclose(cqi_thresholds_db(), usual, atol=1.0)
    assert cqi_efficiency_bps_hz(-20.0) == 0.0
    assert cqi_efficiency_bps_hz(50.0) == 5.5547
    # 20 MHz LTE, one layer: 100 blocks of 12 elements, 14 symbols a ms, 14 % overhead.
    assert cqi_throughput_mbps(50.0, 100, 15.0) == pytest.approx(5.5547 * 1200 * 14e3 * 0.86 * 1e-6)
    assert cqi_throughput_mbps(50.0, 273, 30.0, direction="uplink") == pytest.approx(
        5.5547 * 273 * 12 * 28e3 * 0.92 * 1e-6
    )


def test_power_control() -> None:
    control = PowerControl(p0_dbm=-80.0, alpha=0.8)
    assert control.power_dbm(100.0, 4, 23.0) == pytest.approx(-80 + 6.0206 + 80.0)
    assert control.power_dbm(140.0, 4, 23.0) == 23.0
    station = UplinkReceiver(2.5)
    # At full power the SINR is the budget's: 23 − 130 − (−174 + 58.573 + 2.5) − 3.
    assert uplink_sinr_db(130.0, 4, 23.0, control, station) == pytest.approx(
        23 - 130 + 174 - 58.5733 - 2.5 - 3, abs=1e-3
    )
    with pytest.raises(ParameterError, match="alpha"):
        PowerControl(alpha=1.5)


def test_uplink_rate_uses_as_many_blocks_as_pay() -> None:
    control, station = PowerControl(), UplinkReceiver(2.5)
    rate = uplink_throughput_mbps(np.array([70.0, 120.0, 140.0, 150.0, 170.0, np.nan]), 100, 23.0, control, station)
    assert rate[0] == pytest.approx(UPLINK_SHANNON.cap_bps_hz * 18.0)
    assert (np.diff(rate[:4]) < 0).all()
    assert rate[4] == 0.0
    assert np.isnan(rate[5])


def test_probability_of_coverage() -> None:
    np.testing.assert_allclose(coverage_probability([0.0, 8.0, -8.0], 8.0), [0.5, 0.841345, 0.158655], atol=1e-6)
    with pytest.raises(ParameterError, match="sigma_db"):
        coverage_probability(0.0, 0.0)
