"""Relay of messages of the Model Context Protocol between a client's process and a server."""

from collections.abc import AsyncIterable
from contextlib import aclosing
from typing import Any, Protocol

import anyio
from mcp.shared.jsonrpc_dispatcher import cancelled_request_id_from_params
from mcp.shared.message import ClientMessageMetadata, SessionMessage
from mcp_types.jsonrpc import (
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
)

from deploy.client.mcp.request_headers import request_headers

Incoming = AsyncIterable[SessionMessage | Exception]
LAST_ANSWERS_SECONDS = 10.0
"""Time for answers after the last line of the client, which may be a script's."""


class Outgoing(Protocol):
    """Stream that takes messages."""

    async def send(self, item: SessionMessage, /) -> None:
        """Write a message."""
        ...

    async def aclose(self) -> None:
        """Write no more."""
        ...


class MessageRelay:
    """Sends each message on, in both directions, unchanged."""

    def __init__(
        self, client: tuple[Incoming, Outgoing], server: tuple[Incoming, Outgoing]
    ) -> None:
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._unanswered: dict[RequestId, str] = {}
        """Methods of requests, by the id of the request."""
        self._all_answered = anyio.Event()
        self._negotiated: str | None = None
        """Revision that `initialize` agreed on."""

    async def run(self) -> None:
        """Relay until the client sends no more, or the connection to the server is lost."""
        async with aclosing(self._to_client), anyio.create_task_group() as group:
            group.start_soon(self._relay_to_client, group.cancel_scope)
            await self._relay_to_server()
            with anyio.move_on_after(LAST_ANSWERS_SECONDS):
                while self._unanswered:
                    self._all_answered = anyio.Event()
                    await self._all_answered.wait()
            group.cancel_scope.cancel()

    async def _relay_to_server(self) -> None:
        async for item in self._from_client:
            if isinstance(item, Exception):
                await self._to_client.send(_unreadable())
                continue
            message = item.message
            self._note_request(message)
            headers = request_headers(message, self._negotiated)
            metadata = None if headers is None else ClientMessageMetadata(headers=headers)
            await self._to_server.send(SessionMessage(message, metadata))

    async def _relay_to_client(self, scope: anyio.CancelScope) -> None:
        async for item in self._from_server:
            if isinstance(item, Exception):
                continue  # an event that is no message, of a stream that belongs to no request
            message = item.message
            if isinstance(message, (JSONRPCResponse, JSONRPCError)):
                self._note_answer(message)
            await self._to_client.send(item)
            if not self._unanswered:
                self._all_answered.set()
        scope.cancel()

    def _note_request(self, message: JSONRPCMessage) -> None:
        if isinstance(message, JSONRPCRequest):
            self._unanswered[message.id] = message.method
        elif (
            isinstance(message, JSONRPCNotification)
            and message.method == "notifications/cancelled"
            and (cancelled := cancelled_request_id_from_params(message.params)) is not None
        ):
            self._unanswered.pop(cancelled, None)

    def _note_answer(self, message: JSONRPCResponse | JSONRPCError) -> None:
        method = None if message.id is None else self._unanswered.pop(message.id, None)
        if method == "initialize" and isinstance(message, JSONRPCResponse):
            revision: Any = message.result.get("protocolVersion")
            self._negotiated = revision if isinstance(revision, str) else None


def _unreadable() -> SessionMessage:
    error = ErrorData(code=PARSE_ERROR, message="The line is no message of JSON-RPC 2.0.")
    return SessionMessage(JSONRPCError(jsonrpc="2.0", id=None, error=error))
