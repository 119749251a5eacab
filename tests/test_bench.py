from __future__ import annotations

import json

import pytest

from rfplan.bench import cold_start, run_bench
from rfplan.errors import ParameterError


def test_bench_measures_and_writes(tmp_path):
    steps: list[str] = []
    result = run_bench(radius_m=(900.0,), resolution_m=60.0, repeat=1, with_cold_start=False, progress=steps.append)
    cases = {row["case"]: row["value"] for row in result.rows}
    assert cases["P1812 0.9 km: within 1 dB"] > 95.0
    assert all(cases[f"{model} 0.9 km: within 1 dB"] > 95.0 for model in ("P452", "P526"))
    assert cases["P1812 0.9 km: exact paths"] > 0.0
    assert steps[0] == "paths"
    assert "machine" in json.loads(result.to_json(tmp_path / "bench.json").read_text())
    assert "us CPU a path" in str(result)
    assert list(result.table.columns[:3]) == ["case", "value", "unit"]


def test_bench_refuses_nonsense():
    with pytest.raises(ParameterError, match="repeat is 0"):
        run_bench(repeat=0)


def test_cold_start_is_taken_in_fresh_processes(monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")  # only that it measures is tested here
    rows = {row["case"]: row["value"] for row in cold_start()}
    assert len(rows) == 8
    assert all(0.0 < seconds < 300.0 for seconds in rows.values())
    assert rows["cold start, kernels cached: import rfplan"] < rows["cold start, kernels cached: load what predicts"]
