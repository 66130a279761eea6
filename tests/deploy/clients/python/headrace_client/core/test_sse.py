import pytest

from headrace_client.core.sse import EventParser, ServerSentEvent

STREAM = (
    '\ufeffretry: 1500\nid: 1.1\nevent: a\ndata: {"x": "ä"}\n\n'
    ": a comment\n\n"
    "id: 2.1\r\nevent: b\r\ndata: one\r\ndata:two\r\n\r\n"
    "data: without a name\r\r"
    "id: no\0good\ndata\n\n"
    "data: not ended"
)
EVENTS = [
    ServerSentEvent("1.1", "a", '{"x": "ä"}'),
    ServerSentEvent("2.1", "b", "one\ntwo"),
    ServerSentEvent("2.1", "message", "without a name"),
    ServerSentEvent("2.1", "message", ""),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
def test_events_are_the_same_however_the_bytes_are_cut(size: int) -> None:
    data, parser = STREAM.encode(), EventParser()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]

    assert [event for piece in pieces for event in parser.feed(piece)] == EVENTS
    assert parser.retry_seconds == 1.5
