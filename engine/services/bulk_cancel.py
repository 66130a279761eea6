"""Cancellation of the running executions of an account that fit filters."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import ExecutionNotCancellable, ExecutionNotFound
from engine.executions.execution import ExecutionStatus
from engine.store.executions.active import ActiveExecution
from engine.store.executions.executions import Executions
from engine.store.executions.filters import ExecutionFilter

MOST_CANCELLED = 1_000
"""Most executions that one call cancels."""
AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """Outcome of a cancellation of many."""

    cancelled: int
    is_more: bool
    """Whether executions that fit are left."""


async def cancel_matching(
    executions: Executions, account_id: str, wanted: ExecutionFilter
) -> Cancelled:
    """Request the cancellation of at most 1,000 executions that fit."""
    found: list[str] = []
    async for page in executions.active(account_id):
        found += (each.id for each in page if _is_processing(each) and each.meets(wanted))
        if len(found) > MOST_CANCELLED:
            break
    found = list(dict.fromkeys(found))  # a scan may repeat one
    count = 0
    for first in range(0, min(len(found), MOST_CANCELLED), AT_ONCE):
        some = found[first : min(first + AT_ONCE, MOST_CANCELLED)]
        count += await _cancel_some(executions, account_id, some)
    return Cancelled(cancelled=count, is_more=len(found) > MOST_CANCELLED)


def _is_processing(found: ActiveExecution) -> bool:
    """Return whether an execution has not been asked to stop yet."""
    return found.execution.status is ExecutionStatus.PROCESSING


async def _cancel_some(executions: Executions, account_id: str, ids: Sequence[str]) -> int:
    return sum(await asyncio.gather(*(_cancel(executions, account_id, each) for each in ids)))


async def _cancel(executions: Executions, account_id: str, execution_id: str) -> bool:
    try:
        await executions.cancel(account_id, execution_id)
    except (ExecutionNotCancellable, ExecutionNotFound):
        return False  # it has ended meanwhile
    return True
