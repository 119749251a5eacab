"""A clock that counts work instead of time, so that a search ends at the same step on every machine and under any load.

Work is counted in *nominal seconds*: what the counted steps take on one idle core of an ordinary machine. Kernels count
the entries they touch, branch and bound its simplex iterations. Every stage takes its share of the effort that is left,
so the walk of a search follows from the instance, the seed and the effort alone. The wall clock is only a safety net:
where it is met first, `Effort.cut_short` says so, and the answer may then differ from run to run.
"""

from __future__ import annotations

import time

#: Share of a solve's time limit that is planned as effort: the rest is the margin for a slower or busier machine.
PLANNED_SHARE = 0.5
#: Slices are at least this share of the effort they are cut from: halving for ever would never end.
LEAST_SHARE = 0.01
#: Nominal seconds for touching one entry of a compressed matrix in a kernel's inner loop.
TOUCH_S = 2.7e-9


class Effort:
    """Nominal seconds left, counted down by `charge`.

    Parameters
    ----------
    seconds
        Nominal seconds allowed, >= 0.
    deadline
        `time.perf_counter` at which everything stops, whatever is left; None for no such end.
    parent
        The effort this one is a share of: it is charged along, and ends this one when it ends.
    """

    def __init__(self, seconds: float, deadline: float | None = None, parent: Effort | None = None) -> None:
        self._total = self._left = seconds
        self._deadline: float | None = deadline if parent is None else parent._deadline
        self._parent = parent
        self._cut_short = False

    @classmethod
    def within(cls, time_limit_s: float) -> Effort:
        """The effort of a solve that may take `time_limit_s` from now."""
        return cls(PLANNED_SHARE * time_limit_s, time.perf_counter() + time_limit_s)

    def charge(self, seconds: float) -> None:
        """Count work done."""
        self._left -= seconds
        if self._parent is not None:
            self._parent.charge(seconds)

    @property
    def spent(self) -> float:
        """Nominal seconds charged."""
        return self._total - self._left

    def left(self, share: float = 1.0) -> float:
        """Nominal seconds left, or a share of them; 0 once the wall clock has run out."""
        if self._left > 0.0 and self.wall_left() <= 0.0:
            self.note_cut()
            return 0.0
        up = self._left if self._parent is None else min(self._left, self._parent.left())
        return max(0.0, up * share)

    def slice(self, share: float, at_most: float = float("inf")) -> Effort:
        """A share of what is left, as an effort of its own; a rest too small to share out goes whole."""
        least = min(self.left(), LEAST_SHARE * self._total)
        return Effort(min(max(self.left(share), least), at_most), parent=self)

    def wall_left(self) -> float:
        """Wall-clock seconds to the deadline, infinite without one."""
        return float("inf") if self._deadline is None else max(0.0, self._deadline - time.perf_counter())

    @property
    def cut_short(self) -> bool:
        """Whether the wall clock ended work that the schedule still held."""
        return self._cut_short

    def note_cut(self) -> None:
        """Remember that the wall clock ended something."""
        self._cut_short = True
        if self._parent is not None:
            self._parent.note_cut()
