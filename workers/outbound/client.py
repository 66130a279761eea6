"""Client of all outbound HTTP calls: checked addresses, a total deadline and a cap on bytes."""

from collections.abc import Coroutine
from typing import Any, Self

from yarl import URL

from engine.errors.nodes import NodeFailed
from engine.executions import run_depth
from engine.net.header_policy import header_fault
from engine.net.url_policy import Target, UrlRefused
from engine.nodes.support.base import HttpAnswer, HttpCall
from engine.process.time_limits import TimeLimits
from engine.settings import Settings
from engine.store.limits.outbound import OutboundCalls
from engine.telemetry.traces.calls import is_traced
from workers.outbound import redirects
from workers.outbound.address_gate import AddressGate
from workers.outbound.bodies import read_answer
from workers.outbound.budget import CallBudget
from workers.outbound.call_spans import note_status, open_http_call
from workers.outbound.connecting import (
    AddressDenied,
    Connector,
    NotConnected,
    NotConnectedInTime,
    NotTrusted,
)
from workers.outbound.connection import BodyCutOff, GarbledAnswer, NotSent, UnaskedData
from workers.outbound.dns import NameNotFound, NameResolver
from workers.outbound.exchange import Request, Response, make_request, send
from workers.outbound.pool import ConnectionPool
from workers.outbound.trace_targets import TraceTargets

CLOSE = ("Connection", "close")


