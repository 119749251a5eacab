"""Rows of the array a block finish works in, each a quantity of the block's paths."""

from __future__ import annotations

from rfplan.kernels.elementary import LOG10_2

SPREAD = 0  # 10 log10 of the squared slant distance, km
RANGE = 1  # 20 log10 of the distance, km
THETA = 2
BENT = 3  # F_j
ANGLE = 4  # of the ducting model
NEAR = 5  # F_k
TAU = 6
LOG_B0 = 7
DUCT_TIME = 8
HORIZONS = 9  # 20 log10 (d_lt + d_lr)
FOCUS = 10
FACTOR = 11  # F_i
LOS_BETA = 12  # E_s beta
MEDIAN = 13
BETA = 14
SPHERE = 15
SMOOTH = 16
SPARE = 17
DUCT = 18
TOTAL = 19
MIXED = 20
LOSS_P = 21
LOG_X = 22  # binary logarithm of the distance, km
N_WORK = 23

DB20 = 20.0 * LOG10_2  # 20 log10 x = DB20 log2 x
LOG10_50 = 1.6989700043360187
