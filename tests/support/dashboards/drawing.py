"""Drawings of panels in SVG: curves, sparks, bars of states, heat maps."""

import html
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.support.dashboards.units import write_value
from tests.support.observability.prometheus import Series

PALETTE = (
    *("#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#8ab8ff", "#ffa6b0"),
    *("#96d98d", "#ffee52", "#c0d8ff", "#ffb357", "#ff7383", "#ca95e5", "#37872d", "#e0b400"),
)
COLOURS = {
    "green": "#73bf69",
    "red": "#f2495c",
    "orange": "#ff9830",
    "yellow": "#fade2a",
    "blue": "#5794f2",
    "purple": "#b877d9",
}
HEAT = ("#2a1a0e", "#5c2e08", "#8f450a", "#c25f0e", "#f07d18", "#ffb066", "#ffe0c2")
GRID, TEXT = "#2c3235", "#8e9196"
LEFT, BOTTOM, TOP = 58, 20, 6


@dataclass(frozen=True)
class Span:
    """The shown time, in seconds since the epoch."""

    start: float
    end: float
    step: float

    def place(self, at: float, width: float) -> float:
        """Return the place of a time between 0 and `width`."""
        return (at - self.start) / (self.end - self.start) * width


@dataclass(frozen=True)
class Curve:
    """A curve with its name and colour."""

    name: str
    colour: str
    series: Series


def draw_curves(
    curves: Sequence[Curve],
    span: Span,
    size: tuple[int, int],
    unit: str,
    *,
    is_stacked: bool = False,
    most: float | None = None,
) -> str:
    """Return curves with axes."""
    width, height = size
    inner = width - LEFT - 8, height - BOTTOM - TOP
    layers = _layers(curves, is_stacked)
    highest = max([upper for layer in layers for _, _, upper in layer] or [0.0])
    ceiling = most if most is not None else _ceiling(highest)
    parts = [_axes(span, inner, ceiling, unit)]
    for curve, layer in zip(curves, layers, strict=True):
        parts += [
            _line(part, curve.colour, span, inner, ceiling, is_stacked)
            for part in _unbroken(layer, span.step)
        ]
    return _svg(size, "".join(parts))


def _layers(curves: Sequence[Curve], is_stacked: bool) -> list[list[tuple[float, float, float]]]:
    """Return for each curve its times with the lower and the upper bound."""
    below: dict[float, float] = {}
    layers = []
    for curve in curves:
        layer = []
        for at, value in curve.series.points:
            if not math.isfinite(value):
                continue
            low = below.get(at, 0.0) if is_stacked else 0.0
            below[at] = low + value
            layer.append((at, low, low + value))
        layers.append(layer)
    return layers


def _unbroken(
    layer: Sequence[tuple[float, float, float]], step: float
) -> list[list[tuple[float, float, float]]]:
    """Return the parts of a curve between which values are missing."""
    parts: list[list[tuple[float, float, float]]] = []
    for point in layer:
        if not parts or point[0] - parts[-1][-1][0] > 1.5 * step:
            parts.append([])
        parts[-1].append(point)
    return parts


def _line(
    points: Sequence[tuple[float, float, float]],
    colour: str,
    span: Span,
    inner: tuple[int, int],
    ceiling: float,
    is_stacked: bool,
) -> str:
    def spot(at: float, value: float) -> str:
        x = LEFT + span.place(at, inner[0])
        return f"{x:.1f},{TOP + inner[1] * (1 - min(value / ceiling, 1.05)):.1f}"

    upper = [spot(at, value) for at, _, value in points]
    lower = [spot(at, value) for at, value, _ in reversed(points)]
    return (
        f'<polygon points="{" ".join(upper + lower)}" fill="{colour}" '
        f'fill-opacity="{0.6 if is_stacked else 0.1}"/>'
        f'<polyline points="{" ".join(upper)}" fill="none" stroke="{colour}" stroke-width="1.3"/>'
    )


def _axes(span: Span, inner: tuple[int, int], ceiling: float, unit: str) -> str:
    parts = []
    lines = 4 if inner[1] > 90 else 2
    for number in range(lines + 1):
        y = TOP + inner[1] * (1 - number / lines)
        parts.append(_rule(LEFT, y, LEFT + inner[0], y))
        label = write_value(ceiling * number / lines, unit)
        parts.append(_label(LEFT - 6, y + 4, label, "end"))
    return "".join(parts) + _times(span, inner)


def _times(span: Span, inner: tuple[int, int]) -> str:
    count = max(2, inner[0] // 90)
    length = span.end - span.start
    step = next(each for each in (15, 30, 60, 120, 300, 600) if length / each <= count)
    first = math.ceil(span.start / step) * step
    parts = []
    for at in itertools.takewhile(lambda at: at <= span.end, itertools.count(first, step)):
        x = LEFT + span.place(at, inner[0])
        parts.append(_rule(x, TOP, x, TOP + inner[1]))
        clock = datetime.fromtimestamp(at).strftime("%H:%M:%S" if step < 60 else "%H:%M")
        parts.append(_label(x, TOP + inner[1] + 15, clock, "middle"))
    return "".join(parts)


def draw_spark(series: Series, span: Span, size: tuple[int, int]) -> str:
    """Return a curve without axes, as figures have it behind them."""
    width, height = size
    points = [(at, value) for at, value in series.points if math.isfinite(value)]
    highest = max([value for _, value in points] or [0.0]) or 1.0
    line = [f"{span.place(at, width):.1f},{height * (1 - v / highest):.1f}" for at, v in points]
    if not line:
        return ""
    first, last = line[0].split(",")[0], line[-1].split(",")[0]
    area = f"{first},{height} {' '.join(line)} {last},{height}"
    return _svg(
        size,
        f'<polygon points="{area}" fill="#fff" fill-opacity=".22"/>'
        f'<polyline points="{" ".join(line)}" fill="none" stroke="#fff" stroke-opacity=".6"/>',
    )


def draw_states(
    rows: Sequence[tuple[str, Sequence[tuple[float, str]]]], span: Span, size: tuple[int, int]
) -> str:
    """Return a bar for each row; its points have a time and a colour."""
    width, height = size
    left = 150
    inner = width - left - 8
    tall = min(80.0, (height - BOTTOM - TOP) / max(len(rows), 1))
    parts = []
    for number, (name, points) in enumerate(rows):
        y = number * tall
        parts.append(_label(left - 8, y + tall / 2 + 4, name, "end", "#d8d9da"))
        for start, end, colour in _merged(points, span):
            x, wide = left + span.place(start, inner), (end - start) / (span.end - span.start)
            parts.append(
                f'<rect x="{x:.1f}" y="{y + 3:.1f}" width="{wide * inner:.1f}" '
                f'height="{tall - 6:.1f}" fill="{colour}" fill-opacity=".75"/>'
            )
    times = _times(span, (inner, int(tall * len(rows))))
    return _svg(size, f'<g transform="translate({left - LEFT},0)">{times}</g>{"".join(parts)}')


def _merged(points: Sequence[tuple[float, str]], span: Span) -> Iterator[tuple[float, float, str]]:
    """Yield begin, end and colour of each part of a bar that has one colour."""
    start, end, colour = 0.0, 0.0, ""
    for at, each in points:
        if colour and (each != colour or at > end + span.step / 2):
            yield start, min(end, span.end), colour
            colour = ""
        if not colour:
            start, colour = at, each
        end = at + span.step
    if colour:
        yield start, min(end, span.end), colour


def draw_heat(buckets: Sequence[Series], span: Span, size: tuple[int, int], unit: str) -> str:
    """Return cells of a histogram; buckets are cumulated, each with its bound `le`."""
    ordered = sorted(buckets, key=lambda each: float(each.labels["le"]))
    width, height = size
    inner = width - LEFT - 8, height - BOTTOM - TOP
    cells, below = [], dict[float, float]()
    for row, bucket in enumerate(ordered):
        for at, value in bucket.points:
            cells.append((row, at, max(value - below.get(at, 0.0), 0.0)))
            below[at] = value
    highest = max([value for _, _, value in cells] or [1.0]) or 1.0
    tall = inner[1] / max(len(ordered), 1)
    parts = []
    for row, at, value in cells:
        if value <= highest * 1e-3:
            continue
        colour = HEAT[min(int((value / highest) ** 0.5 * len(HEAT)), len(HEAT) - 1)]
        x, wide = LEFT + span.place(at, inner[0]), span.step / (span.end - span.start) * inner[0]
        y = TOP + inner[1] - (row + 1) * tall
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall - 0.7:.1f}" '
            f'fill="{colour}"/>'
        )
    every = max(1, math.ceil(len(ordered) / 6))
    for row in range(0, len(ordered), every):
        bound = float(ordered[row].labels["le"])
        word = "+Inf" if math.isinf(bound) else write_value(bound, unit)
        parts.append(_label(LEFT - 6, TOP + inner[1] - row * tall - tall / 2 + 4, word, "end"))
    return _svg(size, _times(span, inner) + "".join(parts))


def _ceiling(highest: float) -> float:
    """Return a round number that is not lower."""
    if highest <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(highest))
    return next(each * power for each in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if each * power >= highest)


def _svg(size: tuple[int, int], content: str) -> str:
    return f'<svg width="{size[0]}" height="{size[1]}">{content}</svg>'


def _rule(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{GRID}"/>'


def _label(x: float, y: float, text: str, anchor: str, colour: str = TEXT) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">'
        f"{html.escape(text)}</text>"
    )
