"""Intake of an event: its inbound webhook, its body, and the proof of its sender."""

from functools import partial

from msgspec import Struct

from engine.errors import InvalidSignature, TriggerNotFound
from engine.store import FoundHook, Principal
from engine.triggers.trigger import HookSettings
from gateway.hooks.verification import is_verified
from gateway.http.json_bodies import run_off_loop
from gateway.http.middleware import BodyLimit
from gateway.http.request_bodies import read_bytes
from gateway.services import GatewayRequest

MAX_BYTES = 1_048_576
BODY_LIMIT = BodyLimit(MAX_BYTES, seconds=10.0)


class SignedEvent(Struct, frozen=True):
    """An event whose sender is verified, not parsed yet."""

    hook: FoundHook
    settings: HookSettings
    principal: Principal
    """The account of the inbound webhook, without a key."""
    data: bytes


async def take_event(request: GatewayRequest, token: str) -> SignedEvent:
    """Return the event in a request.

    Unknown, malformed and disabled tokens are refused after the same work, before the body is read.
    From then on a failure counts for the webhook alone, and from the verification on
    none does. Raises TriggerNotFound, TooManyConnections, TooManyFailedCalls, BodyTooLarge,
    Unavailable, ClientDisconnect or InvalidSignature.
    """
    services, scope, context = request.services, request.scope, request.context
    hook = await services.store.hooks.find(token)
    settings = None if hook is None else hook.trigger.settings.hook
    if hook is None or settings is None:
        raise TriggerNotFound
    principal = Principal(account=hook.account, terms=hook.terms)
    services.account_requests.begin(context, principal)
    services.failed_calls.count_for(scope, hook.trigger.id)
    data = await read_bytes(request, MAX_BYTES)
    now = hook.now / 1_000  # Redis's clock: that of this machine may be wrong
    verify = partial(is_verified, settings.verify, hook.secret, scope["headers"], data, now)
    if not await run_off_loop(len(data), verify):
        raise InvalidSignature
    services.failed_calls.clear(scope)
    context.is_sender_known = True
    return SignedEvent(hook, settings, principal, data)
