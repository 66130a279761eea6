"""Speculative authorization: the script that accepts a run authorizes and counts its call too."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec import Struct

from engine.store.accounts.principals import Principal
from engine.store.accounts.rate_limits import Window, parse_window

AuthorizeCall = Callable[[], Awaitable[tuple[Principal, Window | None]]]


class AssumedCaller(Struct, frozen=True, kw_only=True):
    """Caller as `accept_execution` checks it, by the names in the header of that script."""

    api_keys: str | None = None
    accounts: str | None = None
    windows: str | None = None
    digest: str | None = None
    """Digest of the API key; None: the call is authorized."""
    records_fingerprint: str | None = None
    account_id: str | None = None
    key_expires_at: int | None = None
    most_calls: int | None = None
    """Calls in a window; None: they are not counted."""
    bucket: str | None = None
    window_ms: int | None = None


AUTHORIZED = AssumedCaller()
"""Caller of a call that is authorized and counted already."""


class SpeculativeAuthorization:
    """Authorization of a call for the principal that its key had at the last call.

    `accept_execution` refuses a run of another caller, and one beyond the limit. A call that
    accepts nothing, or whose principal is another one, is authorized and counted by itself.
    """

    __slots__ = ("_authorize_call", "_is_passed", "_record_use", "_window", "caller", "principal")

    def __init__(
        self,
        principal: Principal,
        caller: AssumedCaller,
        authorize_call: AuthorizeCall,
        record_use: Callable[[], None],
    ) -> None:
        """Create the authorization.

        `authorize_call` authorizes and counts the call; `record_use` is called when a run was
        accepted in its place.
        """
        self.principal = principal
        self.caller = caller
        self._authorize_call = authorize_call
        self._record_use = record_use
        self._is_passed = False
        self._window: Window | None = None

    @property
    def is_pending(self) -> bool:
        """Whether the call is neither authorized nor refused yet."""
        return not self._is_passed and self._window is None

    def record_reply(self, window: Sequence[Any], *, is_passed: bool) -> None:
        """Record the reply of the script: the window, if any, and whether the run may begin."""
        self._is_passed = is_passed
        self._window = parse_window([*window]) if window else None

    async def admitted(self) -> tuple[Principal, Window | None]:
        """Return the principal and the window, like `ApiKeys.authorize_call`."""
        if self.is_pending:
            return await self._authorize_call()
        self._record_use()
        return self.principal, self._window
