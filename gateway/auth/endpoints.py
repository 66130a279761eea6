"""Endpoints: a handler with its access requirement. No handler stands without a requirement."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.access.capabilities import EVERYTHING, Role
from engine.errors import CapabilityDenied, EngineError, SessionRequired, Unauthorized
from engine.store import Principal, SpeculativeAuthorization
from engine.store.executions.offload import is_large
from gateway.admission.body_memory import ACCOUNT, BODY_RESERVATION
from gateway.admission.connections import HOLDER
from gateway.admission.credentials import presented_keys, session_token
from gateway.admission.memory import RESERVATION
from gateway.admission.open_streams import PLACE
from gateway.auth.principal import (
    CALLER,
    READING,
    authenticate,
    authenticate_speculatively,
    check_approved,
    check_capability,
    check_runs,
    confirm,
    has_capability,
)
from gateway.http import response_headers
from gateway.http.errors import method_not_allowed
from gateway.http.query import QueryParameters, check_names
from gateway.http.rate_limit_headers import RUNS
from gateway.http.request_bodies import announced_bytes
from gateway.http.responses import Answer, LargeResponse
from gateway.http.types import Parameter, Shape
from gateway.services import GatewayRequest

API = "/api/"
SPECULATIVE = "speculative_authorization"
"""Key of the pending authorization in a request's scope."""

NO_BODY = None
"""Marks an answer that has no body."""

Known = TypeVar("Known", "Guarded", "SessionOnly")
Declared = TypeVar("Declared", "Public", "Guarded", "SessionOnly")
PublicHandler = Callable[[GatewayRequest], Awaitable[Response]]
GuardedHandler = Callable[[GatewayRequest, Principal], Awaitable[Answer]]


