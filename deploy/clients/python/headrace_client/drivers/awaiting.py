"""Driver of flows that awaits."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import httpx

from headrace_client.core.effects import (
    Emit,
    Flow,
    Read,
    Request,
    Response,
    RunningFlow,
    Sleep,
    Step,
)
from headrace_client.drivers.transport import Server, failure, head, is_event_stream

T = TypeVar("T")


class AwaitingDriver:
    """Does the steps of flows with an asynchronous client."""

    def __init__(self, http: httpx.AsyncClient, server: Server) -> None:
        self.http = http
        self._server = server

    async def call(self, flow: Flow[T]) -> T:
        """Do all steps and return the flow's value."""
        running = RunningFlow(flow)
        connection = _Connection(self.http, self._server)
        try:
            while running.step is not None:
                await connection.advance(running, running.step)
        finally:
            await connection.close()
            running.close()
        return running.value

    async def iterate(self, flow: Flow[None]) -> AsyncIterator[Any]:
        """Yield the values that the flow emits; an early end closes the connection."""
        running = RunningFlow(flow)
        connection = _Connection(self.http, self._server)
        try:
            while (step := running.step) is not None:
                if isinstance(step, Emit):
                    yield step.value
                    running.resume(None)
                else:
                    await connection.advance(running, step)
        finally:
            await connection.close()
            running.close()


class _Connection:
    """Connection of one flow, with the stream that is open."""

    def __init__(self, http: httpx.AsyncClient, server: Server) -> None:
        self._http = http
        self._server = server
        self._stream: httpx.Response | None = None
        self._pieces: AsyncIterator[bytes] | None = None

    async def advance(self, running: RunningFlow[Any], step: Step) -> None:
        try:
            outcome = await self._do(step)
        except httpx.TransportError as error:
            running.fail(failure(error))
        else:
            running.resume(outcome)

    async def _do(self, step: Step) -> Response | bytes | None:
        if isinstance(step, Request):
            return await self._send(step)
        if isinstance(step, Read):
            return b"" if self._pieces is None else await anext(self._pieces, b"")
        if not isinstance(step, Sleep):
            raise TypeError(f"no step of a connection: {step!r}")
        await asyncio.sleep(step.seconds)
        return None

    async def _send(self, request: Request) -> Response:
        await self.close()
        built = self._http.build_request(**self._server.arguments(request))
        answer = await self._http.send(built, stream=True)
        if is_event_stream(request, answer):
            self._stream, self._pieces = answer, answer.aiter_bytes()
            return head(answer)
        try:
            return head(answer, await answer.aread())
        finally:
            await answer.aclose()

    async def close(self) -> None:
        if self._stream is not None:
            stream, self._stream, self._pieces = self._stream, None, None
            await stream.aclose()
