"""Steps that a flow asks its driver for, and the answers that it gets.

A flow is a generator. It yields a step, and the driver, blocking or asynchronous, does the step and
sends its outcome back. All logic is in flows, so both clients share it.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Generic, TypeVar, cast

Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class UploadPart:
    """A file as the part of a form."""

    name: str
    content_type: str
    content: bytes | BinaryIO


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request; the driver knows the base URL and the key. The outcome is a `Response`."""

    method: str
    path: str
    query: Query = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """JSON, the same bytes in each attempt."""
    upload: UploadPart | None = None
    silence_seconds: float = 30.0
    """Longest time without a byte from the server."""
    waits: bool = False
    """Whether the server waits, until the deadline at most: each attempt tells it the time left."""
    is_stream: bool = False
    """Whether the body of a stream of events is read by `Read` steps."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, with header names in lower case; a stream of events has no body yet."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Read:
    """Read the open stream; the outcome is bytes, none at its end."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """Pause."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Emit:
    """Give the caller a value of an iterator."""

    value: Any


class TransportFailure(Exception):
    """A request without an answer; the driver throws it into the flow."""

    def __init__(self, message: str, *, was_sent: bool) -> None:
        super().__init__(message)
        self.was_sent = was_sent
        """Whether the server may have seen the request."""


Step = Request | Read | Sleep | Emit
T = TypeVar("T")
Flow = Generator[Step, Any, T]


class RunningFlow(Generic[T]):
    """A flow under way: the step that it waits for, or its value once it has ended."""

    def __init__(self, flow: Flow[T]) -> None:
        self._flow = flow
        self._value: T | None = None
        self.step: Step | None = None
        """None after the end."""
        self.resume(None)

    @property
    def value(self) -> T:
        """Value of the ended flow."""
        return cast(T, self._value)

    def resume(self, outcome: Any) -> None:
        """Go on to the next step with the outcome of this one."""
        try:
            self.step = self._flow.send(outcome)
        except StopIteration as end:
            self.step, self._value = None, end.value

    def fail(self, failure: TransportFailure) -> None:
        """Go on to the next step after a broken connection."""
        try:
            self.step = self._flow.throw(failure)
        except StopIteration as end:
            self.step, self._value = None, end.value

    def close(self) -> None:
        """End the flow before its end."""
        self._flow.close()