class RejectedAnswer:
    """Answer of a handler whose run was not accepted, since its caller must be confirmed first."""

    async def finish(self) -> Response:
        """Fail: the handler is called again, with the confirmed caller."""
        raise RuntimeError("the authorization of a confirmed caller was rejected")

    def discard(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Description of an endpoint; see `operation`."""

    answers: Mapping[int, Shape | tuple[Shape, ...] | None]
    body: Shape | None
    path: tuple[Parameter, ...]
    query: type[QueryParameters] | None
    headers: tuple[Parameter, ...]
    errors: tuple[type[EngineError], ...]


@dataclass(frozen=True, slots=True)
class Public:
    """An endpoint without authentication."""

    handler: PublicHandler
    is_guessed: bool = False
    """Whether a name or token in the request decides the answer, so that failures are counted."""
    operation: Operation | None = None
    """None: the endpoint is left out of the OpenAPI document."""
    requirement = "public"

    async def answer(self, request: GatewayRequest) -> Response:
        """Call the handler. Raises TooManyFailedCalls."""
        if not self.is_guessed:
            _check_query(request, self.operation)
            return await self.handler(request)
        failed_calls = request.services.failed_calls
        failed_calls.check(request.scope)
        _check_query(request, self.operation)
        response = await self.handler(request)
        failed_calls.clear(request.scope)
        return response


@dataclass(frozen=True, slots=True)
class Guarded:
    """An endpoint for keys and sessions; a key must hold `capability`, unless it is None."""

    handler: GuardedHandler
    capability: str | None
    alternatives: tuple[str, ...] = ()
    """Capabilities of which any one suffices instead."""
    also: str | None = None
    """Capability that the endpoint requires besides."""
    name_parameter: str | None = None
    """Path parameter that names the workflow or model of a narrower capability."""
    bucket: str | None = None
    """Bucket of the tier's rate limit that counts the calls; None: calls are not counted."""
    is_counted_by_handler: bool = False
    """Whether the handler counts the call, since its body decides on the bucket."""
    is_checked_by_handler: bool = False
    """Whether the handler checks a capability to run, since a record decides on which."""
    is_before_approval: bool = False
    """Whether an account that is not approved may call it, although it writes."""
    is_in_turns: bool = False
    """Whether an account has few of these calls at a time, since each takes the process long."""
    operation: Operation | None = None
    """As `Public.operation`."""

    @property
    def requirement(self) -> str:
        """Requirement on a key, in one word."""
        if self.capability is None:
            return "any key or session"
        found = " or ".join((self.capability, *self.alternatives))
        return found if self.also is None else f"{found} and {self.also}"

    def answer(self, request: GatewayRequest) -> Awaitable[Answer]:
        """Authorize the caller, then call the handler. Raises EngineError."""
        # Speculation suits runs: one script waits for confirmation. Large inputs are stored first.
        if self.bucket in RUNS and not _is_large(request):
            store = request.services.store
            speculative = authenticate_speculatively(request.scope, store, self.bucket)
            if speculative is not None:
                return self._answer_speculatively(request, speculative)
        return self._answer_authenticated(request)

    async def _answer_authenticated(self, request: GatewayRequest) -> Answer:
        bucket = None if self.is_counted_by_handler else self.bucket
        return await self._handle(request, await _authenticate(request, bucket))

    async def _answer_speculatively(
        self, request: GatewayRequest, speculative: SpeculativeAuthorization
    ) -> Answer:
        # The handler works for the key's last known owner while that is confirmed. The accepted run
        # starts only if the owner is confirmed, and no answer is sent before.
        request.scope[SPECULATIVE] = speculative
        response, failure = None, None
        try:
            response = await self._handle(request, speculative.principal)
        except Exception as error:  # includes a client that left and our own bugs
            failure = error
        try:
            principal = await confirm(request.scope, speculative)
        except BaseException:
            _discard(response)
            raise
        del request.scope[SPECULATIVE]
        is_assumed = principal is speculative.principal or principal == speculative.principal
        if not is_assumed or isinstance(response, RejectedAnswer):
            _discard(response)
            return await self._handle(request, principal)
        if response is None:
            raise failure or RuntimeError("a handler gave neither an answer nor an error")
        return response

    def _handle(self, request: GatewayRequest, principal: Principal) -> Awaitable[Answer]:
        request.services.account_requests.begin(request.scope, principal)
        request.scope[ACCOUNT] = principal.account.id
        if self.capability is not None and not self.is_checked_by_handler:
            name = request.path_params[self.name_parameter] if self.name_parameter else None
            held = (each for each in self.alternatives if has_capability(principal, each))
            check_capability(principal, next(held, self.capability), name)
            if self.also is not None:
                check_capability(principal, self.also, name)
        if self.is_checked_by_handler and self.capability is not None:
            check_runs(principal, self.capability)
        if needs_approval(self, request.method):
            check_approved(principal)
        _check_query(request, self.operation)
        if self.is_in_turns:
            return self._handle_in_turn(request, principal)
        return self.handler(request, principal)

    async def _handle_in_turn(self, request: GatewayRequest, principal: Principal) -> Answer:
        async with request.services.long_calls.slot(principal.account.id):
            return await self.handler(request, principal)


@dataclass(frozen=True, slots=True)
class SessionOnly:
    """An endpoint for signed-in browsers."""

    handler: GuardedHandler
    is_admins: bool = False
    """Whether the account must be an admin."""
    is_before_approval: bool = False
    """As `Guarded.is_before_approval`."""
    operation: Operation | None = None
    """As `Public.operation`."""

    @property
    def requirement(self) -> str:
        """Requirement on the caller, in a few words."""
        return "session of an admin" if self.is_admins else "session"

    async def answer(self, request: GatewayRequest) -> Answer:
        """Authorize the session, then call the handler. Raises EngineError."""
        principal = await _authenticate(request)
        if principal.session is None:
            raise SessionRequired
        if self.is_admins and principal.account.role is not Role.ADMIN:
            raise CapabilityDenied(EVERYTHING, "This is for admins of the installation")
        if needs_approval(self, request.method):
            check_approved(principal)
        _check_query(request, self.operation)
        request.services.account_requests.begin(request.scope, principal)
        request.scope[ACCOUNT] = principal.account.id
        return await self.handler(request, principal)


def _discard(response: Answer | None) -> None:
    if response is not None and not isinstance(response, Response):
        response.discard()


def _check_query(request: GatewayRequest, operation: Operation | None) -> None:
    """Raise InvalidQuery for an unknown parameter. Pages are exempt: links add parameters."""
    if request.scope["query_string"] and request.scope["path"].startswith(API):
        check_names(request.scope, operation.query if operation else None)


def _is_large(request: GatewayRequest) -> bool:
    """Return whether the body may hold inputs that are stored before their run is accepted."""
    most = request.services.settings.max_body_bytes
    return is_large(announced_bytes(request.scope, most))


def needs_approval(endpoint: "Guarded | SessionOnly", method: str) -> bool:
    """Return whether a call of the endpoint is a write, reserved to approved accounts."""
    return method not in READING and not endpoint.is_before_approval


async def _authenticate(
    request: GatewayRequest, bucket: str | None = None, cost: int = 1
) -> Principal:
    services = request.services
    services.failed_calls.check(request.scope)
    own = services.own_origins
    principal = await authenticate(request.scope, services.store, own, bucket, cost)
    services.failed_calls.clear(request.scope)
    return principal


async def identify_visitor(request: GatewayRequest) -> Principal | None:
    """Return the caller of a public endpoint; None without a key and a valid session.

    Raises Unauthorized for an invalid key. Answers to a known caller are not stored by caches.
    """
    has_key = bool(presented_keys(request.scope)) or CALLER in request.scope
    if not has_key and session_token(request.scope) is None:
        return None
    response_headers.forbid_storing(request.scope)
    try:
        return await _authenticate(request)
    except Unauthorized:
        if has_key:
            raise
        return None  # a session that has ended leaves a visitor


async def count_call(request: GatewayRequest, bucket: str, cost: int = 1) -> None:
    """Count the call of an authenticated caller as `cost` calls.

    Raises RateLimitExceeded, or Unauthorized.
    """
    await _authenticate(request, bucket, cost)


def public(handler: PublicHandler) -> Public:
    """Declare an endpoint without authentication."""
    return Public(handler)


def guessed(handler: PublicHandler) -> Public:
    """Declare an endpoint without authentication whose failed calls count against the address."""
    return Public(handler, is_guessed=True)


def session_only(handler: GuardedHandler) -> SessionOnly:
    """Declare an endpoint for signed-in browsers."""
    return SessionOnly(handler)


def admins_only(handler: GuardedHandler) -> SessionOnly:
    """Declare an endpoint for browsers that an admin is signed in with."""
    return SessionOnly(handler, is_admins=True)


def any_key(handler: GuardedHandler) -> Guarded:
    """Declare an endpoint for every key, whatever its capabilities, and for sessions."""
    return Guarded(handler, None)


def requires(
    capability: str,
    *alternatives: str,
    also: str | None = None,
    named: str | None = None,
    bucket: str | None = None,
) -> Callable[[GuardedHandler], Guarded]:
    """Declare the capability that the endpoint requires; see `Guarded`."""

    def declare(handler: GuardedHandler) -> Guarded:
        return Guarded(handler, capability, alternatives, also, named, bucket)

    return declare


def counted_by_handler(endpoint: Guarded) -> Guarded:
    """Declare that the handler counts the call itself, by `count_call`."""
    return replace(endpoint, is_counted_by_handler=True)


def checked_by_handler(endpoint: Guarded) -> Guarded:
    """Declare that the handler checks which run the caller may begin, by `check_capability`.

    A caller that may run nothing at all is refused before.
    """
    return replace(endpoint, is_checked_by_handler=True)


def before_approval(endpoint: Known) -> Known:
    """Let accounts that are not approved call the endpoint, although it writes."""
    return replace(endpoint, is_before_approval=True)


def in_turns(endpoint: Guarded) -> Guarded:
    """Let an account have few calls of such endpoints at a time; further ones wait."""
    return replace(endpoint, is_in_turns=True)


def operation(
    *,
    answers: Mapping[int, Shape | tuple[Shape, ...] | None],
    body: Shape | None = None,
    path: tuple[Parameter, ...] = (),
    query: type[QueryParameters] | None = None,
    headers: tuple[Parameter, ...] = (),
    errors: tuple[type[EngineError], ...] = (),
) -> Callable[[Declared], Declared]:
    """Describe an endpoint; the OpenAPI document is built from this description and the types.

    `answers` maps each status to its body, several bodies for several media types, or `NO_BODY`.
    Under `/api/`, query parameters that `query` lacks are refused. `path` holds the path
    parameters that `PATHS` lacks, and `errors` those that do not follow from the requirement.
    """
    described = Operation(
        answers=answers, body=body, path=path, query=query, headers=headers, errors=errors
    )

    def declare(endpoint: Declared) -> Declared:
        return replace(endpoint, operation=described)

    return declare


Endpoint = Public | Guarded | SessionOnly


class Resource:
    """Endpoints of one path by method. As an ASGI app it answers, or refuses other methods.

    Answers of endpoints that need a key or a session carry account data: no cache may store them.
    """

    def __init__(self, **endpoints: Endpoint) -> None:
        self.endpoints = endpoints
        methods = set(endpoints) | ({"HEAD"} if "GET" in endpoints else set())
        self._allowed = ", ".join(sorted(methods))
        self._is_public = all(isinstance(endpoint, Public) for endpoint in endpoints.values())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: GatewayRequest = GatewayRequest(scope, receive)
        method = scope["method"]
        endpoint = self.endpoints.get("GET" if method == "HEAD" else method)
        if not isinstance(endpoint, Public):
            response_headers.forbid_storing(scope)
        try:
            response: Answer
            if endpoint is None:
                response = await self._refuse(request)
            else:
                response = await endpoint.answer(request)
            if not isinstance(response, Response):
                response = await response.finish()
            if isinstance(response, LargeResponse):
                request.services.result_memory.settle(scope, len(response.body))
            await response(scope, receive, send)
        finally:
            if RESERVATION in scope:
                request.services.result_memory.free(scope)
            if BODY_RESERVATION in scope:
                request.services.body_memory.free(scope)
            if HOLDER in scope:
                request.services.account_requests.end(scope)
            if PLACE in scope:
                request.services.open_streams.free_place(scope)

    async def _refuse(self, request: GatewayRequest) -> Response:
        if not self._is_public:
            await _authenticate(request)
        return method_not_allowed(self._allowed)
