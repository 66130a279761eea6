"""Who calls: an account, and the API key or the browser session that speaks for it."""

from dataclasses import dataclass

from engine.access.tiers import TierTerms
from engine.store.accounts.accounts import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One API key. `created_at` is in milliseconds since the epoch."""

    id: str
    account_id: str
    name: str
    prefix: str
    last4: str
    capabilities: tuple[str, ...]
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser that is signed in, by the digest of its token."""

    digest: str
    is_renewed: bool = False
    """Its time was just extended, and the browser's should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who calls: the account, what its tier gives, and the key or the session that spoke for it."""

    account: Account
    terms: TierTerms
    key: ApiKey | None = None
    session: Session | None = None

    @property
    def key_id(self) -> str:
        """The key's id, empty for a session."""
        return self.key.id if self.key is not None else ""
