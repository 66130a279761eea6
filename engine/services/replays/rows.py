"""Rows of a replay: each earlier execution with the new one, and the verdict on both."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct

from engine.executions.batches import ItemStatus, parse_item_status
from engine.executions.execution import Execution
from engine.ids.executions import item_execution_id
from engine.services.media import MediaService
from engine.services.replays.replay_facts import EXECUTION
from engine.services.replays.verdicts import VERDICTS, Outcome, ReplayVerdict, compare
from engine.store import Batch, ReserveMemory, Store
from engine.store.batches.run_lists import NO_VERDICT, ItemVerdict

COMPARED_AT_ONCE = 20
OVER = frozenset({ItemStatus.COMPLETED, ItemStatus.FAILED})
"""Statuses of items that are compared; cancelled ones are not."""
Ended = Mapping[str, Execution]


class ReplayRow(Struct, frozen=True, kw_only=True):
    """One earlier execution of a replay."""

    index: int
    execution_id: str
    """The earlier execution."""
    replay_execution_id: str | None
    """None: it has not begun, or could not begin."""
    status: ItemStatus
    verdict: ReplayVerdict | None
    """None: it is not over, or was cancelled."""
    value: Mapping[str, Any]
    """Changes, node and outcomes as `compare` returns them; empty without a verdict."""


class ReplayRows:
    """Reads the rows of one replay, and records the verdicts that are missing."""

    def __init__(
        self,
        store: Store,
        media_service: MediaService,
        replay: Batch,
        reserve: ReserveMemory | None = None,
    ) -> None:
        self._store = store
        self._media_service = media_service
        self._replay = replay
        self._ids = replay.account_id, replay.id
        self._reserve = reserve
        self._statuses = [parse_item_status(code) for code in replay.states]

    async def complete(self) -> str:
        """Compare all items that are over and have no verdict; return the codes of all items.

        Raises StorageFailed or Unavailable.
        """
        codes = await self._store.lists.verdict_codes(*self._ids)
        codes = codes or NO_VERDICT * len(self._statuses)
        missing = [
            index
            for index, status in enumerate(self._statuses)
            if status in OVER and codes[index] == NO_VERDICT
        ]
        while missing:
            verdicts = await self._compare(missing[:COMPARED_AT_ONCE])
            codes = await self._store.lists.record_verdicts(*self._ids, verdicts) or codes
            missing = [index for index in missing if index not in verdicts]
        return codes

    async def read(self, indexes: Sequence[int], codes: str) -> list[ReplayRow]:
        """Return the rows with these indexes, given the codes of all items."""
        values = await self._store.lists.verdicts(*self._ids, indexes)
        former = await self._former_ids(indexes)
        unbegun = await self._errors(indexes)
        return [
            ReplayRow(
                index=index,
                execution_id=former.get(index, ""),
                replay_execution_id=self._new_id(index)
                if self._has_begun(index, unbegun)
                else None,
                status=self._statuses[index],
                verdict=VERDICTS.get(codes[index]),
                value=values.get(index, {}),
            )
            for index in indexes
        ]

    def _has_begun(self, index: int, unbegun: Collection[int]) -> bool:
        status = self._statuses[index]
        return status is ItemStatus.PROCESSING or (status in OVER and index not in unbegun)

    def _new_id(self, index: int) -> str:
        return item_execution_id(self._replay.id, index)

    async def _former_ids(self, indexes: Sequence[int]) -> Mapping[int, str]:
        items = await self._store.batches.items(*self._ids, indexes)
        return {index: item.inputs[EXECUTION] for index, item in items.items()}

    async def _errors(self, indexes: Sequence[int]) -> Mapping[int, dict[str, Any]]:
        failed = [each for each in indexes if self._statuses[each] is ItemStatus.FAILED]
        return await self._store.batches.item_errors(*self._ids, failed)

    async def _compare(self, indexes: Sequence[int]) -> Mapping[int, ItemVerdict]:
        """Return verdicts on some items, at least on the first one: results may be large."""
        former, errors = await self._former_ids(indexes), await self._errors(indexes)
        pairs = {
            index: (former.get(index, ""), None if index in errors else self._new_id(index))
            for index in indexes
        }
        names = [each for pair in pairs.values() for each in pair if each]
        named, count = await self._store.executions.named(self._ids[0], names, self._reserve)
        if count < 2 <= len(names):  # a result so large that it is read alone
            rest, more = await self._store.executions.named(
                self._ids[0], names[count:2], self._reserve
            )
            named, count = {**named, **rest}, count + more
        read = set(names[:count])
        whole = {
            index: pair
            for index, pair in pairs.items()
            if all(each in read for each in pair if each)
        }
        return await asyncio.to_thread(self._compare_all, whole, named, errors)

    def _compare_all(
        self,
        pairs: Mapping[int, tuple[str, str | None]],
        named: Ended,
        errors: Mapping[int, dict[str, Any]],
    ) -> dict[int, ItemVerdict]:
        verdicts = {}
        for index, (former_id, new_id) in pairs.items():
            before = named.get(former_id)
            after = named.get(new_id or "")
            error = errors.get(index, GONE)
            verdicts[index] = compare(
                None if before is None else Outcome.of(before),
                Outcome.refused(error) if after is None else Outcome.of(after),
                self._are_same,
            )
        return verdicts

    def _are_same(self, one: Any, other: Any) -> bool:
        """Return whether two links lead to one asset of the account."""
        linked = self._media_service.linked(one)
        return linked is not None and linked == self._media_service.linked(other)


GONE: dict[str, Any] = {"code": "EXECUTION_NOT_FOUND", "message": "The new execution is gone"}
