"""Distance models and corrections over a batch of 100 000 paths, one core."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from rfplan.profile import PathProfile, Paths
from rfplan.propagation.fixed_access import Ecc33, Ericsson9999, Sui
from rfplan.propagation.hata import Cost231Hata, OkumuraHata
from rfplan.propagation.p676 import GasAttenuation, gas_attenuation_db
from rfplan.propagation.plane_earth import Egli, LogDistance, TwoRay
from rfplan.propagation.sight import line_of_sight
from rfplan.propagation.tr38901 import TR38901
from rfplan.propagation.walfisch_ikegami import WalfischIkegami

PATHS = 100_000
MODELS: dict[str, Any] = {
    "hata": OkumuraHata(),
    "cost231-hata": Cost231Hata(),
    "walfisch-ikegami": WalfischIkegami(),
    "ecc33": Ecc33(),
    "sui": Sui(),
    "ericsson9999": Ericsson9999(),
    "egli": Egli(),
    "two-ray": TwoRay(),
    "log-distance": LogDistance(),
    "tr38901-rma": TR38901("RMa"),
    "tr38901-uma": TR38901("UMa"),
}


@pytest.fixture(scope="module")
def paths() -> Paths:
    rng = np.random.default_rng(7)
    return Paths.from_distance(rng.uniform(1e3, 5e3, PATHS), 1800.0, 30.0, 1.5)


@pytest.mark.parametrize("name", list(MODELS))
def test_distance_model(benchmark: Any, paths: Paths, name: str) -> None:
    def run() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one frequency for all of them: some are outside their range
            return MODELS[name].path_loss_db(paths)

    loss = benchmark(run)
    assert np.isfinite(loss).all()


def test_gas_of_a_batch(benchmark: Any, paths: Paths) -> None:
    loss = benchmark(GasAttenuation().correction_db, paths)
    assert (loss > 0.0).all()


def test_gas_over_a_thousand_frequencies(benchmark: Any) -> None:
    loss = benchmark(gas_attenuation_db, 1000.0, np.linspace(1e3, 100e3, 1000))
    assert (loss > 0.0).all()


def test_line_of_sight(benchmark: Any) -> None:
    d = np.linspace(0, 5e3, 101)
    rng = np.random.default_rng(3)
    one = PathProfile(d, rng.uniform(0, 20, 101))
    heights = np.linspace(5, 60, 1000)
    batch = one.paths(frequency_mhz=1800.0, tx_height_agl_m=heights, rx_height_agl_m=1.5)
    seen = benchmark(line_of_sight, batch)
    assert seen.shape == (1000,)
