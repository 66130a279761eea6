"""Speculative authorization: the script that accepts a run authorizes and counts its call too."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from engine.store.accounts.principals import Principal
from engine.store.accounts.rate_limits import Window, parse_window
from engine.store.redis.connection import Argument

Admit = Callable[[], Awaitable[tuple[Principal, Window | None]]]
NO_ARGUMENTS: Sequence[Argument] = ("", "", "")


class SpeculativeAuthorization:
    """Authorization of a call for the principal that its key had last time.

    `keys`, `arguments` and `options` are those of `accept_execution`, which refuses a run of
    another principal, and one beyond the limit. A call that accepts nothing, or whose principal is
    another one, is authorized and counted by `authorize_call`.
    """

    __slots__ = (
        *("_authorize_call", "_is_passed", "_record_use", "_window"),
        *("arguments", "keys", "options", "principal"),
    )

    def __init__(
        self,
        principal: Principal,
        keys: Sequence[str],
        arguments: Sequence[Argument],
        options: Sequence[Argument],
        authorize_call: Admit,
        record_use: Callable[[], None],
    ) -> None:
        self.principal = principal
        self.keys = keys
        self.arguments = arguments
        self.options = options
        self._authorize_call = authorize_call
        self._record_use = record_use
        self._is_passed = False
        self._window: Window | None = None

    @property
    def is_pending(self) -> bool:
        """Whether the call is neither authorized nor refused yet."""
        return not self._is_passed and self._window is None

    def note(self, window: Sequence[Any], *, is_passed: bool) -> None:
        """Note the reply of the script: the window, if any, and whether the run may begin."""
        self._is_passed = is_passed
        self._window = parse_window([*window]) if window else None

    async def admitted(self) -> tuple[Principal, Window | None]:
        """Return the principal and the window, like `ApiKeys.authorize_call`."""
        if self.is_pending:
            return await self._authorize_call()
        self._record_use()
        return self.principal, self._window
