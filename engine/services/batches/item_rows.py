"""Items of a batch with their executions, by pages: hot and archived ones alike."""

from collections.abc import Collection
from typing import Any

from msgspec import Struct

from engine.errors import InvalidCursor
from engine.executions.batches import ItemStatus, parse_item_status
from engine.executions.execution import Execution
from engine.ids.executions import item_execution_id
from engine.store import Batch, ReserveMemory, Store

BEGUN = frozenset({ItemStatus.PROCESSING, ItemStatus.COMPLETED, ItemStatus.FAILED})
"""Statuses of items that have an execution; failed ones may lack it, cancelled ones may have it."""


class ItemRow(Struct, frozen=True, kw_only=True):
    """An item, with what became of its execution."""

    index: int
    status: ItemStatus
    execution_id: str | None
    """None: the item has not begun, or could not begin."""
    result: Any
    error: dict[str, Any] | None
    credits_cost: int


async def read_item_rows(
    store: Store,
    batch: Batch,
    statuses: Collection[ItemStatus],
    *,
    limit: int,
    cursor: str | None,
    reserve: ReserveMemory | None = None,
) -> tuple[list[ItemRow], str | None]:
    """Return items by index, of these statuses if any are given, and the next page's cursor.

    A page ends early when results are large. Raises InvalidCursor, and Unavailable.
    """
    wanted = [
        (index, status)
        for index, status in enumerate(map(parse_item_status, batch.states))
        if not statuses or status in statuses
    ]
    first = parse_item_cursor(cursor)
    chosen = [each for each in wanted if each[0] >= first][:limit]
    indexes = [index for index, status in chosen if status is ItemStatus.FAILED]
    errors = await store.batches.item_errors(batch.account_id, batch.id, indexes)
    ids = {
        index: item_execution_id(batch.id, index)
        for index, status in chosen
        if status is not ItemStatus.QUEUED and index not in errors
    }
    executions, count = await store.executions.named(batch.account_id, list(ids.values()), reserve)
    if count < len(ids):
        left_out = list(ids)[count]
        chosen = [each for each in chosen if each[0] < left_out]
    rows = [
        _row(index, status, ids.get(index), executions, errors.get(index))
        for index, status in chosen
    ]
    has_more = bool(chosen) and wanted[-1][0] > chosen[-1][0]
    return rows, str(chosen[-1][0] + 1) if has_more else None


def parse_item_cursor(cursor: str | None) -> int:
    """Return the index of the first item of a page. Raises InvalidCursor."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 4):
        raise InvalidCursor
    return int(cursor)


def _row(
    index: int,
    status: ItemStatus,
    execution_id: str | None,
    executions: dict[str, Execution],
    error: dict[str, Any] | None,
) -> ItemRow:
    execution = executions.get(execution_id or "")
    has_begun = execution is not None or (execution_id is not None and status in BEGUN)
    return ItemRow(
        index=index,
        status=status,
        execution_id=execution_id if has_begun else None,
        result=execution.result if execution else None,
        error=execution.error if execution else error,
        credits_cost=execution.credits_cost if execution else 0,
    )
