"""The gateway's application in this process, for commands that reach Redis and no gateway."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Scope

from deploy.client.servers import ApiRequest
from deploy.net.http_client import read_json
from deploy.output.problems import ApiRefused
from deploy.stack.location import Stack
from deploy.stack.store_access import explained
from engine.settings import load
from engine.store import Principal, Store
from gateway.admission.departure import Departure
from gateway.app import create_app
from gateway.auth.principal import CALLER
from gateway.services import State, open_services

PIECE_BYTES = 65_536


class InProcessServer:
    """Calls an application; for requests without a key, as the caller that is given."""

    url = "http://localhost"

    def __init__(self, app: ASGIApp, state: State, caller: Principal | None) -> None:
        self._app = app
        self._state = state
        self._caller = caller

    async def answer(self, request: ApiRequest) -> tuple[int, bytes]:
        """Call the application and collect the whole answer."""
        with _Exchange(request) as exchange:
            await self._app(self._scope(request), exchange.receive, exchange.send)
            return exchange.status, exchange.rest()

    async def stream(self, request: ApiRequest) -> AsyncGenerator[bytes, None]:
        """Call the application and yield the pieces of its answer as they come."""
        with _Exchange(request) as exchange:
            calling = self._app(self._scope(request), exchange.receive, exchange.send)
            answering = asyncio.ensure_future(calling)
            answering.add_done_callback(lambda _: exchange.pieces.put_nowait(b""))
            try:
                while piece := await exchange.pieces.get():
                    if exchange.status >= 400:
                        await answering
                        raise ApiRefused(exchange.status, read_json(piece + exchange.rest()))
                    yield piece
                await answering
            finally:
                answering.cancel()
                await asyncio.gather(answering, return_exceptions=True)

    def _scope(self, request: ApiRequest) -> Scope:
        path, _, query = request.path.partition("?")
        headers = {"host": "localhost", **request.sized_headers()}
        return {
            **({} if self._caller is None else {CALLER: self._caller}),
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "http",
            "server": ("localhost", 80),
            "client": None,
            "method": request.method,
            "root_path": "",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "state": self._state,
        }


class _Exchange:
    """Messages of one request and its answer."""

    def __init__(self, request: ApiRequest) -> None:
        self.status = 0
        self.pieces: asyncio.Queue[bytes] = asyncio.Queue()
        """Pieces of the answer; an empty one ends a stream."""
        self._body = request.body
        self._file: BinaryIO | None = None
        self._is_sent = False

    def __enter__(self) -> "_Exchange":
        if isinstance(self._body, Path):
            self._file = self._body.open("rb")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    async def receive(self) -> Message:
        """Return the next piece of the request's body; after its end, wait for ever."""
        if self._is_sent:
            await asyncio.Event().wait()
        if self._file is None:
            self._is_sent = True
            return {"type": "http.request", "body": self._body or b"", "more_body": False}
        piece = await asyncio.to_thread(self._file.read, PIECE_BYTES)
        self._is_sent = not piece
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def send(self, message: Message) -> None:
        """Take a message of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif piece := message.get("body"):
            self.pieces.put_nowait(bytes(piece))

    def rest(self) -> bytes:
        """Return the pieces that nobody has taken."""
        return b"".join(self.pieces.get_nowait() for _ in range(self.pieces.qsize()))


@contextlib.asynccontextmanager
async def open_in_process(stack: Stack, account_id: str | None) -> AsyncIterator[InProcessServer]:
    """Yield the application on the Redis of a stack; without a key, it is called for the account.

    Raises CommandFailed when the Redis does not answer, AccountNotFound without the account.
    """
    settings = replace(load({**stack.settings, **os.environ}), redis_url=stack.redis_url)
    with explained():
        async with open_services(settings, Departure(), is_serving=False) as services:
            caller = None if account_id is None else await _principal(services.store, account_id)
            yield InProcessServer(create_app(services), State(services=services), caller)


async def _principal(store: Store, account_id: str) -> Principal:
    account = await store.accounts.get(account_id)
    return Principal(account=account, terms=store.tiers.terms(account.tier, account.role))
