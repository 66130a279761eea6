"""Frames of messages for the library: small ones of messages of any size."""

import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from engine.errors.nodes import NodeFailed
from workers.mcp.messages import (
    MAX_FRAME_VALUES,
    MAX_REQUESTS,
    MAX_VALUES,
    MessageFilter,
    is_small,
)


def frame(message: Any) -> Any:
    framed = MessageFilter().frame(msgspec.json.encode(message))
    assert framed is not None
    return msgspec.json.decode(framed)


async def events(*pieces: bytes) -> bytes:
    async def source() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return b"".join([event async for event in MessageFilter().frames(source())])


def test_a_structured_result_is_kept_beside_the_frame() -> None:
    messages = MessageFilter()
    message = {"id": 1, "result": {"content": [], "structuredContent": {"a": [1]}, "isError": True}}

    framed = messages.frame(msgspec.json.encode(message))

    assert messages.structured == {"a": [1]}
    assert framed == b'{"id":1,"result":{"content":[],"structuredContent":{},"isError":true}}'


def test_a_tool_has_the_members_alone_that_are_used() -> None:
    tool = {"name": "a", "inputSchema": {"type": "object"}, "outputSchema": {}, "icons": [1]}
    titled = {"name": "b", "annotations": {"title": "B"}, "description": None}

    framed = frame({"id": 1, "result": {"tools": [tool, titled, 5]}})

    assert framed["result"]["tools"] == [
        {"name": "a", "inputSchema": {"type": "object"}},
        {"name": "b", "title": "B"},
        5,
    ]


def test_a_notification_is_for_nobody_and_an_error_and_a_request_are_for_the_library() -> None:
    assert MessageFilter().frame(b'{"method": "notifications/progress", "params": {}}') is None
    for message in ({"id": 1, "error": {"code": 1, "message": "x"}}, {"id": 2, "method": "ping"}):
        assert frame(message) == message


def test_a_server_asks_its_caller_back_a_bounded_number_of_times() -> None:
    messages = MessageFilter()
    for number in range(MAX_REQUESTS):
        assert messages.frame(b'{"id": %d, "method": "ping"}' % number) is not None

    with pytest.raises(NodeFailed) as failed:
        messages.frame(b'{"id": "last", "method": "ping"}')

    assert failed.value.code == "response_too_large"
    assert messages.frame(b'{"method": "notifications/progress"}') is None


@pytest.mark.parametrize("data", [b"", b"{]", b"[1]", b"5", b"\xff", b"[" * 100_000])
def test_no_message_is_one_that_the_library_finds_unreadable(data: bytes) -> None:
    assert MessageFilter().frame(data) == b"{"


LARGE = [
    {"id": 1, "result": {"content": [{"type": "text", "text": ""}] * 1_001}},
    {"id": 1, "result": {"content": [], "structuredContent": [0] * (MAX_VALUES + 1)}},
    {"id": 1, "result": {"content": [], "structuredContent": [[]] * (MAX_VALUES + 1)}},
    {"id": 1, "result": {"content": [], "_meta": {"a": [0] * MAX_FRAME_VALUES}}},
    {"id": 1, "error": {"code": 1, "message": "x", "data": [0] * MAX_FRAME_VALUES}},
    {"id": 1, "result": {"tools": [{"name": "a", "inputSchema": {"a": [0] * MAX_FRAME_VALUES}}]}},
]


@pytest.mark.parametrize("message", LARGE, ids=range(len(LARGE)))
def test_a_message_of_too_many_values_fails(message: Any) -> None:
    with pytest.raises(NodeFailed) as failed:
        frame(message)

    assert failed.value.code == "response_too_large"


def test_a_megabyte_of_brackets_is_refused_before_it_is_decoded() -> None:
    data = b'{"id": 1, "result": [' + b"[]," * 1_000_000 + b"[]]}"
    began = time.process_time()

    with pytest.raises(NodeFailed):
        MessageFilter().frame(data)

    assert time.process_time() - began < 0.5


async def test_events_keep_their_ids_and_lose_comments_and_notifications() -> None:
    stream = (
        b": ping\r\n\r\nid: 7\r\nretry: 10\r\ndata: \r\n\r\n"
        b'event: message\ndata: {"method": "notifications/progress"}\n\n'
        b'event: message\nid: 8\ndata: {"id": 1,\ndata: "result": {}}\n\nda'
    )
    pieces = [stream[at : at + 7] for at in range(0, len(stream), 7)]

    got = await events(*pieces)

    assert got == (
        b'id: 7\nretry: 10\ndata: \n\nevent: message\nid: 8\ndata: {"id":1,"result":{}}\n\n'
    )


@pytest.mark.parametrize(
    ("value", "most", "small"),
    [
        (5, 1, True),
        ([], 1, True),
        ([1], 1, False),
        ([[1], {"a": 2}], 5, True),
        ([[1, 2]], 3, False),
    ],
)
def test_values_are_counted_with_those_that_hold_others(value: Any, most: int, small: bool) -> None:
    assert is_small(value, most) is small
