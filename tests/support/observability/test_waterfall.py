"""The drawing of a trace has a line for each span, below its parent."""

from xml.etree import ElementTree

from tests.support.observability.spans import Span
from tests.support.observability.waterfall import draw, in_order


def span(name: str, parent_id: str, began: float, ended: float, *, is_error: bool = False) -> Span:
    return Span(
        trace_id="t",
        span_id=name,
        parent_id=parent_id,
        name=name,
        kind="",
        began=began,
        ended=ended,
        attributes={},
        resource={},
        is_error=is_error,
        message="",
    )


SPANS = [
    span("second", "root", 5, 6, is_error=True),
    span("below <it>", "first", 2, 3),
    span("first", "root", 1, 4),
    span("root", "of the caller", 0, 10),
]


def test_spans_follow_their_parents() -> None:
    assert [(depth, each.name) for depth, each in in_order(SPANS)] == [
        (0, "root"),
        (1, "first"),
        (2, "below <it>"),
        (1, "second"),
    ]


def test_the_drawing_has_names_durations_and_failures() -> None:
    drawn = ElementTree.fromstring(draw(SPANS, "A trace"))
    tag = "{http://www.w3.org/2000/svg}"
    texts = [each.text for each in drawn.iter(f"{tag}text")]
    marked = [each.text for each in drawn.iter(f"{tag}text") if each.get("class") == "error"]

    assert texts[5:9] == ["root", "10.00 s", "first", "3.00 s"]
    assert marked == ["second"]
