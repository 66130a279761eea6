"""Sessions of clients of revisions before 2026-07-28, of which no process keeps any state.

The id of a session is a sealed text that names account and key, so that every gateway of the
installation can check it, after any restart. A session ends with its key.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache

from engine.access.sealing import Sealer, Unsealable
from engine.errors import NotFound
from engine.settings import Settings
from engine.store import Principal
from gateway.admission.credentials import header_value
from gateway.mcp.messages import SESSION_HEADER
from gateway.services import GatewayRequest

SEAL_PLACE = ("mcp-session",)
MAX_ID = 512
"""Characters; an id has about 150."""
UNKNOWN = "This session is not one of this key; begin a new one with 'initialize'"


class McpSessions:
    """Makes the ids of sessions, and checks them."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def begin(self, principal: Principal) -> str:
        """Return the id of a new session; empty in an installation without a secret key."""
        if not self._sealer.has_key:
            return ""
        text = f"{_owner(principal)}/{secrets.token_hex(8)}"
        return urlsafe_b64encode(self._sealer.seal(text, SEAL_PLACE)).decode().rstrip("=")

    def check(self, session: str, principal: Principal) -> None:
        """Raise NotFound for a session that is not of the caller's key."""
        if len(session) > MAX_ID or not session.isascii():
            raise NotFound(UNKNOWN)
        try:
            sealed = urlsafe_b64decode(session + "=" * (-len(session) % 4))
            text = self._sealer.open(sealed, SEAL_PLACE)
        except (ValueError, Unsealable):
            raise NotFound(UNKNOWN) from None
        if text.rpartition("/")[0] != _owner(principal):
            raise NotFound(UNKNOWN)


def _owner(principal: Principal) -> str:
    return f"{principal.account.id}/{principal.key_id}"


@lru_cache(maxsize=4)
def _sessions(secret_key: str) -> McpSessions:
    return McpSessions(Sealer.from_secret_key(secret_key))


def sessions_of(settings: Settings) -> McpSessions:
    """Return the sessions of an installation."""
    return _sessions(settings.secret_key)


def read_session(request: GatewayRequest, principal: Principal) -> str:
    """Return the session of a request, empty without one. Raises NotFound."""
    session = header_value(request.scope, SESSION_HEADER)
    if session is None:
        return ""
    sessions_of(request.services.settings).check(session, principal)
    return session
