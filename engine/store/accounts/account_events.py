"""Events of an account since a time: begun and ended executions, and changes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.ids.partitions import partition_of
from engine.store.accounts.wallets import LedgerEntry, parse_entry
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS

KEPT_MS = 86_400_000
"""Time for which changes are kept."""
KEPT_CHANGES = 5_000
MOST_OF_A_KIND = 200
MOST_EXAMINED = 5_000
"""Ended executions of the partition that one read examines."""


class ChangeKind(StrEnum):
    """Kinds of events, in the order within a millisecond."""

    ACCEPTED = "accepted"
    ENDED = "ended"
    DELIVERY = "delivery"
    WORKFLOW = "workflow"
    WAITING = "waiting"
    CANARY = "canary"
    BALANCE = "balance"


CHANGES = frozenset(
    {ChangeKind.DELIVERY, ChangeKind.WORKFLOW, ChangeKind.WAITING, ChangeKind.CANARY}
)
"""Kinds of recorded changes; those that a later release adds are left out."""
ORDER = {kind: position for position, kind in enumerate(ChangeKind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvent:
    """One event. `at` is in milliseconds."""

    at: int
    kind: ChangeKind
    id: str
    """Execution, delivery, slug, entry of the ledger, execution/node index of a wait, or
    slug/canary of a roll back."""
    entry: LedgerEntry | None = None
    """With BALANCE: the last movement of credits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvents:
    """Events in order, all before `until` in milliseconds."""

    events: Sequence[AccountEvent]
    until: int


class AccountEventLog:
    """Records changes, and reads them with the executions and the ledger of an account."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def record_delivery(self, account_id: str, delivery_id: str) -> None:
        """Record that a delivery has changed."""
        await self._record(account_id, f"{ChangeKind.DELIVERY}:{delivery_id}")

    async def record_workflow(self, account_id: str, slug: str) -> None:
        """Record that a workflow was saved."""
        await self._record(account_id, f"{ChangeKind.WORKFLOW}:{slug}")

    async def _record(self, account_id: str, change: str) -> None:
        await self._client.call(
            SCRIPTS["record_change"],
            changes=keyspace.account_changes(account_id),
            change=change,
            change_ms=KEPT_MS,
            most_changes=KEPT_CHANGES,
        )

    async def read_since(self, account_id: str, since: int | None) -> AccountEvents:
        """Return the events from `since` on, in milliseconds; None: from now on.

        A read is cut when there are many; the next one goes on at its `until`.
        """
        reply = await self._client.call(
            SCRIPTS["read_account_events"],
            executions=keyspace.account_executions(account_id),
            finished=keyspace.finished(partition_of(account_id)),
            changes=keyspace.account_changes(account_id),
            ledger=keyspace.ledger(account_id),
            since=since,
            prefix=keyspace.reference(account_id, ""),
            most=MOST_OF_A_KIND,
            most_examined=MOST_EXAMINED,
        )
        until = int(reply[0])
        events = [each for each in _events(reply) if (since or 0) <= each.at < until]
        ordered = sorted(events, key=lambda each: (each.at, ORDER[each.kind], each.id))
        return AccountEvents(events=ordered, until=until)


def _events(reply: Sequence[Any]) -> Iterator[AccountEvent]:
    _, accepted, ended, changes, movements = reply
    for name, at in _pairs(accepted):
        yield AccountEvent(at=at, kind=ChangeKind.ACCEPTED, id=name)
    for name, at in _pairs(ended):
        _, execution_id = keyspace.parse_reference(name)
        yield AccountEvent(at=at, kind=ChangeKind.ENDED, id=execution_id)
    for name, at in _pairs(changes):
        kind, _, changed = name.partition(":")
        if kind in CHANGES:
            yield AccountEvent(at=at, kind=ChangeKind(kind), id=changed)
    for movement in movements:
        entry_id = movement[0].decode()
        entry = parse_entry(*movement)
        yield AccountEvent(at=entry.at, kind=ChangeKind.BALANCE, id=entry_id, entry=entry)


def _pairs(flat: Sequence[bytes]) -> Iterator[tuple[str, int]]:
    for position in range(0, len(flat), 2):
        yield flat[position].decode(), int(float(flat[position + 1]))
