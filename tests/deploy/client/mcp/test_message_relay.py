"""Messages go through in both directions, unchanged and with their headers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import ClientMessageMetadata, SessionMessage
from mcp_types.jsonrpc import jsonrpc_message_adapter

from deploy.client.mcp import message_relay as relay_module
from deploy.client.mcp.message_relay import MessageRelay

Item = SessionMessage | Exception


class Ends:
    """The ends of a relay: those of the client's process and of the server."""

    def __init__(self) -> None:
        self.lines, from_client = anyio.create_memory_object_stream[Item](9)
        to_client, self.output = anyio.create_memory_object_stream[SessionMessage](9)
        self.answers, from_server = anyio.create_memory_object_stream[Item](9)
        to_server, self.requests = anyio.create_memory_object_stream[SessionMessage](9)
        self.relay = MessageRelay((from_client, to_client), (from_server, to_server))
        self._inner = (from_client, to_client, from_server, to_server)

    def close(self) -> None:
        for each in (*self._inner, self.lines, self.output, self.answers, self.requests):
            each.close()

    async def say(self, message: dict[str, Any]) -> None:
        await _send(self.lines, message)

    async def answer(self, message: dict[str, Any]) -> None:
        await _send(self.answers, message)

    async def asked(self) -> tuple[dict[str, Any], dict[str, str] | None]:
        item = await self.requests.receive()
        meta = item.metadata
        return _plain(item), meta.headers if isinstance(meta, ClientMessageMetadata) else None

    async def told(self) -> dict[str, Any]:
        return _plain(await self.output.receive())


async def _send(stream: MemoryObjectSendStream[Item], message: dict[str, Any]) -> None:
    parsed = jsonrpc_message_adapter.validate_python({"jsonrpc": "2.0", **message})
    await stream.send(SessionMessage(parsed))


def _plain(item: SessionMessage) -> dict[str, Any]:
    plain = item.message.model_dump(by_alias=True, exclude_unset=True)
    assert plain.pop("jsonrpc") == "2.0"
    return plain


async def rest(stream: MemoryObjectReceiveStream[SessionMessage]) -> list[dict[str, Any]]:
    return [_plain(item) async for item in stream]


@asynccontextmanager
async def relaying() -> AsyncIterator[Ends]:
    """MessageRelay in the background; the relay must end by itself in time."""
    ends = Ends()
    try:
        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                group.start_soon(ends.relay.run)
                yield ends
    finally:
        ends.close()


async def test_messages_of_both_directions_are_passed_on() -> None:
    call = {"id": "a", "method": "tools/call", "params": {"name": "x", "arguments": {"n": 1.5}}}
    note = {"method": "notifications/progress", "params": {"progressToken": 1, "progress": 0.5}}
    answer = {"id": "a", "result": {"content": [], "structuredContent": {"z": None}}}
    async with relaying() as ends:
        await ends.say(call)
        assert await ends.asked() == (call, None)
        await ends.answer(note)
        await ends.answer(answer)
        assert [await ends.told(), await ends.told()] == [note, answer]
        ends.lines.close()


async def test_messages_after_the_handshake_name_the_negotiated_revision() -> None:
    ready = {"method": "notifications/initialized"}
    async with relaying() as ends:
        await ends.say({"id": 0, "method": "initialize", "params": {}})
        assert (await ends.asked())[1] is None
        await ends.answer({"id": 0, "result": {"protocolVersion": "2025-06-18"}})
        await ends.told()
        await ends.say(ready)
        assert await ends.asked() == (ready, {"mcp-protocol-version": "2025-06-18"})
        ends.lines.close()


async def test_a_line_that_is_no_message_is_answered() -> None:
    async with relaying() as ends:
        await ends.lines.send(ValueError("no JSON"))
        told = await ends.told()
        ends.lines.close()

    assert told["id"] is None
    assert told["error"]["code"] == -32700


async def test_the_last_answers_are_awaited_after_the_last_line() -> None:
    async with relaying() as ends:
        await ends.say({"id": 1, "method": "tools/list"})
        ends.lines.close()
        await ends.asked()
        await ends.answer({"id": 1, "error": {"code": -32603, "message": "no"}})

        assert [each["id"] for each in await rest(ends.output)] == [1]


async def test_an_answer_that_does_not_come_is_not_awaited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay_module, "LAST_ANSWERS_SECONDS", 0.05)
    async with relaying() as ends:
        await ends.say({"id": 1, "method": "subscriptions/listen"})
        ends.lines.close()

        assert await rest(ends.output) == []


async def test_a_cancelled_request_is_not_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "LAST_ANSWERS_SECONDS", 60.0)
    async with relaying() as ends:
        await ends.say({"id": 1, "method": "tools/call"})
        await ends.say({"method": "notifications/cancelled", "params": {"requestId": 1}})
        ends.lines.close()

        assert await rest(ends.output) == []


async def test_it_ends_when_the_server_has_gone() -> None:
    async with relaying() as ends:
        await ends.answers.send(ValueError("an event that is no message"))
        ends.answers.close()

        assert await rest(ends.output) == []
