"""Parameters of a run in a request: inputs, time to wait, and webhook."""

import re
import time
from typing import Any

from msgspec import Struct, field

from engine.errors import InvalidIdempotencyKey, LoopDetected
from engine.executions import run_depth
from engine.executions.events import EventId
from engine.executions.tags import distinct_tags
from engine.ids.idempotency import IdempotencyKey, make_idempotency_key
from engine.store import Principal
from gateway.admission.credentials import header_value, header_values
from gateway.events.event_streams import wants_stream
from gateway.http.json_bodies import decode_object
from gateway.http.query import parse_seconds
from gateway.http.request_bodies import read_json
from gateway.runs.ignored_members import ignored_members
from gateway.runs.query import RetryQuery, RunQuery
from gateway.runs.streams import read_last_event_id
from gateway.runs.types import RunRequest
from gateway.runs.webhooks import RequestedWebhook, find_webhook, webhook_of_key
from gateway.services import GatewayRequest

DEPTH_HEADER = run_depth.HEADER.lower().encode()
WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*([^,;\s]+)", re.IGNORECASE)


class RunParameters(Struct, frozen=True, kw_only=True):
    """Parameters of a run."""

    inputs: dict[str, Any]
    """Empty for a retry: it has the inputs of the failed execution."""
    tags: tuple[str, ...] = ()
    """Each once; none for a retry, which keeps those of the failed execution."""
    warnings: tuple[str, ...] = ()
    """Sentences about members of the body that were ignored."""
    body_bytes: int = 0
    began: float = field(default_factory=time.perf_counter)
    """Time at which the request began, in seconds of `time.perf_counter`."""
    depth: int = 1
    """Depth of the new run, from 1."""
    wait_seconds: float
    max_credits: int | None = None
    """Most credits that the run may cost; None: all that the balance allows."""
    idempotency_key: IdempotencyKey | None = None
    webhook: RequestedWebhook | None = None
    """Webhook that is told of the run; None: none is."""
    is_of_model: bool = False
    """The run is of one model: an input whose length it refuses is the caller's."""
    after: EventId | None = None
    """None: one answer. Else events, from this one on when the call is repeated."""

    @property
    def webhook_url(self) -> str | None:
        """URL of the webhook that is told of the run; None: none is."""
        return None if self.webhook is None else self.webhook.webhook.url

    @property
    def streams(self) -> bool:
        """Whether the answer is a stream of events."""
        return self.after is not None and self.wait_seconds > 0

    @property
    def awaits_end(self) -> bool:
        """Whether the answer waits for the end of the run."""
        return self.after is None and self.wait_seconds > 0


async def read_run(
    request: GatewayRequest,
    principal: Principal,
    query: RunQuery,
    version: int | str | None = None,
    kind: type[RunRequest] = RunRequest,
) -> RunParameters:
    """Read the parameters of a run, of a version if the query names one; `kind` is its body's type.

    Raises InvalidQuery, InvalidBody, InvalidIdempotencyKey, LoopDetected and what `read_webhook`
    raises.
    """
    began, depth = time.perf_counter(), read_depth(request)
    data = await read_json(request)
    idempotency_key = read_idempotency_key(request, data, version)
    members = await decode_object(data)
    body = kind.parse(members)
    wait_seconds = 0 if query.is_async else _wait(request, query.timeout)
    webhook = None
    if body.webhook is not None or not wait_seconds:
        webhook = await find_webhook(
            request,
            principal,
            body.webhook,
            is_async=not wait_seconds,
            idempotency_key=idempotency_key,
        )
    return RunParameters(
        inputs=body.inputs,
        tags=distinct_tags(body.tags) if body.tags else (),
        warnings=ignored_members(kind, members),
        body_bytes=len(data),
        began=began,
        depth=depth,
        wait_seconds=wait_seconds,
        max_credits=query.max_credits,
        idempotency_key=idempotency_key,
        webhook=webhook,
        after=read_last_event_id(request) if wants_stream(request) else None,
    )


async def read_retry(request: GatewayRequest, principal: Principal) -> RunParameters:
    """Read the parameters of a retry, which has no body and is not waited for.

    Raises InvalidQuery, InvalidIdempotencyKey or LoopDetected.
    """
    return RunParameters(
        inputs={},
        depth=read_depth(request),
        wait_seconds=0,
        max_credits=RetryQuery.parse(request.scope).max_credits,
        idempotency_key=read_idempotency_key(request, b"", None),
        webhook=await find_webhook(request, principal, is_async=True, idempotency_key=None),
    )


def read_depth(request: GatewayRequest) -> int:
    """Return the depth of a run that the request begins, from 1. Raises LoopDetected."""
    depth = run_depth.child_depth(header_value(request.scope, DEPTH_HEADER))
    if depth > run_depth.MAX_DEPTH:
        raise LoopDetected(run_depth.MAX_DEPTH)
    return depth


def _wait(request: GatewayRequest, timeout: float | None) -> float:
    longest, preferred = request.services.settings.sync_timeout, _preferred_wait(request)
    if timeout is None and preferred is None:
        return longest
    return min(limit for limit in (longest, timeout, preferred) if limit is not None)


def _preferred_wait(request: GatewayRequest) -> float | None:
    prefer = header_value(request.scope, b"prefer")
    match = WAIT.search(prefer) if prefer else None
    return parse_seconds(match.group(1)) if match else None  # a preference may be ignored


async def key_webhook_url(request: GatewayRequest, principal: Principal) -> str | None:
    """Return the URL of the webhook of the caller's key, None without one that may be used."""
    webhook = await webhook_of_key(request, principal)
    return None if webhook is None else webhook.url


def read_idempotency_key(
    request: GatewayRequest, data: bytes, version: int | str | None
) -> IdempotencyKey | None:
    """Return the idempotency key of a call with this body. Raises InvalidIdempotencyKey."""
    keys = header_values(request.scope, b"idempotency-key")
    if not keys:
        return None
    if len(keys) > 1:
        raise InvalidIdempotencyKey
    named = b"" if version is None else f"version={version}\n".encode()
    return make_idempotency_key(request.method, request.scope["path"], keys[0], named + data)
