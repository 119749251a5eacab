"""Layout of what a radial holds while it serves a block of pixels: one flat array, a row of it one quantity.

With all rows at constant offsets of one array the compiler sees that they never overlap and turns loops over a
block into vector code. Loops bounded by BLOCK tell it that no index wraps.
"""

from __future__ import annotations

from typing import Any

from rfplan.kernels._jit import jit_inline
from rfplan.kernels.geometry import N_FIELDS

BLOCK = 64

LANES = 16
"""Pixels of a block that go together where neighbours need nearly, but not quite, the same."""

TAIL_POINTS = 5
"""Points before the receiver that are always sampled on the exact path."""

MAX_SLOTS = 8
"""Most places a radial proposes for one pixel."""

MAX_RIVALS = 8

# the path
ROW = 0 * BLOCK
COL = 1 * BLOCK
X = 2 * BLOCK  # length, km
STEPS = 3 * BLOCK
STEP = 4 * BLOCK  # km
DROW = 5 * BLOCK  # rows and columns a step
DCOL = 6 * BLOCK
CHORD = 7 * BLOCK  # slope between the antennas, m/km
H_RX = 8 * BLOCK  # ground at the receiver, m
DOUBT = 9 * BLOCK  # the method's own doubts, see `rfplan.kernels.sweep_samples`
UNKNOWN = 10 * BLOCK  # not 0: a sample lies on unknown ground

# sums of the least-squares surface: the last points' share; then those of the radial up to distance D0, ground H0
# above the transmitter's
TAIL_V1 = 11 * BLOCK
TAIL_V2 = 12 * BLOCK
RADIAL_V1 = 13 * BLOCK
RADIAL_V2 = 14 * BLOCK
D0 = 15 * BLOCK
H0 = 16 * BLOCK

# maxima over the exact samples: slopes over flattened ground, m/km, where, km, and the ground there, m
BARE_T = 17 * BLOCK
BARE_T_AT = 18 * BLOCK
BARE_T_H = 19 * BLOCK
BARE_R = 20 * BLOCK
BARE_R_AT = 21 * BLOCK
BARE_R_H = 22 * BLOCK
ABOVE = 23 * BLOCK  # above the chord, m; and that over the distance from either end
FLAT_T = 24 * BLOCK
FLAT_R = 25 * BLOCK
TOP_T = 26 * BLOCK  # with clutter
TOP_R = 27 * BLOCK
TOP_T_BETA = 28 * BLOCK
TOP_R_BETA = 29 * BLOCK
N_MAXIMA = 13
# least (clearance)^2 d / (d_1 d_2), where, and the ground there; with clutter; the same at the beta Earth radius
NU_BARE = 30 * BLOCK
NU_BARE_AT = 31 * BLOCK
NU_BARE_H = 32 * BLOCK
NU_TOP = 33 * BLOCK
NU_TOP_BETA = 34 * BLOCK

# what the radial proposes: how many places, the exact path's index of each and what is sought there
SLOTS = 35 * BLOCK
CENTRE = 36 * BLOCK
KIND = CENTRE + MAX_SLOTS * BLOCK
# its next best: slopes and the radial's index
RIVAL = KIND + MAX_SLOTS * BLOCK
RIVAL_AT = RIVAL + MAX_RIVALS * BLOCK

# one sample of each pixel
INDEX = RIVAL_AT + MAX_RIVALS * BLOCK
SAMPLE_H = INDEX + 1 * BLOCK
SAMPLE_R = INDEX + 2 * BLOCK
LAST_H = INDEX + 3 * BLOCK  # the sample before, for the trapezoids
# the window being sampled: its middle, what is sought, the best so far and its place beside the middle
MIDDLE = INDEX + 4 * BLOCK
SOUGHT = INDEX + 5 * BLOCK
WORTH = INDEX + 6 * BLOCK
ASIDE = INDEX + 7 * BLOCK

# the smooth surfaces
FIT_T = INDEX + 8 * BLOCK  # least-squares surface at the ends, m
FIT_R = INDEX + 9 * BLOCK
START = INDEX + 10 * BLOCK  # the ducting model's surface: height at the transmitter, m, and slope, m/km
SLOPE = INDEX + 11 * BLOCK
ROUGH = INDEX + 12 * BLOCK
H1 = INDEX + 13 * BLOCK  # antennas above the diffraction model's smooth surface, m
H2 = INDEX + 14 * BLOCK
CLEARANCE = INDEX + 15 * BLOCK
REQUIRED = INDEX + 16 * BLOCK
SPHERE = INDEX + 17 * BLOCK
STEP_LEFT = INDEX + 18 * BLOCK
SMOOTH = INDEX + 19 * BLOCK
TAIL_H = INDEX + 20 * BLOCK  # ground of the first of the last points, m
RATIO = INDEX + 21 * BLOCK  # steps of the path a step of the radial

# while samples are read, in the same place: the pixel north-west of each and the way from it, its ground and that
# below it, m, and how much higher their right neighbours are
CELL_ROW = FIT_T
CELL_COL = FIT_R
PART_ROW = START
PART_COL = SLOPE
UPPER = ROUGH
UPPER_RISE = H1
LOWER = H2
LOWER_RISE = CLEARANCE

# the outcome: fields of `rfplan.kernels.geometry`, a row each
GEOMETRY = INDEX + 22 * BLOCK
N_BLOCK = GEOMETRY + N_FIELDS * BLOCK


@jit_inline
def field(number: Any) -> Any:
    """Row of a field of the geometry."""
    return GEOMETRY + number * BLOCK


# scalars of a radial
TX = 0  # antenna above sea level, m
BASE = 1  # ground below it
RX_AGL = 2
C = 3  # fall at the median Earth radius, m/km^2
C_BETA = 4  # the same at the beta Earth radius; 0 where that is not wanted
SPACING = 5  # km
CLUTTER = 6  # clutter height everywhere, m; below 0 it varies, by at most so much, and the grid is read
TX_ROW = 7
TX_COL = 8
WAY_ROW = 9  # rows and columns a step of the radial
WAY_COL = 10
RESOLUTION = 11  # m
BARE_END = 12  # km: nearer to either end clutter does not count
RX_CLUTTER = 13  # at the receiver, m; below 0 the grid is read
N_FRAME = 14


@jit_inline
def topped(f: Any) -> Any:
    """Whether there is clutter: else its tops are the ground."""
    return f[CLUTTER] != 0.0


@jit_inline
def one_hull(f: Any) -> Any:
    """Whether clutter is the same, and counted, everywhere: the hull over it is then the bare one, lifted."""
    return f[CLUTTER] >= 0.0 and f[BARE_END] <= 0.0


NOWHERE = -1.0e300