class Egress:
    """Sends HTTP calls; one for a worker process, made and closed on its event loop.

    With `leases`, calls of accounts are counted there. `trace_targets` are told the trace that a
    call belongs to; by default nobody is, but by calls with `tells_trace`.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        gate: AddressGate | None = None,
        leases: OutboundCalls | None = None,
        trace_targets: TraceTargets | None = None,
    ) -> None:
        self._budget = CallBudget(leases) if leases else None
        self._gate = gate or AddressGate(allow_private=allow_private)
        self._trace_targets = trace_targets or TraceTargets()
        self._lookups = NameResolver()
        self._time_limits = TimeLimits()
        self._pool = ConnectionPool(Connector(self._gate, self._lookups))

    @classmethod
    def for_workflows(cls, settings: Settings, leases: OutboundCalls) -> Self:
        """Return the client of a worker for calls of accounts."""
        return cls(
            gate=AddressGate.for_workflows(settings),
            leases=leases,
            trace_targets=TraceTargets.from_settings(settings),
        )

    @classmethod
    def for_providers(cls, settings: Settings) -> Self:
        """Return the client of a worker for calls of models."""
        return cls(
            gate=AddressGate.for_providers(settings),
            trace_targets=TraceTargets.from_settings(settings),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()
        self._lookups.close()

    async def count(self, account_id: str, host: str) -> None:
        """Count a call before it is made. Raises NodeFailed (outbound_limit)."""
        if self._budget and not self._budget.try_count(account_id, host):
            await self._budget.count(account_id, host)

    def fetch(self, call: HttpCall) -> Coroutine[Any, Any, HttpAnswer]:
        """Send one call and read its answer within its deadline. Raises NodeFailed."""
        return self._fetch_traced(call) if is_traced() else self._fetch(call)

    async def _fetch_traced(self, call: HttpCall) -> HttpAnswer:
        with open_http_call(call) as span:
            answer = await self._fetch(call)
            note_status(span, answer.status)
            return answer

    async def _fetch(self, call: HttpCall) -> HttpAnswer:
        seconds, most = call.timeout_seconds, call.max_redirects
        try:
            target, request = self._prepare(call)
            with self._time_limits.limit(seconds):
                if self._gate.is_stale:
                    await self._gate.refresh(self._lookups.find)
                    target, request = self._prepare(call)
                for _ in range(most + 1):
                    answer = await self._exchange(call, target, request)
                    if isinstance(answer, HttpAnswer):
                        return answer
                    call = answer
                    target, request = self._prepare(call)
                raise NodeFailed("bad_response", f"The server redirects more than {most} times")
        except TimeoutError:
            message = f"No answer within {seconds:g} s"
            raise NodeFailed("timeout", message, retryable=True, may_have_arrived=True) from None
        except (OSError, ValueError) as error:
            raise _explain(error) from None

    async def _exchange(
        self, call: HttpCall, target: Target, request: Request
    ) -> HttpAnswer | HttpCall:
        """Return the answer, or the call of a redirect, whose own body is not read."""
        account_id = call.account_id
        budget = self._budget if account_id and call.is_counted else None
        if budget and not call.is_paid and not budget.try_count(account_id, target.host):
            await budget.count(account_id, target.host)
        while True:
            try:
                response = await send(self._pool, request, account_id)
                break
            except NotSent:
                continue  # on another connection; a new one never raises this
        try:
            locations = response.headers.getall("Location", ())
            if call.max_redirects and locations and response.status in redirects.STATUSES:
                return redirects.next_call(call, target, response.status, locations)
            _check_framing(response)
            return await read_answer(response, call)
        finally:
            if budget:
                received = response.content.total_bytes
                budget.add_bytes(account_id, len(call.body or b"") + received)
            response.end()

    def _prepare(self, call: HttpCall) -> tuple[Target, Request]:
        target, url = self._check(call)
        headers = [*call.headers, *call.signature]
        if call.depth:
            headers.append((run_depth.HEADER, str(call.depth)))
        traceparent = self._trace_targets.header(target, call)
        if traceparent is not None:
            headers.append(traceparent)
        if not call.keep_alive:
            headers.append(CLOSE)
        return target, make_request(call.method, url, headers, call.body)

    def _check(self, call: HttpCall) -> tuple[Target, URL]:
        try:
            target = self._gate.check(call.url)
            url = URL(target.url)
            if (url.scheme, url.raw_host, url.port) != (target.scheme, target.host, target.port):
                raise UrlRefused("The URL names no valid host")
        except ValueError as error:
            message = str(error) if isinstance(error, UrlRefused) else "The URL is not valid"
            raise NodeFailed("url_blocked", message) from None
        for name, value in call.headers:
            fault = header_fault(name, value)
            if fault:
                raise NodeFailed("header_blocked", f"The header {name[:64]!r} {fault}")
        return target, url


def _check_framing(response: Response) -> None:
    if response.status < 200:
        raise NodeFailed("bad_response", "The server changes to another protocol")
    if response.headers.get("Transfer-Encoding", "chunked").lower() != "chunked":
        raise NodeFailed("bad_response", "The answer is in a transfer encoding that is not known")


def _connection_failed(message: str, *, may_have_arrived: bool = False) -> NodeFailed:
    return NodeFailed(
        "connection_failed", message, retryable=True, may_have_arrived=may_have_arrived
    )


def _explain(error: Exception) -> NodeFailed:
    """Return a failure in fixed words: the system's own may name addresses or repeat secrets."""
    match error:
        case AddressDenied():
            return NodeFailed("url_blocked", "The URL leads to an address that is not public")
        case NameNotFound():
            return _connection_failed("The host name of the URL could not be resolved")
        case NotTrusted():
            return _connection_failed("No trusted TLS connection could be made")
        case NotConnectedInTime():
            return _connection_failed("The server did not take the connection in time")
        case NotConnected():
            return _connection_failed("The server could not be reached")
        case GarbledAnswer():
            return NodeFailed("bad_response", "The server's answer is not valid HTTP")
        case UnaskedData():
            message = "The server sent data before it had the call"
            return NodeFailed("bad_response", message, retryable=True, may_have_arrived=True)
        case BodyCutOff():
            message = "The answer's body ends before its announced length"
            return NodeFailed("bad_response", message, retryable=True, may_have_arrived=True)
        case OSError():
            return _connection_failed("The connection broke off", may_have_arrived=True)
    return NodeFailed("header_blocked", "A header's value or the method is not valid")
