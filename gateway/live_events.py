"""Live events of accounts: read once a second and account, for all open streams of the account.

A stream that has fallen behind, or resumes after an older event, reads by itself until it has
caught up.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec

from engine.errors import Unavailable
from engine.store.accounts.account_events import AccountEvent, AccountEventLog

READ_SECONDS = 1.0
"""Interval of the reads."""

logger = logging.getLogger(__name__)


class SharedData(NamedTuple):
    """Name and data of an event, encoded once for all streams."""

    name: str
    data: msgspec.Raw


Translate = Callable[[AccountEvent], Awaitable[SharedData | None]]
"""Returns the data of an event; None: too large to be shared. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One event; without shared data, each stream reads the event's data by itself."""

    event: AccountEvent
    shared: SharedData | None = None


@dataclass(frozen=True, slots=True)
class LivePage:
    """All events from `since` on and before `until`, both in milliseconds."""

    since: int
    until: int
    events: Sequence[LiveEvent] = ()


class LiveAccount:
    """The newest events of one account while it has streams."""

    def __init__(self, log: AccountEventLog, account_id: str) -> None:
        self._log = log
        self._account_id = account_id
        self._followers: dict[object, tuple[Callable[[], None], Translate | None]] = {}
        self._task: asyncio.Task[None] | None = None
        self.page: LivePage | None = None
        """None until the first read."""

    def add(self, follower: object, wake: Callable[[], None], translate: Translate | None) -> None:
        """Call `wake` when there are new events. Reads begin with the first follower.

        A follower without `translate` shows no data of events.
        """
        self._followers[follower] = (wake, translate)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="live events")

    def remove(self, follower: object) -> bool:
        """Forget a follower; return whether it was the last one, with which reads end."""
        self._followers.pop(follower, None)
        if self._followers or self._task is None:
            return not self._followers
        self._task.cancel()
        self._task = None
        return True

    async def _run(self) -> None:
        while True:
            try:
                await self._read()
            except Unavailable:
                pass  # the next read goes on where this one would have begun
            except Exception:
                logger.exception("the events of an account could not be read")
            await asyncio.sleep(READ_SECONDS)

    async def _read(self) -> None:
        page = self.page
        found = await self._log.read_since(self._account_id, None if page is None else page.until)
        if page is not None and not found.events:
            # The page grows over the silence, so that streams without news stay within it.
            self.page = replace(page, until=max(page.until, found.until))
            return
        events = [LiveEvent(each, await self._translate(each)) for each in found.events]
        self.page = LivePage(found.until if page is None else page.until, found.until, events)
        for wake, _ in list(self._followers.values()):
            wake()

    async def _translate(self, event: AccountEvent) -> SharedData | None:
        # The newest follower knows best what the account is shown.
        known = (each for _, each in reversed(self._followers.values()) if each is not None)
        translate = next(known, None)
        try:
            return None if translate is None else await translate(event)
        except Unavailable:
            raise
        except Exception:
            logger.exception("the row of an event could not be read")
            return None


class LiveEvents:
    """Live events of all accounts with open streams."""

    def __init__(self, log: AccountEventLog) -> None:
        self._log = log
        self._accounts: dict[str, LiveAccount] = {}

    @contextlib.contextmanager
    def following(
        self, account_id: str, wake: Callable[[], None], translate: Translate | None
    ) -> Iterator[LiveAccount]:
        """Follow the events of an account while the context lasts."""
        account = self._accounts.get(account_id)
        if account is None:
            account = self._accounts[account_id] = LiveAccount(self._log, account_id)
        follower = object()
        account.add(follower, wake, translate)
        try:
            yield account
        finally:
            if account.remove(follower):
                del self._accounts[account_id]
