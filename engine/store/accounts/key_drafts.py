"""New API keys before they are saved."""

import secrets
from collections.abc import Iterable

from engine.access.capabilities import add_by_name, check_ceiling, parse_all
from engine.access.tiers import Tiers
from engine.ids import api_keys
from engine.store.accounts.accounts import Account
from engine.store.accounts.principals import ApiKey, KeyClient
from engine.store.redis.client import Client
from engine.store.redis.info import read_now

MAX_NAME = 100
EXPIRED = "The time at which the key expires is over"


async def draft_key(
    redis: Client,
    tiers: Tiers,
    account: Account,
    *,
    name: str,
    capabilities: Iterable[str],
    expires_at: int | None = None,
    client: KeyClient | None = None,
) -> tuple[ApiKey, str]:
    """Return a new key of the account with its secret; `client` is granted it.

    Raises InvalidCapability, CapabilityAboveCeiling, ApiKeyAccessDenied, or ValueError for an empty
    or too long name, an empty set of capabilities, or an expiry that is over.
    """
    held = add_by_name(parse_all(capabilities))
    if not held:
        raise ValueError("A key needs at least one capability")
    check_name(name)
    terms = tiers.terms(account.tier, account.role)
    check_ceiling(held, terms.tier, terms.ceiling)
    secret = api_keys.make_secret(account.id)
    now = await read_now(redis)
    if expires_at is not None and expires_at <= now:
        raise ValueError(EXPIRED)
    key = ApiKey(
        id="key_" + secrets.token_hex(16),
        account_id=account.id,
        name=name,
        prefix=api_keys.shown_prefix(secret),
        last4=api_keys.last4(secret),
        capabilities=held,
        created_at=now,
        expires_at=expires_at,
        client=client,
    )
    return key, secret


def check_name(name: str) -> None:
    """Raise ValueError for a name that a key cannot have."""
    if not 0 < len(name) <= MAX_NAME:
        raise ValueError(f"A key's name has 1 to {MAX_NAME} characters")
