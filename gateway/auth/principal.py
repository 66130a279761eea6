"""Authentication of a request, by `x-api-key` or the session cookie, and authorization."""

from functools import lru_cache

from starlette.types import Scope

from engine.access.capabilities import are_usable, check_ceiling, covers
from engine.errors import AccountNotApproved, CapabilityAboveCeiling, CapabilityDenied, Unauthorized
from engine.store import Principal, SpeculativeAuthorization, Store, Window
from gateway.admission.credentials import presented_keys, session_token
from gateway.admission.own_origins import OwnOrigins
from gateway.auth.browser_sessions import check_own_write, session_cookie
from gateway.http import response_headers
from gateway.http.rate_limit_headers import apply_window

CALLER = "caller"
"""Key of the caller in the scope of a request that this process makes for an account itself: no
server sets it."""
READING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


async def authenticate(
    scope: Scope, store: Store, own: OwnOrigins, bucket: str | None = None, cost: int = 1
) -> Principal:
    """Return the caller; with a key, the cookie is ignored.

    With a bucket, the call is counted as `cost` calls.

    Raises Unauthorized for a key or session that is missing, repeated or unknown, CsrfFailed and
    RateLimitExceeded.
    """
    if CALLER in scope:
        caller: Principal = scope[CALLER]
        return caller
    secrets = presented_keys(scope)
    if not secrets:
        return await _authenticate_session(scope, store, own, bucket, cost)
    if len(secrets) != 1:
        raise Unauthorized
    principal = await _authenticate_key(scope, store, secrets[0], bucket, cost)
    check_ceiling((), principal.terms.tier, principal.terms.ceiling)
    return principal


def authenticate_speculatively(
    scope: Scope, store: Store, bucket: str
) -> SpeculativeAuthorization | None:
    """Begin to authenticate a known key without waiting; None for an unknown key or a session.

    Work done under the assumption must not be answered before `confirm`.
    """
    secrets = presented_keys(scope)
    return store.api_keys.authorize_speculatively(secrets[0], bucket) if len(secrets) == 1 else None


async def confirm(scope: Scope, speculative: SpeculativeAuthorization) -> Principal:
    """Return the confirmed caller. Raises the errors that `authenticate` raises for a key."""
    principal, window = await speculative.admitted()
    if window is not None:
        apply_window(scope, principal.terms, window)
    check_ceiling((), principal.terms.tier, principal.terms.ceiling)
    return principal


async def _authenticate_key(
    scope: Scope, store: Store, secret: str, bucket: str | None, cost: int
) -> Principal:
    if bucket is None:
        return await store.api_keys.authorize(secret)
    principal, window = await store.api_keys.authorize_call(secret, bucket, cost)
    if window is not None:
        apply_window(scope, principal.terms, window)
    return principal


async def _authenticate_session(
    scope: Scope, store: Store, own: OwnOrigins, bucket: str | None, cost: int
) -> Principal:
    token = session_token(scope)
    if token is None:
        raise Unauthorized
    if scope["method"] not in READING:
        check_own_write(scope, own)
    principal, window = await _authorize_session(store, token, bucket, cost)
    if principal.session is not None and principal.session.is_renewed:
        response_headers.add(scope, set_cookie=session_cookie(token, scope, own))
    if window is not None:
        apply_window(scope, principal.terms, window)
    return principal


async def _authorize_session(
    store: Store, token: str, bucket: str | None, cost: int
) -> tuple[Principal, Window | None]:
    if bucket is None:
        return await store.sessions.authorize(token), None
    return await store.sessions.authorize_call(token, bucket, cost)


def check_capability(principal: Principal, required: str, name: str | None = None) -> None:
    """Raise CapabilityDenied, or CapabilityAboveCeiling when the tier was lowered since.

    `name` is the slug or model of the request, for capabilities that cover one thing only.
    """
    if principal.key is None:
        return  # a session may do everything that its account may
    terms = principal.terms
    held = principal.key.capabilities
    if _is_usable(held, terms.ceiling, required, name):
        return
    raise (
        CapabilityAboveCeiling(required, terms.tier.value)
        if covers(held, required, name)
        else CapabilityDenied(required)
    )


@lru_cache(maxsize=1_024)
def _is_usable(
    held: tuple[str, ...], ceiling: frozenset[str], required: str, name: str | None
) -> bool:
    return are_usable(held, ceiling, required, name)


def has_capability(principal: Principal, required: str, name: str | None = None) -> bool:
    """Like `check_capability`, but returns False instead of raising."""
    try:
        check_capability(principal, required, name)
    except (CapabilityDenied, CapabilityAboveCeiling):
        return False
    return True


def check_runs(principal: Principal, required: str) -> None:
    """Raise the errors of `check_capability` for a caller without any capability to run."""
    held = () if principal.key is None else principal.key.capabilities
    runs = ("workflow:run", "model:run")
    if not any(each.endswith(":run") or covers([each], run) for each in held for run in runs):
        check_capability(principal, required)


def check_approved(principal: Principal) -> None:
    """Raise AccountNotApproved; called before anything is written or run."""
    if not principal.account.approved:
        raise AccountNotApproved
