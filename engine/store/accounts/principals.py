"""Principals: an account with the API key or browser session of the call."""

import hashlib
from dataclasses import dataclass

from engine.access.tiers import TierTerms
from engine.store.accounts.accounts import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyClient:
    """Client of OAuth that a key was granted to."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One API key. Times are in milliseconds since the epoch."""

    id: str
    account_id: str
    name: str
    prefix: str
    last4: str
    capabilities: tuple[str, ...]
    created_at: int
    expires_at: int | None = None
    """Time from which on the key is unknown; None for never."""
    client: KeyClient | None = None
    """None: the owner made the key for a program of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Signed-in browser, by the digest of its token."""

    digest: str
    account_id: str
    is_renewed: bool = False
    """Whether the session was just extended, so that the browser's cookie should be too."""

    @property
    def id(self) -> str:
        """Public id, from which neither the token nor its digest can be found."""
        return "ses_" + hashlib.sha256(f"session id of {self.digest}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Principal of a call: account, terms of its tier, and the key or session used."""

    account: Account
    terms: TierTerms
    key: ApiKey | None = None
    session: Session | None = None

    @property
    def key_id(self) -> str:
        """Id of the key, empty for a session."""
        return self.key.id if self.key is not None else ""
