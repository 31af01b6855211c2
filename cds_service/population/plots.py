"""Plots as SVG text: horizontal bars with confidence intervals, columns by month, a sweep."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10
from typing import NamedTuple

WIDTH = 720
_LABEL = 300  # room for the words left of a bar
_ROW = 24
_AXIS = 38
_LAST_LABEL = 16  # half of it stands out on the right
_COLOUR = {"critical": "#a4161a", "warning": "#b35c00", "info": "#1f5fa8", "": "#4a5568"}


class Bar(NamedTuple):
    """One bar; None is hidden because the count is too small."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    indicator: str = ""
    unit: str = ""  # behind the value
    hidden: str = "not shown"  # in place of a value that is not shown


def bars(title: str, rows: Sequence[Bar], unit: str) -> str:
    """Horizontal bars, with whiskers where there is an interval. The axis is made for the bars that
    have a length: of few patients without any the interval would leave no room for the others."""
    with_length = [row for row in rows if row.value] or rows
    most = max((max(row.value or 0, row.high or 0) for row in with_length), default=0) or 1
    top, step = scale(most)
    height = len(rows) * _ROW + _AXIS
    parts = [_grid(top, step, height - _AXIS)]
    for number, row in enumerate(rows):
        parts.append(_bar(row, number * _ROW, top))
    parts.append(_axis(top, step, height - _AXIS, unit))
    return _figure(title, height, parts)


def columns(title: str, points: Sequence[tuple[str, float | None]], unit: str) -> str:
    """One column a month, or one a threshold; a hidden one is a short hatched stub."""
    most = max((value or 0 for _, value in points), default=0) or 1
    top, step = scale(most)
    height, left = 180, 44
    slot = (WIDTH - left - _LAST_LABEL) / max(len(points), 1)
    every = ceil(len(points) / 18)
    parts = []
    for tick in _ticks(top, step):
        y = height - 24 - tick / top * (height - 40)
        parts.append(f'<line x1="{left}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" class="tick end">{tick:g}</text>')
    for number, (label, value) in enumerate(points):
        x = left + number * slot
        size = 4 if value is None else value / top * (height - 40)
        style = "hidden" if value is None else "column"
        parts.append(
            f'<rect x="{x + slot * 0.15:.1f}" y="{height - 24 - size:.1f}" '
            f'width="{slot * 0.7:.1f}" height="{size:.1f}" class="{style}">'
            f"<title>{escape(label)}: {'not shown' if value is None else f'{value:g} {unit}'}"
            "</title></rect>"
        )
        if number % every == 0:
            parts.append(_tick(x + slot / 2, height - 8, escape(label)))
    parts.append(f'<text x="0" y="10" class="tick">{escape(unit)}</text>')
    return _figure(title, height, parts)


def scale(most: float) -> tuple[float, float]:
    """The end of an axis and its steps: 1, 2 or 5 times a power of ten, four to eight of them."""
    rough = most / 5
    power = 10 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return ceil(most / step) * step, step


def _ticks(top: float, step: float) -> list[float]:
    return [number * step for number in range(round(top / step) + 1)]


def _bar(row: Bar, y: float, top: float) -> str:
    room = WIDTH - _LABEL - 90
    middle = y + _ROW / 2
    label = row.label if len(row.label) <= 44 else row.label[:43] + "…"
    text = (
        f'<text x="{_LABEL - 10}" y="{middle + 4}" class="label end">{escape(label)}'
        f"<title>{escape(row.label)}</title></text>"
    )
    if row.value is None:
        return (
            text
            + f'<text x="{_LABEL + 4}" y="{middle + 4}" class="tick">{escape(row.hidden)}</text>'
        )
    length = row.value / top * room
    colour = _COLOUR.get(row.indicator, _COLOUR[""])
    shape = (
        f'<rect x="{_LABEL}" y="{y + 5}" width="{max(length, 0.5):.1f}" height="{_ROW - 10}" '
        f'fill="{colour}"/>'
    )
    end = length
    if row.low is not None and row.high is not None:
        low, high = (_LABEL + min(bound, top) / top * room for bound in (row.low, row.high))
        end = max(length, high - _LABEL)
        tip = f"M{high:.1f} {middle - 4}v8" if row.high <= top else _arrow(high, middle)
        shape += (
            f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8{tip}" '
            'class="whisker"/>'
        )
    whole = isinstance(row.value, int) or row.value >= 100
    shown = f"{row.value:,.0f}" if whole else f"{row.value:.1f}"
    unit = f" {escape(row.unit)}" if row.unit else ""
    if row.high is not None and row.high > top:
        unit += f" (to {row.high:.1f})"
    return (
        text
        + shape
        + (f'<text x="{_LABEL + end + 6:.1f}" y="{middle + 4}" class="value">{shown}{unit}</text>')
    )


def _arrow(x: float, y: float) -> str:
    """The end of a whisker that goes on beyond the axis."""
    return f"M{x - 5:.1f} {y - 4}L{x:.1f} {y}L{x - 5:.1f} {y + 4}"


def _tick(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:g}" class="tick middle">{text}</text>'


def _grid(top: float, step: float, height: float) -> str:
    room = WIDTH - _LABEL - 90
    return "".join(
        f'<line x1="{_LABEL + tick / top * room:.1f}" x2="{_LABEL + tick / top * room:.1f}" '
        f'y1="0" y2="{height}" class="grid"/>'
        for tick in _ticks(top, step)
    )


def _axis(top: float, step: float, y: float, unit: str) -> str:
    room = WIDTH - _LABEL - 90
    ticks = "".join(
        _tick(_LABEL + tick / top * room, y + 15, f"{tick:g}") for tick in _ticks(top, step)
    )
    return ticks + f'<text x="{WIDTH}" y="{y + 31}" class="tick end">{escape(unit)}</text>'


def _figure(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )
