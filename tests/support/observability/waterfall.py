"""A trace as a drawing: a line for each span below its parent, and a bar over time."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import escape

from tests.support.observability.spans import Span

WIDTH, LINE, MARGIN = 1_000, 24, 12
NAMES = 430
"""Width of the names."""
INDENT = 16
BARS = WIDTH - NAMES - 90 - MARGIN
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2430; }
text.time { fill: #5b6472; font-size: 12px; }
rect.back { fill: #ffffff; }
rect.stripe { fill: #f4f6f9; }
rect.span { fill: #3b6fd4; }
rect.error { fill: #c8352b; }
text.error { fill: #c8352b; }
line { stroke: #d5dae2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e9ef; } text.time { fill: #a3adbb; }
  rect.back { fill: #14171c; } rect.stripe { fill: #1c2027; }
  rect.span { fill: #6c9bf2; } rect.error, text.error { fill: #f0766c; } line { stroke: #333a45; }
}
"""


def in_order(spans: Sequence[Span]) -> Iterator[tuple[int, Span]]:
    """Yield each span with its depth, parents first, siblings by their begin."""
    ids = {each.span_id for each in spans}
    below: dict[str, list[Span]] = defaultdict(list)
    for each in sorted(spans, key=lambda each: (each.began, -each.ended)):
        below[each.parent_id if each.parent_id in ids else ""].append(each)

    def walk(parent_id: str, depth: int) -> Iterator[tuple[int, Span]]:
        for each in below[parent_id]:
            yield depth, each
            yield from walk(each.span_id, depth + 1)

    return walk("", 0)


def draw(spans: Sequence[Span], title: str) -> str:
    """Return the trace as SVG."""
    rows = list(in_order(spans))
    height = LINE * (len(rows) + 2) + 2 * MARGIN
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="back" width="{WIDTH}" height="{height}"/>',
            *_scale(rows, height),
            *(_row(number, depth, span, rows) for number, (depth, span) in enumerate(rows)),
            "</svg>\n",
        )
    )


def _scale(rows: Sequence[tuple[int, Span]], height: int) -> Iterator[str]:
    _, length = _window(rows)
    for part in range(5):
        x = NAMES + BARS * part / 4
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{MARGIN + LINE}" y2="{height - MARGIN}"/>'
        text = _duration(length * part / 4)
        yield f'<text class="time" x="{x:.1f}" y="{MARGIN + 15}">{text}</text>'


def _row(number: int, depth: int, span: Span, rows: Sequence[tuple[int, Span]]) -> str:
    begin, length = _window(rows)
    y = MARGIN + LINE * (number + 1)
    x = NAMES + BARS * (span.began - begin) / length
    width = max(2.0, BARS * (span.ended - span.began) / length)
    mark = "error" if span.is_error else "span"
    name = escape(span.name)
    stripe = f'<rect class="stripe" y="{y}" width="{WIDTH}" height="{LINE}"/>' if number % 2 else ""
    return (
        f"{stripe}"
        f'<text class="{mark}" x="{MARGIN + INDENT * depth}" y="{y + 16}">{name}</text>'
        f'<rect class="{mark}" x="{x:.1f}" y="{y + 6}" width="{width:.1f}" height="12" rx="2"/>'
        f'<text class="time" x="{x + width + 6:.1f}" y="{y + 16}">'
        f"{_duration(span.ended - span.began)}</text>"
    )


def _window(rows: Sequence[tuple[int, Span]]) -> tuple[float, float]:
    """Return begin and length of the whole, in seconds."""
    begin = min(span.began for _, span in rows)
    return begin, max(1e-6, max(span.ended for _, span in rows) - begin)


def _duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1_000:.1f} ms" if seconds < 0.1 else f"{seconds * 1_000:.0f} ms"
