"""Records of OAuth: clients, requests for a grant, and codes. Times are in milliseconds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

from engine.store.formats import Format
from engine.store.redis.record_packing import pack, unpack


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """A packed record with a format."""

    kind: ClassVar[Format]
    """Kind of record, whose format goes with it."""

    def pack(self) -> bytes:
        """Return the record."""
        return pack({**self.kind.members, **asdict(self)})

    @classmethod
    def parse(cls, record: bytes) -> Self:
        """Return what was packed, ignoring members of later versions. Raises RecordTooNew."""
        members: Mapping[str, Any] = unpack(record)
        cls.kind.check(members)
        found = {each.name: members[each.name] for each in fields(cls) if each.name in members}
        return cls(**{name: _frozen(value) for name, value in found.items()})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient(_Record):
    """A program that may ask accounts for a grant. Its name was chosen at its registration."""

    id: str
    name: str
    redirect_uris: tuple[str, ...]
    secret_digest: str
    """Digest of its secret, empty for a client without one."""
    created_at: int

    kind: ClassVar[Format] = Format.OAUTH_CLIENT


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRequest(_Record):
    """A client's request for a grant, until an account answers it."""

    client_id: str
    client_name: str
    redirect_uri: str
    is_redirect_explicit: bool
    """Whether the request named the redirect URI, which the client must then repeat."""
    challenge: str
    """Challenge of PKCE, by S256."""
    state: str | None
    issuer: str
    """Address of the installation as the client knows it."""
    resource: str | None

    kind: ClassVar[Format] = Format.GRANT_REQUEST


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantCode(_Record):
    """A grant of an account, which the client turns into an API key."""

    account_id: str
    capabilities: tuple[str, ...]
    client_id: str
    client_name: str
    redirect_uri: str
    is_redirect_explicit: bool
    challenge: str
    resource: str | None

    kind: ClassVar[Format] = Format.GRANT_CODE
