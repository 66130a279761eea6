"""A driver of flows without a network: answers from a list, on a clock that only sleeping moves."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from headrace_client.core.effects import (
    Emit,
    Flow,
    Read,
    Request,
    Response,
    RunningFlow,
    Sleep,
    TransportFailure,
)
from headrace_client.core.session import Session

T = TypeVar("T")
Outcome = Response | TransportFailure | bytes


@dataclass
class FakeDriver:
    """Gives the outcomes in order, and remembers requests, pauses and emitted values."""

    outcomes: Iterable[Outcome]
    now: float = 1_000.0
    requests: list[Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    emitted: list[Any] = field(default_factory=list)

    def session(self, **options: Any) -> Session:
        """Return a session on this clock, whose pauses have no jitter."""
        return Session(clock=lambda: self.now, random=lambda: 0.0, **options)

    def drive(self, flow: Flow[T]) -> T:
        """Do all steps."""
        outcomes = iter(self.outcomes)
        running = RunningFlow(flow)
        while (step := running.step) is not None:
            if isinstance(step, Sleep):
                self.pauses.append(step.seconds)
                self.now += step.seconds
                running.resume(None)
            elif isinstance(step, Emit):
                self.emitted.append(step.value)
                running.resume(None)
            else:
                self._do(running, step, next(outcomes))
        return running.value

    def _do(self, running: RunningFlow[Any], step: Request | Read, outcome: Outcome) -> None:
        if isinstance(step, Request):
            self.requests.append(step)
        if isinstance(outcome, TransportFailure):
            running.fail(outcome)
        else:
            running.resume(outcome)


def answer(status: int, body: Mapping[str, Any] | None = None, **headers: str) -> Response:
    """Return an answer; `retry_after="2"` is its header `retry-after`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, named, json.dumps(body or {}).encode())


def broken(*, was_sent: bool = True) -> TransportFailure:
    """Return a broken connection."""
    return TransportFailure("broken", was_sent=was_sent)


EVENTS = Response(200, {"content-type": "text/event-stream"})
"""Beginning of a stream, of which bytes follow."""


def event(number: int, name: str, **members: Any) -> bytes:
    """Return one event as it is sent."""
    data = json.dumps({"executionId": "e1", **members})
    return f"id: {number}.1\nevent: {name}\ndata: {data}\n\n".encode()
