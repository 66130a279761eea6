"""Children of pure nodes that a worker walks as they begin: begin and end are then one step.

This is so where it is the same to every observer: no node has an effect, waits, or has failed, and
inputs and result are small. Any other child is queued.
"""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct

from engine.graph.plan import Plan
from engine.store.children.records import NewChild, WalkedChild

AT_ONCE = 8
"""Children that are made or walked before other tasks of the worker have a turn."""
MOST_BYTES = 16_384
"""Most bytes of all values of such a child."""


class PureWalk(Struct, frozen=True, kw_only=True):
    """Walk of a child whose nodes have all completed."""

    codes: str
    """Codes of the final statuses of all nodes."""
    rows: bytes
    """Packed rows of the nodes."""
    result: bytes
    """Packed result."""
    plain: bytes
    """Packed result as the parent gets it."""
    size: int
    """Bytes of inputs and result."""


WalkPure = Callable[[Plan, bytes, int], PureWalk | None]
"""Walks a plan with packed inputs, within a number of bytes; None: a worker must claim it."""


def walk_none(plan: Plan, packed_inputs: bytes, max_bytes: int) -> PureWalk | None:
    """Walk nothing: all children are queued."""
    return None


async def walk_all(plan: Plan, new: Sequence[NewChild], walk: WalkPure) -> dict[int, WalkedChild]:
    """Return the children that are walked, by index; the others must be queued."""
    found: dict[int, WalkedChild] = {}
    if not plan.is_pure:
        return found
    for start in range(0, len(new), AT_ONCE):
        walked = ((each, _walk(plan, each, walk)) for each in new[start : start + AT_ONCE])
        found |= {each.index: child for each, child in walked if child is not None}
        await asyncio.sleep(0)
    return found


def _walk(plan: Plan, new: NewChild, walk: WalkPure) -> WalkedChild | None:
    packed_inputs = new.fields["inputs"]
    if len(packed_inputs) > MOST_BYTES:
        return None
    walked = walk(plan, packed_inputs, MOST_BYTES)
    if walked is None:
        return None
    return WalkedChild(
        new=NewChild(index=new.index, statuses=walked.codes, fields=new.fields),
        rows=walked.rows,
        result=walked.result,
        plain=walked.plain,
        size=walked.size,
    )
