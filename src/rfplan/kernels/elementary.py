"""log2, exp2 and atan in double precision that compile into vector instructions.

The C library's functions are calls, and a loop with a call in it is not vectorised. These are straight-line
arithmetic: exponent and mantissa by their bits, then a series. Errors stay below 3e-16 relative (exp2), 1e-15
relative (atan) and 2e-15 absolute beside 1 (log2). Products and sums may be contracted; re-association would break the
bit tricks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rfplan.kernels._jit import jit_fused_inline

_HALF_ROOT_BITS = 4604544271217802189  # bits of sqrt(1/2)
_MAGIC = 6755399441055744.0  # 1.5 * 2^52: adding it leaves an integer in the low bits
_MAGIC_BITS = 4843621399236968448
LN2 = 0.6931471805599453
LOG10_2 = 0.3010299956639812
LOG2_10 = 3.321928094887362
LOG2_E = 1.4426950408889634


@jit_fused_inline
def log2(x: Any) -> Any:
    """Binary logarithm of a positive normal number.

    x = m 2^e with m within sqrt(1/2) and sqrt(2); log2 m = (2 / ln 2) artanh(f), f = (m - 1) / (m + 1), as a
    series in f^2.
    """
    bits = np.float64(x).view(np.int64)
    e = (bits - _HALF_ROOT_BITS) >> 52
    m = np.int64(bits - (e << 52)).view(np.float64)
    f = (m - 1.0) / (m + 1.0)
    s = f * f
    t = 0.15186263588304877 + s * 0.1373995277037108
    t = 0.16972882833987804 + s * t
    t = 0.19235933878519512 + s * t
    t = 0.22195308321368667 + s * t
    t = 0.2623081892525388 + s * t
    t = 0.3205988979753252 + s * t
    t = 0.4121985831111324 + s * t
    t = 0.5770780163555853 + s * t
    t = 0.9617966939259756 + s * t
    t = 2.8853900817779268 + s * t
    return (np.int64(e + _MAGIC_BITS).view(np.float64) - _MAGIC) + f * t


@jit_fused_inline
def exp2(x: Any) -> Any:
    """2 to the power x; x is held within -1000 and 1000."""
    x = min(max(x, -1000.0), 1000.0)
    shifted = x + _MAGIC
    t = (x - (shifted - _MAGIC)) * LN2
    p = 1.0 / 39916800.0 + t * (1.0 / 479001600.0)
    p = 1.0 / 3628800.0 + t * p
    p = 1.0 / 362880.0 + t * p
    p = 1.0 / 40320.0 + t * p
    p = 1.0 / 5040.0 + t * p
    p = 1.0 / 720.0 + t * p
    p = 1.0 / 120.0 + t * p
    p = 1.0 / 24.0 + t * p
    p = 1.0 / 6.0 + t * p
    p = 0.5 + t * p
    p = 1.0 + t * p
    p = 1.0 + t * p
    scale = np.float64(shifted).view(np.int64) << 52
    return np.int64(np.float64(p).view(np.int64) + scale).view(np.float64)


@jit_fused_inline
def atan(x: Any) -> Any:
    """Inverse tangent of a number within -0.5 and 0.5, by the Chebyshev interpolation of atan(x) / x in x^2."""
    u = x * x
    t = 0.03173237721432329 - 0.012117723877824648 * u
    t = -0.04737573084850819 + u * t
    t = 0.05765993824688169 + u * t
    t = -0.06649209947443716 + u * t
    t = 0.07690538320523259 + u * t
    t = -0.09090790356040758 + u * t
    t = 0.11111106050832364 + u * t
    t = -0.14285714158324855 + u * t
    t = 0.1999999999832658 + u * t
    t = -0.3333333333332412 + u * t
    t = 0.9999999999999998 + u * t
    return x * t
