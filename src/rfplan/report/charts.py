"""Charts of the report as inline SVG: drawn here, so that they print and need no script."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WIDTH, HEIGHT = 560.0, 320.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 16.0, 14.0, 50.0


@dataclass(frozen=True)
class Series:
    """One line of a chart.

    Attributes
    ----------
    name : str
        Shown in the key and in the tips.
    x, y : sequence of float
        Same length; points with a NaN are left out.
    css_class : str
        Class of the line (colour and dash come from the style sheet).
    dots : bool
        Draw the points.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    css_class: str
    dots: bool = False


@dataclass(frozen=True)
class Axes:
    """What a chart's axes say, and lines across it.

    Attributes
    ----------
    x_label, y_label : str
        With units.
    title : str
        Read out by screen readers.
    y_range : (low, high), optional
        Else from the data.
    vertical, horizontal : tuple of (value, label)
        Reference lines.
    """

    x_label: str
    y_label: str
    title: str
    y_range: tuple[float, float] | None = None
    vertical: tuple[tuple[float, str], ...] = ()
    horizontal: tuple[tuple[float, str], ...] = ()


def ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Round values between two limits, about `count` of them."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low]
    raw = (high - low) / max(count - 1, 1)
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(m * size for m in (1, 2, 2.5, 5, 10) if m * size >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(step * i, 10) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def tick_text(value: float) -> str:
    """A tick's text: grouped thousands, no useless digits, a true minus sign."""
    return f"{value:,.6g}".replace("-", "−") if abs(value) < 1e6 else f"{value:,.0f}".replace("-", "−")


def line_chart(series: Sequence[Series], axes: Axes) -> str:
    """Draw lines over common axes.

    Parameters
    ----------
    series : sequence of Series
        Without a finite point among them the chart says that there is nothing to draw.
    axes : Axes

    Returns
    -------
    str
        An ``<svg>`` element; every text in it is escaped and no style attribute is used (CSP).
    """
    drawn = [_finite(s) for s in series]
    xs = [v for s in drawn for v in s.x]
    ys = [v for s in drawn for v in s.y]
    if not xs:
        return '<p class="empty">Nothing to draw.</p>'
    frame = _Frame.around(xs, ys, axes)
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{html.escape(axes.title)}">',
        *frame.grid(axes),
    ]
    for s in drawn:
        parts += _line(s, frame)
    parts.append("</svg>")
    key = "".join(_key(s) for s in drawn if s.x)
    return f'<div class="keys">{key}</div>' + "".join(parts)


def _key(s: Series) -> str:
    line = f'<line class="{s.css_class}" x1="1" y1="4" x2="25" y2="4"/>'
    return f'<span class="key"><svg viewBox="0 0 26 8" aria-hidden="true">{line}</svg>{html.escape(s.name)}</span>'


def _finite(s: Series) -> Series:
    keep = [(x, y) for x, y in zip(s.x, s.y, strict=True) if math.isfinite(x) and math.isfinite(y)]
    return Series(s.name, [x for x, _ in keep], [y for _, y in keep], s.css_class, s.dots)


@dataclass(frozen=True)
class _Frame:
    """Data limits and their mapping to the picture."""

    x: tuple[float, float]
    y: tuple[float, float]

    @classmethod
    def around(cls, xs: Sequence[float], ys: Sequence[float], axes: Axes) -> _Frame:
        marks = [v for v, _ in axes.vertical]
        low, high = min([*xs, *marks]), max([*xs, *marks])
        if high <= low:
            low, high = low - 0.5, high + 0.5
        return cls((low, high), axes.y_range or _padded([*ys, *(v for v, _ in axes.horizontal)]))

    def px(self, value: float) -> float:
        return round(_LEFT + (value - self.x[0]) / (self.x[1] - self.x[0]) * (WIDTH - _LEFT - _RIGHT), 2)

    def py(self, value: float) -> float:
        share = (value - self.y[0]) / (self.y[1] - self.y[0])
        return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 2)

    def grid(self, axes: Axes) -> list[str]:
        """Grid lines, ticks, labels and reference lines."""
        bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
        out = []
        for value in ticks(*self.y):
            y = self.py(value)
            out.append(f'<line class="grid" x1="{_LEFT:g}" y1="{y:g}" x2="{right:g}" y2="{y:g}"/>')
            out.append(f'<text class="tick end" x="{_LEFT - 7:g}" y="{y + 4:g}">{tick_text(value)}</text>')
        for value in ticks(*self.x, count=7):
            x = self.px(value)
            out.append(f'<line class="axis" x1="{x:g}" y1="{bottom:g}" x2="{x:g}" y2="{bottom + 5:g}"/>')
            out.append(f'<text class="tick mid" x="{x:g}" y="{bottom + 19:g}">{tick_text(value)}</text>')
        out.append(f'<line class="axis" x1="{_LEFT:g}" y1="{bottom:g}" x2="{right:g}" y2="{bottom:g}"/>')
        for value, label in axes.vertical:
            x = self.px(value)
            end, shift = ("end", -5) if x > WIDTH * 0.6 else ("", 5)
            out.append(f'<line class="mark" x1="{x:g}" y1="{_TOP:g}" x2="{x:g}" y2="{bottom:g}"/>')
            out.append(f'<text class="note {end}" x="{x + shift:g}" y="{bottom - 8:g}">{html.escape(label)}</text>')
        for value, label in axes.horizontal:
            if self.y[0] <= value <= self.y[1]:
                y = self.py(value)
                out.append(f'<line class="mark" x1="{_LEFT:g}" y1="{y:g}" x2="{right:g}" y2="{y:g}"/>')
                out.append(f'<text class="note end" x="{right:g}" y="{y - 5:g}">{html.escape(label)}</text>')
        middle = (_LEFT + right) / 2
        out.append(f'<text class="label mid" x="{middle:g}" y="{HEIGHT - 8:g}">{html.escape(axes.x_label)}</text>')
        up = (_TOP + bottom) / 2
        out.append(
            f'<text class="label mid" transform="translate(14 {up:g}) rotate(-90)">{html.escape(axes.y_label)}</text>'
        )
        return out


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    pad = (high - low) * 0.06 or max(abs(high) * 0.02, 1.0)
    return low - pad, high + pad


def _line(s: Series, frame: _Frame) -> list[str]:
    if not s.x:
        return []
    picks = np.unique(np.linspace(0, len(s.x) - 1, min(len(s.x), 600)).round().astype(int))
    points = " ".join(f"{frame.px(s.x[i]):g},{frame.py(s.y[i]):g}" for i in picks)
    out = [f'<polyline class="{s.css_class}" points="{points}"/>']
    if s.dots or len(s.x) == 1:
        out += [
            f'<circle class="{s.css_class}" cx="{frame.px(x):g}" cy="{frame.py(y):g}" r="3.6">'
            f"<title>{html.escape(f'{s.name}: {tick_text(round(y, 2))} at {tick_text(x)}')}</title></circle>"
            for x, y in zip(s.x, s.y, strict=True)
        ]
    return out
