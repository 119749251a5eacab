"""How kernels are compiled, and which a process may take from the cache of another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PICK = """
import sys
import numpy as np
from rfplan.kernels.cover import select_kernel

count, need = np.zeros(3, np.int32), np.ones(1)
layers = np.zeros((1, 3), np.int32), np.ones((1, 3))
pointers, rows = np.array([0, 1]), np.array([int(sys.argv[1])], np.int32)
select_kernel(0, pointers, rows, count, np.ones(3, np.int32), *layers, need)
print(count.sum())
"""

CALLED = """
from rfplan.kernels._jit import jit, jit_fused

@jit
def plain(a, b, c):
    return a * b + c

@jit_fused
def caller(a, b, c):
    return plain(a, b, c) * a + b

caller(1.0, 2.0, 3.0)
for kernel in (plain, caller):
    print("fmul contract" in next(iter(kernel.inspect_llvm().values())).split("define ")[1])
"""


def test_checked_and_unchecked_kernels_do_not_pass_for_each_other(tmp_path: Path) -> None:
    def pick(row: int, checked: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_BOUNDSCHECK": checked}
        command = [sys.executable, "-c", PICK, str(row)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    done = pick(2, "0")
    assert done.stdout.split() == ["1"], done.stderr
    assert "IndexError" in pick(3, "1").stderr
    assert len(list(tmp_path.iterdir())) == 2


def test_a_plain_kernel_is_not_contracted_by_the_one_that_calls_it_first(tmp_path: Path) -> None:
    (tmp_path / "kernels.py").write_text(CALLED, encoding="utf-8")
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_DISABLE_JIT": "0"}
    command = [sys.executable, str(tmp_path / "kernels.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == ["False", "True"], done.stderr
