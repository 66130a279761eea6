"""A trace as a page of HTML: its spans in a tree, each with its attributes when it is opened."""

from collections.abc import Sequence
from html import escape

from tests.support.observability.spans import Span
from tests.support.observability.waterfall import draw, in_order


def page_of(trace_id: str, spans: Sequence[Span]) -> str:
    """Return the page of a trace; one without spans says so."""
    title = f"Trace {escape(trace_id)}"
    drawn = draw(spans, title) if spans else "<p>No span has arrived.</p>"
    rows = "\n".join(_row(depth, span) for depth, span in in_order(spans))
    return f"<!doctype html><title>{title}</title><h1>{title}</h1>{drawn}{rows}"


def _row(depth: int, span: Span) -> str:
    facts = {"status": span.message or "error"} if span.is_error else {}
    attributes = {**span.resource, **facts, **span.attributes}
    cells = "".join(
        f"<tr><th>{escape(name)}<td>{escape(str(value))}" for name, value in attributes.items()
    )
    mark = ' class="error"' if span.is_error else ""
    return (
        f'<details{mark} data-depth="{depth}" style="margin-left:{depth}em">'
        f"<summary>{escape(span.name)}</summary><table>{cells}</table></details>"
    )
