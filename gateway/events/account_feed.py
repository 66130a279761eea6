"""Events of an account in the contract's names, with the rows that lists show."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from engine.errors import NotFound
from engine.store import Store
from engine.store.accounts.account_events import AccountEvent, ChangeKind
from engine.store.accounts.wallets import LedgerEntry
from engine.values.plain import moment
from gateway.openapi.parameters import ACCOUNT_EVENT_ID

CURSOR = re.compile(ACCOUNT_EVENT_ID)


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
    """Rows of lists, as their routes show them. Each raises NotFound for what is gone."""

    async def execution(self, execution_id: str) -> tuple[str, dict[str, Any]]:
        """Return the status of an execution, and its row."""
        ...

    async def delivery(self, delivery_id: str) -> dict[str, Any]:
        """Return the row of a delivery."""
        ...

    async def workflow(self, slug: str) -> dict[str, Any]:
        """Return the row of a workflow."""
        ...


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Events to send, each with its position."""

    entries: Sequence[tuple[AccountCursor, AccountEvent]]
    is_all: bool = False


class AccountFeed:
    """Reads the events of an account after a position; None: from now on."""

    nothing_more = AccountPage((), is_all=True)

    def __init__(
        self, store: Store, account_id: str, rows: Rows, after: AccountCursor | None
    ) -> None:
        self._store = store
        self._account_id = account_id
        self._rows = rows
        self._since = None if after is None else after.at
        self._sent = 0 if after is None else after.sent

    @property
    def heartbeat(self) -> bytes:
        """Block that tells browsers the position: they resume there after a silence too."""
        return b":\n\n" if self._since is None else b"id: %d-%d\n\n" % (self._since, self._sent)

    async def read(self, channel: str) -> AccountPage:
        """Return the next events. Events are not notified: readers ask again."""
        found = await self._store.account_events.read(self._account_id, self._since)
        entries, at, number = [], -1, 0
        for event in found.events:
            at, number = event.at, number + 1 if event.at == at else 1
            if at != self._since or number > self._sent:
                entries.append((AccountCursor(at, number), event))
        if self._since is None or found.until > self._since:
            self._since, self._sent = found.until, 0
        return AccountPage(entries)

    def has_new_events(self, page: AccountPage) -> bool:
        """Return whether the page has events."""
        return bool(page.entries)

    async def translate(
        self, page: AccountPage
    ) -> AsyncIterator[tuple[AccountCursor, str, dict[str, Any]]]:
        """Yield the events with their rows; those whose row is gone are left out."""
        for cursor, event in page.entries:
            try:
                name, row = await self._named(event)
            except NotFound:
                continue
            yield cursor, name, {"id": event.id, "at": moment(event.at), **row}

    async def _named(self, event: AccountEvent) -> tuple[str, dict[str, Any]]:
        match event.kind:
            case ChangeKind.ACCEPTED:
                return "execution.started", (await self._rows.execution(event.id))[1]
            case ChangeKind.ENDED:
                status, row = await self._rows.execution(event.id)
                return f"execution.{status}", row
            case ChangeKind.DELIVERY:
                return "delivery.updated", await self._rows.delivery(event.id)
            case ChangeKind.WORKFLOW:
                return "workflow.saved", await self._rows.workflow(event.id)
        if event.entry is None:
            raise AssertionError("a change of the balance comes with its entry")
        return "balance.changed", _movement(event.entry)


def _movement(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "credits": entry.credits,
        "balance": entry.balance,
        "executionId": entry.execution_id,
    }
