"""One request with pacing, retries and errors, on which all verbs are built."""

import json
import math
import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from headrace_client.core.deadlines import Deadline
from headrace_client.core.effects import Flow, Query, Request, Response, Sleep, TransportFailure
from headrace_client.core.pacing import Paces
from headrace_client.core.retries import Attempts, is_passing, make_error, read_members
from headrace_client.errors import (
    ApiError,
    ConnectionFailedError,
    HeadraceError,
    ServerError,
    WaitTimeoutError,
)

DEFAULT_TIMEOUT_SECONDS = 600.0
DEFAULT_MAX_RETRIES = 5
JITTER = 0.5
NO_ROOM = "The rate limit leaves no room for the call before its timeout"
FIRST_ERROR = 400
GRACE_SECONDS = 5.0
"""Time beyond the deadline for an answer that is on its way."""
LONGEST_WAIT_SECONDS = 600.0
"""The server waits no longer than its own setting, whatever is asked for."""


class ClientTimeout:
    """Stands for the client's own timeout where a call names none."""


CLIENT: Final = ClientTimeout()


@dataclass(frozen=True, slots=True)
class Session:
    """Timeout, retries, pace and clock that the calls of one client share."""

    timeout: float | None = DEFAULT_TIMEOUT_SECONDS
    """Seconds that a call may take, with its wait, pauses and retries; None: any time."""
    max_retries: int = DEFAULT_MAX_RETRIES
    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    paces: Paces = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "paces", Paces(self.clock))

    def deadline(self, timeout: float | None | ClientTimeout = CLIENT) -> Deadline:
        """Return the deadline of a call that begins now."""
        seconds = self.timeout if isinstance(timeout, ClientTimeout) else timeout
        return Deadline.after(self.clock, seconds)

    def send(
        self,
        request: Request,
        deadline: Deadline,
        *,
        bucket: str | None = None,
        is_repeatable: bool = True,
    ) -> Flow[Response]:
        """Send a request until it is answered well, or an error stays; return the answer.

        A call that is not repeatable is sent again only where the server has not begun it. Raises
        ApiError, ConnectionFailedError, or WaitTimeoutError when the rate limit leaves no room.
        """
        attempts = Attempts(self.max_retries, JITTER)
        while True:
            if bucket is not None:
                yield from self._take_turn(bucket, deadline)
            try:
                return (yield from self._attempt(request, deadline, bucket))
            except TransportFailure as failure:
                error: HeadraceError = ConnectionFailedError(str(failure))
                may_repeat, retry_after = is_repeatable or not failure.was_sent, None
            except ApiError as found:
                error, retry_after = found, found.retry_after
                may_repeat = is_passing(found, is_repeatable=is_repeatable)
            is_left = attempts.count(error)
            pause = attempts.pause(retry_after, self.random())
            if not may_repeat or not is_left or pause >= deadline.remaining:
                raise error
            yield Sleep(pause)

    def _attempt(self, request: Request, deadline: Deadline, bucket: str | None) -> Flow[Response]:
        response: Response = yield _by_deadline(request, deadline)
        is_answer = response.status < FIRST_ERROR
        if bucket is not None:
            self.paces.of(bucket).learn(response.headers, is_answer=is_answer)
        if not is_answer:
            raise make_error(response)
        return response

    def _take_turn(self, bucket: str, deadline: Deadline) -> Flow[None]:
        while (wait := self.paces.of(bucket).take()) > 0:
            if wait >= deadline.remaining:
                raise WaitTimeoutError(NO_ROOM)
            yield Sleep(wait)

    def fetch(
        self,
        request: Request,
        deadline: Deadline,
        *,
        bucket: str | None = None,
        is_repeatable: bool = True,
    ) -> Flow[dict[str, Any]]:
        """Like `send`, but return the members of the answer's JSON object."""
        response = yield from self.send(
            request, deadline, bucket=bucket, is_repeatable=is_repeatable
        )
        return members_of(response)

    def poll_pause(self, polls: int, deadline: Deadline) -> float:
        """Return the pause after so many polls: a quarter of a second at first, 5 s at last."""
        pause = min(5.0, 0.25 * 1.5 ** min(polls, 10)) * (1 - JITTER * self.random() / 2)
        return pause if math.isinf(deadline.at) else min(pause, deadline.remaining + 0.001)


def _by_deadline(request: Request, deadline: Deadline) -> Request:
    """Return the request with the time that its answer has, and with the server's share of it."""
    if not request.waits:
        longest = request.silence_seconds
        return replace(request, silence_seconds=min(longest, deadline.remaining + GRACE_SECONDS))
    wait = min(deadline.remaining, LONGEST_WAIT_SECONDS)
    query = request.query
    if not math.isinf(deadline.at):
        query += (("timeout", f"{wait:.3f}"),)
    silence = request.silence_seconds if request.is_stream else wait + request.silence_seconds
    return replace(request, query=query, silence_seconds=silence)


def members_of(response: Response) -> dict[str, Any]:
    """Return the members of an answer that is a JSON object. Raises ServerError."""
    members = read_members(response.body)
    if not members:
        raise ServerError(
            "The answer is not one of Headrace: is the base URL right?",
            status=response.status,
            request_id=response.headers.get("x-request-id"),
        )
    return members


def json_request(
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    query: Query = (),
    headers: Mapping[str, str] | None = None,
    **options: Any,
) -> Request:
    """Return a POST of a JSON object, or one without a body."""
    all_headers = dict(headers or {})
    data = None
    if body is not None:
        all_headers["content-type"] = "application/json"
        data = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    return Request(method="POST", path=path, query=query, headers=all_headers, body=data, **options)


def new_idempotency_key() -> str:
    """Return a key for one call, kept over its retries."""
    return str(uuid.uuid4())
