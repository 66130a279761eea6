"""Cancellation of the running executions of an account that fit filters."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.errors import ExecutionNotCancellable, ExecutionNotFound
from engine.executions.filter import ExecutionFilter
from engine.executions.statuses import ExecutionStatus
from engine.store.executions.executions import Executions

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
    processing = ExecutionStatus.PROCESSING  # others have been asked to stop
    if processing not in (wanted.statuses or [processing]):
        return Cancelled(cancelled=0, is_more=False)
    fitting: dict[str, None] = {}  # a scan may repeat one
    async for page in executions.unfinished(account_id, replace(wanted, statuses=[processing])):
        fitting |= dict.fromkeys(page)
        if len(fitting) > MOST_CANCELLED:
            break
    ids = list(fitting)
    count = 0
    for first in range(0, min(len(ids), MOST_CANCELLED), AT_ONCE):
        some = ids[first : min(first + AT_ONCE, MOST_CANCELLED)]
        count += await _cancel_some(executions, account_id, some)
    return Cancelled(cancelled=count, is_more=len(ids) > MOST_CANCELLED)


async def _cancel_some(executions: Executions, account_id: str, ids: Sequence[str]) -> int:
    return sum(await asyncio.gather(*(_cancel(executions, account_id, each) for each in ids)))


async def _cancel(executions: Executions, account_id: str, execution_id: str) -> bool:
    try:
        await executions.cancel(account_id, execution_id)
    except (ExecutionNotCancellable, ExecutionNotFound):
        return False  # it has ended meanwhile
    return True
