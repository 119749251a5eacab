"""Small pieces of HTML: escaped text, numbers, tables, cards. Nothing unescaped leaves this module."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COVERED_TO_FRESH = ("was", "plus")


def text(value: Any) -> str:
    """Escape anything for HTML text or a quoted attribute."""
    return html.escape(str(value), quote=True)


def number(value: Any, digits: int = 0) -> str:
    """A number for people: grouped thousands, fixed digits, a true minus sign; a dash where there is none."""
    try:
        as_float = float(value)
    except (TypeError, ValueError):
        return "–"
    if not math.isfinite(as_float):
        return "–"
    shown = f"{as_float:,.{digits}f}"
    if float(shown.replace(",", "")) == 0:
        shown = shown.lstrip("-")
    return shown.replace("-", "−")


def percent(value: Any, digits: int = 2) -> str:
    """A share in percent that says 100 only where it is 100, and 0 only where it is 0."""
    shown = number(value, digits)
    if shown == "–":
        return shown
    as_float, step = float(value), 10.0**-digits
    if as_float < 100 and shown == number(100, digits):
        shown = number(100 - step, digits)
    if as_float > 0 and shown == number(0, digits):
        shown = number(step, digits)
    return shown + " %"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    head : str
    values : sequence
        A number (or None) for a numeric column, else text.
    digits : int or None
        None makes it a text column.
    kind : ``""``, ``"percent"``, ``"code"``, ``"head"`` or ``"goto"``
    bar : sequence of (before, after) or None
        Shares in percent to draw behind the number.
    total : str
        Text of the foot.
    """

    head: str
    values: Sequence[Any]
    digits: int | None = None
    kind: str = ""
    bar: Sequence[tuple[float, float]] | None = None
    total: str = ""


def table(
    identity: str,
    caption: str,
    columns: Sequence[Column],
    *,
    goto: Sequence[str | None] = (),
    short: Sequence[bool] = (),
    sortable: bool = True,
    foot: bool = False,
) -> str:
    """A data table.

    Parameters
    ----------
    identity, caption : str
        The caption is for screen readers.
    columns : sequence of Column
        Of equal length.
    goto : sequence of str or None
        What the map shows on a click on a row, such as ``"commune:3"``.
    short : sequence of bool
        Rows kept by the filter for shortfalls.
    sortable, foot : bool
    """
    head = "".join(f'<th scope="col"{_align(c)}>{text(c.head)}</th>' for c in columns)
    body = []
    for row in range(len(columns[0].values)):
        target = goto[row] if row < len(goto) else None
        marks = f' data-goto="{text(target)}"' if target else ""
        marks += ' data-short="1"' if row < len(short) and short[row] else ""
        body.append(f"<tr{marks}>{''.join(_cell(c, row, bool(target)) for c in columns)}</tr>")
    feet = ""
    if foot:
        cells = "".join(f"<td{_align(c)}>{text(c.total)}</td>" for c in columns)
        feet = f"<tfoot><tr>{cells}</tr></tfoot>"
    return (
        f'<table id="{text(identity)}" class="data{" sortable" if sortable else ""}" aria-label="{text(caption)}">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody>{feet}</table>"
    )


def _align(column: Column) -> str:
    return ' class="n"' if column.digits is not None else ""


def _cell(column: Column, row: int, linked: bool) -> str:
    value = column.values[row]
    if column.digits is None:
        shown = text("" if value is None else value)
        if column.kind == "code":
            shown = f"<code>{shown}</code>"
        if column.kind == "goto" and linked:
            shown = f'<button type="button" class="goto" title="Show on the map">{shown}</button>'
        return f'<th scope="row">{shown}</th>' if column.kind in ("goto", "head") else f"<td>{shown}</td>"
    shown = percent(value, column.digits) if column.kind == "percent" else number(value, column.digits)
    sort_value = "" if shown == "–" else repr(float(value))
    bar = share_bar(*column.bar[row]) if column.bar and sort_value else ""
    return f'<td class="n" data-v="{sort_value}">{shown}{bar}</td>'


def share_bar(before: float, after: float, css_class: str = "bar") -> str:
    """A bar of two shares in percent: what was covered, and what came on top."""
    was, now = (min(max(float(v), 0.0), 100.0) if math.isfinite(v) else 0.0 for v in (before, after))
    return (
        f'<svg class="{css_class} meter" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="track" width="100" height="8"/><rect class="was" width="{was:.2f}" height="8"/>'
        f'<rect class="plus" x="{was:.2f}" width="{max(now - was, 0):.2f}" height="8"/></svg>'
    )


def card(head: str, big: str, notes: Sequence[str], meter: str = "") -> str:
    """A headline figure; `big` and `meter` are HTML, the rest is text."""
    lines = "".join(f"<p>{text(note)}</p>" for note in notes if note)
    return f'<div class="card"><h3>{text(head)}</h3><div class="big">{big}</div>{meter}{lines}</div>'


def section(identity: str, head: str, body: str) -> str:
    """A section with its heading; `body` is HTML."""
    return f'<section id="{text(identity)}"><h2>{text(head)}</h2>{body}</section>'


def scroll(inner: str, css_class: str = "scroll") -> str:
    """A box that scrolls when what is in it is larger; `inner` is HTML."""
    return f'<div class="{css_class}" tabindex="0">{inner}</div>'


def definitions(values: Mapping[str, Any]) -> str:
    """Nested mappings as nested definition lists."""
    if not values:
        return '<p class="empty">None given.</p>'
    items = "".join(f"<dt>{text(_words(k))}</dt><dd>{_definition(v)}</dd>" for k, v in values.items())
    return f'<dl class="facts">{items}</dl>'


def _words(key: str) -> str:
    return key.replace("_", " ")


def _definition(value: Any) -> str:
    if isinstance(value, Mapping):
        return definitions(value) if value else "none"
    if isinstance(value, (list, tuple)):
        if any(isinstance(v, Mapping) for v in value):
            return "".join(_definition(v) for v in value)
        return text(", ".join(str(v) for v in value)) if value else "none"
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return text(f"{value:.10g}".replace("-", "−"))
    return text(value)


def tools(target: str, label: str, below: str = "") -> str:
    """The filter box of a table; `below` is HTML put beside it."""
    words = f'placeholder="{text(label)}" aria-label="{text(label)}"'
    box = f'<label><input type="search" data-filter="{target}" {words}></label>'
    return f'<div class="tools">{box}{below}<span class="shown"></span></div>'
