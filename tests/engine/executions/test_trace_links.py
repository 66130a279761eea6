"""Links to traces: the operator's template with the id of a trace."""

import pytest

from engine.executions.trace_links import TraceLinks
from engine.settings import SettingError

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("https://traces.example/trace/{traceId}", f"https://traces.example/trace/{TRACE}"),
        (" http://127.0.0.1:16686/trace/{traceId}?x={traceId} ", None),
    ],
)
def test_a_link_is_the_template_with_the_id(template: str, url: str | None) -> None:
    expected = url or f"http://127.0.0.1:16686/trace/{TRACE}?x={TRACE}"
    assert TraceLinks.parse(template).url_of(TRACE) == expected


def test_there_is_no_link_without_a_template_or_a_trace() -> None:
    assert TraceLinks.parse("").url_of(TRACE) is None
    assert TraceLinks.parse("https://traces.example/{traceId}").url_of(None) is None


@pytest.mark.parametrize(
    "template", ["https://traces.example/", "javascript:alert('{traceId}')", "{traceId}", "x"]
)
def test_a_template_that_is_no_url_with_the_id_is_refused(template: str) -> None:
    with pytest.raises(SettingError, match="HEADRACE_TRACE_URL"):
        TraceLinks.parse(template)
