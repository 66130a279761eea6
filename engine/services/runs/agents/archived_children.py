"""Children of an agent whose group is gone, read from their own executions."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.executions.batches import ItemStatus
from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.nodes.agents.rounds import EndedChild
from engine.store import ReserveMemory, Store
from engine.store.archive.archive import ParentNode
from engine.values.sockets import MEDIA_TYPES

PAGE = 200
"""Children that are read at once."""
STATUSES: Mapping[ExecutionStatus, ItemStatus] = {
    ExecutionStatus.PROCESSING: ItemStatus.PROCESSING,
    ExecutionStatus.CANCEL_REQUESTED: ItemStatus.PROCESSING,
    ExecutionStatus.COMPLETED: ItemStatus.COMPLETED,
    ExecutionStatus.FAILED: ItemStatus.FAILED,
    ExecutionStatus.CANCELLED: ItemStatus.CANCELLED,
}
NEVER_BEGAN = {"code": "not_begun", "message": "The call could not begin"}
MEDIA = frozenset(f"{each}s" for each in MEDIA_TYPES)
"""Names by which a result has the media that are wired to it."""


async def read_archived(
    store: Store, account_id: str, parent: ParentNode, reserve: ReserveMemory | None
) -> Sequence[EndedChild]:
    """Return the children of a node in the order of their indexes.

    Raises ResultUnreadable, ResultGone and Unavailable.
    """
    found: dict[int, EndedChild] = {}
    cursor: str | None = None
    while True:
        page, cursor = await store.executions.children.page(
            account_id, parent, (), limit=PAGE, cursor=cursor, reserve=reserve
        )
        found |= {each.child.index: _end_of(each) for each in page if each.child is not None}
        if cursor is None:
            break
    absent = EndedChild(status=ItemStatus.FAILED, error=NEVER_BEGAN)
    return [found.get(index, absent) for index in range(max(found, default=-1) + 1)]


def replayable_error(error: Mapping[str, Any] | None) -> Mapping[str, str] | None:
    """Return a child's error with the code and the reason of the node that failed in it."""
    if error is None:
        return None
    code = error.get("nodeCode") or error["code"]
    return {"code": code, "message": error.get("reason") or error["message"]}


def _end_of(child: Execution) -> EndedChild:
    status = STATUSES[child.status]
    return EndedChild(
        status=status,
        value=_plain(child.result) if status is ItemStatus.COMPLETED else None,
        error=replayable_error(child.error),
        credits_cost=child.credits_cost,
        duration_ms=child.duration_ms or 0,
    )


def _plain(result: Any) -> Any:
    """Return a result as the agent got it: one text or medium without its name."""
    if not isinstance(result, dict) or len(result) != 1:
        return result
    [(name, value)] = result.items()
    if name == "text" and isinstance(value, str):
        return value
    is_medium = name in MEDIA and isinstance(value, list) and len(value) == 1
    return value[0] if is_medium else result
