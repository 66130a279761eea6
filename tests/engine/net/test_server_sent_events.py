"""Server-sent events: rules of the standard, and pieces that end anywhere."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.server_sent_events import EventTooLarge, ServerSentEvent, ServerSentEventParser


def read(*pieces: bytes) -> list[ServerSentEvent]:
    events = ServerSentEventParser()
    return [event for piece in pieces for event in events.feed(piece)]


def messages(*texts: str) -> list[ServerSentEvent]:
    return [ServerSentEvent(type="message", data=text.encode()) for text in texts]


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ("data: one\n\n", ["one"]),
        ("data:one\n\n", ["one"]),
        ("data:  one\n\n", [" one"]),
        ("data: one: two\n\n", ["one: two"]),
        ("data: one\ndata: two\n\n", ["one\ntwo"]),
        ("data: one\n\ndata: two\n\n", ["one", "two"]),
        ("data\n\n", [""]),
        ("data\ndata\n\n", ["\n"]),
        ("data:\n\n", [""]),
        (": comment\n\n", []),
        (": comment\ndata: one\n: comment\n\n", ["one"]),
        ("retry: 10\nother: x\ndata: one\n\n", ["one"]),
        ("data: one\r\n\r\n", ["one"]),
        ("data: one\r\r", ["one"]),
        ("data: one\rdata: two\n\r\n", ["one\ntwo"]),
        ("\n\n\ndata: one\n\n\n\n", ["one"]),
        ("data: one", []),
        ("data: one\n", []),
        ("data: one\n\ndata: cut off\n", ["one"]),
        ("\ufeffdata: one\n\n", ["one"]),
        ("\ufeff\ufeffdata: one\n\n", []),
        ("data: one\n\n\ufeffdata: two\n\n", ["one"]),
        (" data: one\n\n", []),
        ("DATA: one\n\n", []),
        ("data : one\n\n", []),
        ("data: é😀\u2028\x0b\x85|\n\n", ["é😀\u2028\x0b\x85|"]),
        ("data: \0\n\n", ["\0"]),
    ],
)
def test_a_body_is_read_as_the_standard_says(body: str, texts: list[str]) -> None:
    assert read(body.encode()) == messages(*texts)


def test_an_event_has_a_type_and_the_next_one_has_it_no_more() -> None:
    assert read(b"event: error\ndata: 1\n\nevent: gone\n\ndata: 2\n\nevent\ndata: 3\n\n") == [
        ServerSentEvent(type="error", data=b"1"),
        *messages("2", "3"),
    ]


def test_an_event_has_the_last_id_that_was_told() -> None:
    body = b"data: 0\n\nid: 7\ndata: 1\n\ndata: 2\n\nid: 8\0\ndata: 3\n\nid\n\ndata: 4\n\n"

    assert [(event.id, event.data) for event in read(body)] == [
        ("", b"0"),
        ("7", b"1"),
        ("7", b"2"),
        ("7", b"3"),
        ("", b"4"),
    ]


def test_bytes_that_are_no_text_are_given_as_they_came() -> None:
    assert read(b"event: \xff\ndata: \xff\xfe\n\n") == [
        ServerSentEvent(type="\ufffd", data=b"\xff\xfe")
    ]


def test_a_line_feed_after_a_carriage_return_of_the_piece_before_ends_nothing_more() -> None:
    assert read(b"data: one\r", b"\ndata: two\r", b"\n\r", b"\n") == messages("one\ntwo")


def test_a_line_feed_that_begins_a_piece_ends_the_line_of_the_piece_before() -> None:
    assert read(b"data: one\rdata: two", b"\n\n") == messages("one\ntwo")


@pytest.mark.parametrize(
    "body",
    [b"data: " + b"x" * 95, b": " + b"x" * 99, b"data: xxxxxxxxx\n" * 11, b"data\n" * 101],
    ids=["a line", "a comment", "many lines", "many empty lines"],
)
def test_what_does_not_end_is_refused_before_it_is_all_there(body: bytes) -> None:
    events = ServerSentEventParser(max_bytes=100)

    assert list(events.feed(body[:90])) == []
    with pytest.raises(EventTooLarge):
        list(events.feed(body[90:]))


def test_many_events_may_be_larger_than_one() -> None:
    events = ServerSentEventParser(max_bytes=100)

    assert len(list(events.feed((b"data: " + b"x" * 90 + b"\n\n") * 20))) == 20


# -- pieces ---------------------------------------------------------------------------------------

LINES = st.sampled_from(
    ["data: é", "data:😀", "data", "event: e", "event", ": c", "id: 1", "", "", "data: a:b", "x"]
)
ENDS = st.sampled_from(["\n", "\r", "\r\n"])
BODIES = st.lists(st.tuples(LINES, ENDS), max_size=30).map(
    lambda pairs: "".join(line + end for line, end in pairs)
)


def plainly(body: str) -> list[ServerSentEvent]:
    """Parse a complete body with an independent, simple implementation."""
    found: list[ServerSentEvent] = []
    kind, data, last = "", "", ""
    *lines, _ = re.split("\r\n|\r|\n", body.removeprefix("\ufeff"))
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event" and line:
            kind = value
        elif name == "id":
            last = value
        elif name == "data":
            data += value + "\n"
        elif not line:
            if data:
                found.append(
                    ServerSentEvent(type=kind or "message", data=data[:-1].encode(), id=last)
                )
            kind, data = "", ""
    return found


@given(st.sampled_from(["", "\ufeff"]), BODIES, st.lists(st.integers(0, 400)))
def test_wherever_pieces_end_the_events_are_the_same(mark: str, text: str, cuts: list[int]) -> None:
    body = (mark + text).encode()
    ends = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[start:end] for start, end in zip(ends, ends[1:], strict=False)]

    assert read(*pieces) == plainly(mark + text)
    assert read(*(bytes([byte]) for byte in body)) == plainly(mark + text)
