"""Changes of the list of tools, from the events of the account."""

import math
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Any

from engine.store import Principal
from engine.store.accounts.account_events import AccountEvent, ChangeKind
from gateway.auth.principal import has_capability
from gateway.events.account_feed import (
    AccountCursor,
    AccountFeed,
    AccountPage,
    parse_account_cursor,
)
from gateway.events.event_streams import HEARTBEAT_SECONDS, EventStream, read_last_event_id
from gateway.mcp.messages import RUN
from gateway.services import GatewayRequest

NAME = "message"
"""Name of each server-sent event of the protocol."""
CHANGED = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}


class ToolFeed:
    """Saves and deletes of workflows that the caller may run, after a position."""

    nothing_more = AccountPage((), is_all=True)
    check_seconds = HEARTBEAT_SECONDS

    def __init__(self, feed: AccountFeed, principal: Principal) -> None:
        self._feed = feed
        self._principal = principal

    @property
    def heartbeat(self) -> bytes:
        """As `AccountFeed.heartbeat`."""
        return self._feed.heartbeat

    def following(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """As `AccountFeed.following`."""
        return self._feed.following(wake)

    async def read(self, channel: str) -> AccountPage:
        """Return the changes among the next events. Raises Unavailable."""
        page = await self._feed.read(channel)
        return AccountPage([each for each in page.entries if self._concerns(each[1].event)])

    def _concerns(self, event: AccountEvent) -> bool:
        is_workflow = event.kind is ChangeKind.WORKFLOW
        return is_workflow and has_capability(self._principal, RUN, event.id)

    def has_new_events(self, page: AccountPage) -> bool:
        """Return whether the page has changes."""
        return bool(page.entries)

    async def translate(
        self, page: AccountPage
    ) -> AsyncIterator[tuple[AccountCursor, str, dict[str, Any]]]:
        """Yield one notification for all changes of a page."""
        for cursor, _ in page.entries[-1:]:
            yield cursor, NAME, CHANGED


class ToolStream(EventStream[AccountPage]):
    """Stream of changes to one caller, from now on or after the last one that it has seen."""

    def __init__(self, request: GatewayRequest, principal: Principal) -> None:
        services, account_id = request.services, principal.account.id
        after = read_last_event_id(request, parse_account_cursor, None)
        feed = AccountFeed(services.store, services.live_events, account_id, None, after)
        super().__init__(
            request,
            principal,
            ToolFeed(feed, principal),
            topic=f"tools:{account_id}",
            seconds=math.inf,
        )
