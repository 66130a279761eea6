"""Whether the peer of a request has gone."""

import asyncio

from starlette.types import Message

from gateway.http.disconnects import has_disconnected


async def test_a_peer_that_is_silent_is_there_and_one_that_ended_is_not() -> None:
    ended = asyncio.Event()

    async def receive() -> Message:
        await ended.wait()
        return {"type": "http.disconnect"}

    assert not has_disconnected(receive)
    ended.set()
    assert has_disconnected(receive)


async def test_an_empty_piece_of_a_body_is_no_end() -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    assert not has_disconnected(receive)
