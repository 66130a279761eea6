"""Events of an account in the contract's names, with the rows that lists show."""

import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import msgspec

from engine.errors import NotFound
from engine.store import Store
from engine.store.accounts.account_events import AccountEvent, ChangeKind
from engine.store.accounts.wallets import LedgerEntry
from engine.values.plain import moment
from engine.webhooks.events import CANARY_ROLLED_BACK
from gateway.events.event_streams import HEARTBEAT_SECONDS, LAST_EVENT_ID
from gateway.http.responses import encode_json
from gateway.http.types import Parameter
from gateway.live_events import LiveAccount, LiveEvent, LiveEvents, LivePage, SharedData
from gateway.openapi.schema import described, matching

ACCOUNT_EVENT_ID = "([0-9]{1,15})-([0-9]{1,9})"
"""Pattern of the ids of an account's events: millisecond, and number within it."""
LAST_ACCOUNT_EVENT: Parameter = (
    LAST_EVENT_ID,
    described(
        matching(ACCOUNT_EVENT_ID), "The event that was seen last; those after it follow.", "9-1"
    ),
)
CURSOR = re.compile(ACCOUNT_EVENT_ID)
MAX_SHARED = 16_384
"""Bytes of an event's data up to which all streams share them."""
GONE = SharedData("", msgspec.Raw(b"null"))
"""Stands for an event whose row is gone."""


class AccountCursor(NamedTuple):
    """Position in an account's events: those of the millisecond `at` that were sent."""

    at: int
    sent: int

    def __str__(self) -> str:
        return f"{self.at}-{self.sent}"


def parse_account_cursor(text: str) -> AccountCursor:
    """Parse the id of an event. Raises ValueError."""
    found = CURSOR.fullmatch(text)
    if found is None:
        raise ValueError("not the id of an event")
    return AccountCursor(int(found[1]), int(found[2]))


class Rows(Protocol):
    """Rows of lists, as their routes show them. Each raises NotFound for a record that is gone."""

    async def execution(self, execution_id: str) -> tuple[str, dict[str, Any]]:
        """Return the status of an execution, and its row."""
        ...

    async def wait(self, execution_id: str, node_index: int) -> dict[str, Any]:
        """Return id and row of the execution that a caller began, and in it the wait of a node.

        The node is one of that execution, or of one below it.
        """
        ...

    async def delivery(self, delivery_id: str) -> dict[str, Any]:
        """Return the row of a delivery."""
        ...

    async def workflow(self, slug: str) -> dict[str, Any]:
        """Return the row of a workflow."""
        ...

    async def canary(self, slug: str, canary_id: str) -> dict[str, Any]:
        """Return the facts of the roll back of a canary."""
        ...


OpenRows = Callable[[], AbstractContextManager[Rows]]
"""Opens rows; the memory for those that were read is returned at the end of the context."""


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Events to send, each with its position."""

    entries: Sequence[tuple[AccountCursor, LiveEvent]]
    is_all: bool = False
    is_full: bool = False


class AccountFeed:
    """Events of an account after a position; None: from now on.

    Within a `following` context new events come from the reads that all streams of the account
    share.
    """

    nothing_more = AccountPage((), is_all=True)
    check_seconds = HEARTBEAT_SECONDS
    """Shared reads wake the stream."""

    def __init__(
        self,
        store: Store,
        live: LiveEvents,
        account_id: str,
        rows: OpenRows | None,
        after: AccountCursor | None,
    ) -> None:
        """Without `rows` the events are read alone, and never translated."""
        self._store = store
        self._live = live
        self._account_id = account_id
        self._rows = rows
        self._followed: LiveAccount | None = None
        self._since = None if after is None else after.at
        self._sent = 0 if after is None else after.sent

    @property
    def heartbeat(self) -> bytes:
        """Block that tells browsers the position: they resume there after a silence too."""
        return b":\n\n" if self._since is None else b"id: %d-%d\n\n" % (self._since, self._sent)

    @contextlib.contextmanager
    def following(self, wake: Callable[[], None]) -> Iterator[None]:
        """Take new events from the shared reads while the context lasts, and wake the stream."""
        share = None if self._rows is None else self._share
        with self._live.following(self._account_id, wake, share) as account:
            self._followed = account
            yield

    async def read(self, channel: str) -> AccountPage:
        """Return the next events. Raises Unavailable."""
        page = await self._next()
        entries, at, number = [], -1, 0
        for live in page.events:
            at, number = live.event.at, number + 1 if live.event.at == at else 1
            if self._since is None or (at, number) > (self._since, self._sent):
                entries.append((AccountCursor(at, number), live))
        if self._since is None or page.until > self._since:
            self._since, self._sent = page.until, 0
        return AccountPage(entries)

    async def _next(self) -> LivePage:
        page = None if self._followed is None else self._followed.page
        if page is not None and self._since is not None and page.since <= self._since:
            return page
        found = await self._store.account_events.read_since(self._account_id, self._since)
        events = [LiveEvent(each) for each in found.events]
        return LivePage(found.until if self._since is None else self._since, found.until, events)

    def has_new_events(self, page: AccountPage) -> bool:
        """Return whether the page has events."""
        return bool(page.entries)

    async def translate(
        self, page: AccountPage
    ) -> AsyncIterator[tuple[AccountCursor, str, dict[str, Any] | msgspec.Raw]]:
        """Yield the events with their rows; those whose row is gone are left out."""
        for cursor, live in page.entries:
            if live.shared is not None:
                if live.shared is not GONE:
                    yield cursor, *live.shared
                continue
            found = await self._find(live.event)
            if found is not None:
                yield cursor, *found

    async def _share(self, event: AccountEvent) -> SharedData | None:
        """Return the data of an event for all streams; None for large data."""
        found = await self._find(event)
        if found is None:
            return GONE
        name, data = found
        encoded = encode_json(data)
        return SharedData(name, msgspec.Raw(encoded)) if len(encoded) <= MAX_SHARED else None

    async def _find(self, event: AccountEvent) -> tuple[str, dict[str, Any]] | None:
        if self._rows is None:
            raise ValueError("events without rows are not translated")
        with self._rows() as rows:
            return await _data(rows, event)


async def _data(rows: Rows, event: AccountEvent) -> tuple[str, dict[str, Any]] | None:
    """Return the name of an event, and its row; None when that is gone."""
    try:
        name, row = await _named(rows, event)
    except NotFound:
        return None
    return name, {"id": event.id, "at": moment(event.at), **row}


async def _named(rows: Rows, event: AccountEvent) -> tuple[str, dict[str, Any]]:
    match event.kind:
        case ChangeKind.ACCEPTED:
            return "execution.started", (await rows.execution(event.id))[1]
        case ChangeKind.ENDED:
            status, row = await rows.execution(event.id)
            return f"execution.{status}", row
        case ChangeKind.WAITING:
            execution_id, _, index = event.id.rpartition("/")
            return "execution.waiting", await rows.wait(execution_id, int(index))
        case ChangeKind.DELIVERY:
            return "delivery.updated", await rows.delivery(event.id)
        case ChangeKind.WORKFLOW:
            return "workflow.saved", await rows.workflow(event.id)
        case ChangeKind.CANARY:
            slug, _, canary_id = event.id.partition("/")
            return CANARY_ROLLED_BACK, await rows.canary(slug, canary_id)
    if event.entry is None:
        raise AssertionError("a change of the balance comes with its entry")
    return "balance.changed", _movement(event.entry)


def _movement(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "credits": entry.credits,
        "balance": entry.balance,
        "executionId": entry.execution_id,
        **({"childExecutionId": entry.child_id} if entry.child_id else {}),
    }
