"""Guards of endpoints: each authorizes the caller of a request, then calls the handler."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.responses import Response

from engine.access.capabilities import EVERYTHING, Role
from engine.errors import CapabilityDenied, EngineError, SessionRequired, Unauthorized
from engine.store import Principal, SpeculativeAuthorization
from engine.store.executions.offload import is_large
from gateway.admission.credentials import presented_keys, session_token
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
from gateway.http.query import QueryParameters, check_names
from gateway.http.rate_limit_headers import RUNS
from gateway.http.request_bodies import announced_bytes
from gateway.http.responses import Answer
from gateway.http.types import Parameter, Shape
from gateway.services import GatewayRequest

API = "/api/"
PublicHandler = Callable[[GatewayRequest], Awaitable[Answer]]
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

    async def answer(self, request: GatewayRequest) -> Answer:
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
class KeyReader(Public):
    """An endpoint of another protocol, whose handler authenticates the key in its own way."""

    requirement = "key"


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
    """Whether the handler checks a capability to run, since a record names the target."""
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
        return await self._handle(request, await authenticate_request(request, bucket))

    async def _answer_speculatively(
        self, request: GatewayRequest, speculative: SpeculativeAuthorization
    ) -> Answer:
        # The handler works for the key's last known owner while that is confirmed. The accepted run
        # starts only if the owner is confirmed, and no answer is sent before.
        request.context.speculation = speculative
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
        request.context.speculation = None
        is_assumed = principal is speculative.principal or principal == speculative.principal
        if not is_assumed or isinstance(response, RejectedAnswer):
            _discard(response)
            return await self._handle(request, principal)
        if response is None:
            raise failure or RuntimeError("a handler gave neither an answer nor an error")
        return response

    def _handle(self, request: GatewayRequest, principal: Principal) -> Awaitable[Answer]:
        request.services.account_requests.begin(request.context, principal)
        if self.capability is not None and not self.is_checked_by_handler:
            name = request.path_params[self.name_parameter] if self.name_parameter else None
            held = (each for each in self.alternatives if has_capability(principal, each))
            check_capability(principal, next(held, self.capability), name)
            if self.also is not None:
                check_capability(principal, self.also, name)
        if self.is_checked_by_handler and self.capability is not None:
            check_runs(principal, self.capability)
            if self.also is not None:
                check_capability(principal, self.also)
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
        principal = await authenticate_request(request)
        if principal.session is None:
            raise SessionRequired
        if self.is_admins and principal.account.role is not Role.ADMIN:
            raise CapabilityDenied(EVERYTHING, "This is for admins of the installation")
        if needs_approval(self, request.method):
            check_approved(principal)
        _check_query(request, self.operation)
        request.services.account_requests.begin(request.context, principal)
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


async def authenticate_request(
    request: GatewayRequest, bucket: str | None = None, cost: int = 1
) -> Principal:
    """Return the caller as `authenticate` does. Raises TooManyFailedCalls besides."""
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
        return await authenticate_request(request)
    except Unauthorized:
        if has_key:
            raise
        return None  # a session that has ended leaves a visitor


async def count_call(request: GatewayRequest, bucket: str, cost: int = 1) -> None:
    """Count the call of an authenticated caller as `cost` calls.

    Raises RateLimitExceeded, or Unauthorized.
    """
    await authenticate_request(request, bucket, cost)


Endpoint = Public | Guarded | SessionOnly
