"""Who calls and what they may do: from the `x-api-key` header to a principal."""

from starlette.types import Scope

from engine.capabilities import check_ceiling, covers, is_under_ceiling
from engine.errors import (
    AccountNotApproved,
    CapabilityAboveCeiling,
    CapabilityDenied,
    Unauthorized,
)
from engine.store import Principal, Store

KEY_HEADER = b"x-api-key"


async def authenticate(scope: Scope, store: Store) -> Principal:
    """The caller. Raises Unauthorized, the same for a key that is missing, doubled or unknown."""
    secrets = [value for name, value in scope["headers"] if name == KEY_HEADER]
    if len(secrets) != 1:
        raise Unauthorized
    principal = await store.api_keys.authorize(secrets[0].decode("latin-1"))
    check_ceiling((), principal.terms.tier, principal.terms.ceiling)
    return principal


def check_capability(principal: Principal, required: str, name: str | None = None) -> None:
    """Raises CapabilityDenied, or CapabilityAboveCeiling when the tier has sunk since.

    `name` is the slug or model that the request is about, for capabilities of one thing alone.
    """
    if principal.key is None:
        return  # a session may do what its account may
    terms = principal.terms
    held = principal.key.capabilities
    if not covers(held, required, name):
        raise CapabilityDenied(required)
    usable = [each for each in held if is_under_ceiling(each, terms.ceiling)]
    if not covers(usable, required, name):
        raise CapabilityAboveCeiling(required, terms.tier.value)


def check_approved(principal: Principal) -> None:
    """Raises AccountNotApproved; asked before anything runs."""
    if not principal.account.approved:
        raise AccountNotApproved
