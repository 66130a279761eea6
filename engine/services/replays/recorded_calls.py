"""Books of replays: the outcomes of an earlier execution that its replay takes.

Recorded are the nodes that are not pure and have ended: their outputs or failures, by the digest of
type, settings and inputs. Delays are left out, since they pass at once, and so are failures for
want of credits, where nothing was called.
"""

import asyncio
from collections.abc import Iterator

from engine.billing.credits import MONEY_CODES
from engine.executions.replays import ReplayCalls
from engine.executions.statuses import NodeStatus
from engine.graph.plan import Plan
from engine.graph.progress import Progress
from engine.nodes.approval import Approval
from engine.nodes.support.base import WorkKind
from engine.process.account_semaphore import AccountSemaphore
from engine.services.replays.books import Book, RecordedAnswer, RecordedOutcome, pack_book
from engine.services.replays.digests import FindAsset, NodeDigests, wired_outputs
from engine.services.replays.recorded_trees import walk_children
from engine.services.replays.replayed_executions import ReplayedExecution
from engine.services.runs.seed_values import SeedValues
from engine.store.executions.record_fields import BOOK, CALLS, pack_name, parse_rows
from engine.store.executions.start import Fields
from engine.store.redis.record_packing import unpack
from engine.store.waits.records import end_field, wait_field

MOST_BYTES = 16_777_216
"""Size of recorded outcomes of children from which on no further ones are read."""
AT_ONCE, SHARE = 4, 2
"""Executions that are read at once in one process, and those of one account."""
TURNS = AccountSemaphore(AT_ONCE, SHARE)
ENDED = (NodeStatus.COMPLETED, NodeStatus.FAILED)


async def make_book(
    former: ReplayedExecution,
    calls: ReplayCalls,
    seeds: SeedValues,
    find_asset: FindAsset,
    *,
    with_children: bool = False,
) -> Book:
    """Return the book of a replay; its large values and its media become those of `seeds`.

    With live calls it has answers alone. `with_children`: it has the outcomes of children too, up
    to a number and a size. Raises InvalidBody, ResultUnreadable, StorageFailed or Unavailable.
    """
    if former.was_walked_unclaimed:
        return Book()
    plan = await former.read_plan()
    book = await _read_book(former, plan, calls, seeds, find_asset)
    if not with_children:
        return book
    outcomes, answers, size = list(book.outcomes), list(book.answers), 0
    async for child, child_plan in walk_children(former, plan):
        if child.was_walked_unclaimed:
            continue
        of_child = await _read_book(child, child_plan, calls, seeds, find_asset)
        outcomes += of_child.outcomes
        answers += of_child.answers
        size += sum(len(each.outputs or b"") for each in of_child.outcomes)
        if size > MOST_BYTES:
            break
    return Book(outcomes=tuple(outcomes), answers=tuple(answers))


async def _read_book(
    former: ReplayedExecution,
    plan: Plan,
    calls: ReplayCalls,
    seeds: SeedValues,
    find_asset: FindAsset,
) -> Book:
    """Return the outcomes and answers of one execution."""
    if all(node.type.kind is WorkKind.PURE for node in plan.nodes):
        return Book()
    async with TURNS.slot(former.account_id), former.store.offloaded.room_for_copy(former.bytes):
        progress = await former.read_progress(plan)
        recorder = _Recorder(former, plan, progress, NodeDigests(find_asset))
        book = await asyncio.to_thread(recorder.make_book, calls)
    return Book(outcomes=tuple(_seeded(book, former.id, seeds)), answers=book.answers)


def book_fields(book: Book, calls: ReplayCalls, seeds: SeedValues) -> Fields:
    """Return the fields of the record of an execution that a replay begins."""
    if not book.outcomes and not book.answers:
        return {CALLS: calls.value}
    packed = seeds.add_value(pack_book(book))
    return {CALLS: calls.value, BOOK: pack_name(packed) if isinstance(packed, str) else packed}


def _seeded(book: Book, former_id: str, seeds: SeedValues) -> Iterator[RecordedOutcome]:
    """Yield the outcomes with their objects and media as those of the new execution."""
    for outcome in book.outcomes:
        outputs = outcome.outputs
        if isinstance(outputs, str):
            outputs = seeds.add_copy(former_id, outputs)
        elif outputs is not None:
            seeds.add_media(unpack(outputs))
        yield RecordedOutcome(
            outcome.digest, outcome.node_id, outcome.wired, outputs, outcome.error
        )


class _Recorder:
    """Reads the nodes of one ended execution."""

    def __init__(
        self, former: ReplayedExecution, plan: Plan, progress: Progress, digests: NodeDigests
    ) -> None:
        self._record = former.record
        self._plan = plan
        self._progress = progress
        self._digests = digests

    def make_book(self, calls: ReplayCalls) -> Book:
        """Return the book, with objects and media of the former execution."""
        outcomes = tuple(self._outcomes()) if calls is ReplayCalls.RECORDED else ()
        return Book(outcomes=outcomes, answers=tuple(self._answers()))

    def _outcomes(self) -> Iterator[RecordedOutcome]:
        for index, row in sorted(parse_rows(self._record).items()):
            node = self._plan.nodes[index]
            if node.type.kind in (WorkKind.PURE, WorkKind.WAIT):
                continue
            if self._progress.status(index) not in ENDED:
                continue
            error = row.error
            if error is not None and error["code"] in MONEY_CODES:
                continue
            outputs = row.outputs if error is None else None
            if error is None and outputs is None:
                continue
            wired = tuple(sorted(wired_outputs(node)))
            yield RecordedOutcome(self._digest(index), node.id, wired, outputs, error)

    def _answers(self) -> Iterator[RecordedAnswer]:
        for node in self._plan.nodes:
            wait = self._record.get(wait_field(node.index))
            end = self._record.get(end_field(node.index))
            if isinstance(node.type, Approval) and wait is not None and end is not None:
                yield RecordedAnswer(self._digest(node.index), node.id, wait, end)

    def _digest(self, index: int) -> bytes:
        node = self._plan.nodes[index]
        return self._digests.of_node(node, self._progress.delivered(index))
