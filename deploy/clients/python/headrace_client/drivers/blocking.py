"""Driver of flows that blocks."""

import time
from collections.abc import Iterator
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


class BlockingDriver:
    """Does the steps of flows with a blocking client, in any thread."""

    def __init__(self, http: httpx.Client, server: Server) -> None:
        self.http = http
        self._server = server

    def call(self, flow: Flow[T]) -> T:
        """Do all steps and return the flow's value."""
        running = RunningFlow(flow)
        connection = _Connection(self.http, self._server)
        try:
            while running.step is not None:
                connection.advance(running, running.step)
        finally:
            connection.close()
            running.close()
        return running.value

    def iterate(self, flow: Flow[None]) -> Iterator[Any]:
        """Yield the values that the flow emits; an early end closes the connection."""
        running = RunningFlow(flow)
        connection = _Connection(self.http, self._server)
        try:
            while (step := running.step) is not None:
                if isinstance(step, Emit):
                    yield step.value
                    running.resume(None)
                else:
                    connection.advance(running, step)
        finally:
            connection.close()
            running.close()


class _Connection:
    """Connection of one flow, with the stream that is open."""

    def __init__(self, http: httpx.Client, server: Server) -> None:
        self._http = http
        self._server = server
        self._stream: httpx.Response | None = None
        self._pieces: Iterator[bytes] = iter(())

    def advance(self, running: RunningFlow[Any], step: Step) -> None:
        try:
            outcome = self._do(step)
        except httpx.TransportError as error:
            running.fail(failure(error))
        else:
            running.resume(outcome)

    def _do(self, step: Step) -> Response | bytes | None:
        if isinstance(step, Request):
            return self._send(step)
        if isinstance(step, Read):
            return next(self._pieces, b"")
        if not isinstance(step, Sleep):
            raise TypeError(f"no step of a connection: {step!r}")
        time.sleep(step.seconds)
        return None

    def _send(self, request: Request) -> Response:
        self.close()
        built = self._http.build_request(**self._server.arguments(request))
        answer = self._http.send(built, stream=True)
        if is_event_stream(request, answer):
            self._stream, self._pieces = answer, answer.iter_bytes()
            return head(answer)
        try:
            return head(answer, answer.read())
        finally:
            answer.close()

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream, self._pieces = None, iter(())
