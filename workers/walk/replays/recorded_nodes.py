"""Nodes of one execution of a replay: recorded outcomes stand for calls, answers and waits.

With recorded calls a node takes the outcome of an equal node of the earlier run. Without one, only
work that stays on this machine is done; any other node fails, and the run with it. With live calls
nodes make theirs, but nobody waits: a delay passes, and an approval takes the recorded answer.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

from engine.errors import StorageFailed
from engine.errors.nodes import REPLAY_UNMATCHED, STORAGE, NodeFailed, invalid_output
from engine.executions.replays import ReplayCalls
from engine.graph.plan import Node
from engine.nodes.agents.rounds_node import RoundsNode
from engine.nodes.approval import Approval
from engine.nodes.support.base import InEdge, Outputs, WorkKind
from engine.nodes.support.children import ChildrenNode
from engine.nodes.support.waits import WaitingNode
from engine.nodes.upload import Upload
from engine.services.replays.books import RecordedOutcome
from engine.services.replays.digests import NodeDigests, wired_outputs
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.offload import OffloadedValues, object_of, part_of
from engine.store.redis.record_packing import pack, unpack
from workers.nodes.executor import AttemptOutcome
from workers.nodes.memory import RunMemory
from workers.walk.dependencies import WalkDependencies
from workers.walk.replays.recorded_book import RecordedBook

LARGE_BYTES = 1_000_000
"""Bytes of an execution's values from which on their digests are made in a thread."""
GONE = "The recorded outcome of this node cannot be read from where it is kept"


class RecordedNodes:
    """Finds the outcomes of the nodes of one execution of a replay."""

    __slots__ = (
        *("_book", "_calls", "_claimed", "_digests", "_found", "_memory", "_offloaded"),
        "_postponed",
    )

    def __init__(
        self, claimed: ClaimedExecution, dependencies: WalkDependencies, memory: RunMemory
    ) -> None:
        self._claimed = claimed
        self._calls = claimed.calls
        self._offloaded: OffloadedValues = dependencies.offloaded
        self._book = RecordedBook(claimed, dependencies, memory)
        self._digests = NodeDigests(dependencies.executor.find_asset)
        self._memory = memory
        self._found: dict[int, AttemptOutcome] = {}
        self._postponed: set[int] = set()

    @property
    def calls_nobody(self) -> bool:
        """Whether no node may call anybody."""
        return self._calls is ReplayCalls.RECORDED

    def take(self, index: int) -> AttemptOutcome | None:
        """Return the outcome that was found for a node; None: it makes an attempt."""
        return self._found.pop(index, None)

    async def find(
        self, node: Node, inputs: Mapping[str, Any], delivered: Sequence[tuple[InEdge, Any]]
    ) -> bool:
        """Find the outcome of a node that is ready; False: it makes an attempt.

        Raises Unavailable while the book cannot be read.
        """
        if node.index in self._found:
            return True
        if not self.calls_nobody and node.type.kind is not WorkKind.WAIT:
            return False
        try:
            outcome = await self._find(node, inputs, delivered)
        except NodeFailed as failure:
            outcome = AttemptOutcome(failure=failure)
        except (OverflowError, UnicodeEncodeError):
            outcome = AttemptOutcome(failure=invalid_output())
        if outcome is None:
            return False
        self._found[node.index] = outcome
        return True

    def must_postpone(self, index: int, ready: Sequence[int]) -> bool:
        """Return whether other ready nodes come first, as the node has no recorded outcome.

        It may have been cut short by the failure of one of those.
        """
        found = self._found.get(index)
        if found is None or found.failure is None or found.failure.code != REPLAY_UNMATCHED:
            return False
        self._postponed.add(index)
        return not self._postponed.issuperset(ready)

    async def _find(
        self, node: Node, inputs: Mapping[str, Any], delivered: Sequence[tuple[InEdge, Any]]
    ) -> AttemptOutcome | None:
        if isinstance(node.type, WaitingNode):
            return await self._pass_wait(node, inputs, delivered)
        book = await self._book.open()
        digest = await self._digest(node, delivered)
        for recorded in book.find_outcomes(digest, node.id):
            if (failure := recorded.failure) is not None:
                return AttemptOutcome(failure=failure, is_recorded=True)
            outputs = await self._read(recorded)
            if _gives_enough(node, recorded, outputs):
                return _completed(outputs, recorded if self._book.is_own else None)
        if node.type.kind is WorkKind.CPU or isinstance(node.type, Upload):
            return None  # it calls nobody
        if isinstance(node.type, ChildrenNode) and not isinstance(node.type, RoundsNode):
            return None  # its children have the book too
        raise _unmatched(node)

    async def _digest(self, node: Node, delivered: Sequence[tuple[InEdge, Any]]) -> bytes:
        """Return the digest of a node; large values do not hold up other walks."""
        if self._memory.used < LARGE_BYTES:
            return self._digests.of_node(node, delivered)
        return await asyncio.to_thread(self._digests.of_node, node, delivered)

    async def _pass_wait(
        self, node: Node, inputs: Mapping[str, Any], delivered: Sequence[tuple[InEdge, Any]]
    ) -> AttemptOutcome:
        kind = cast(WaitingNode, node.type)
        new = kind.begin(node.settings, inputs, self._claimed.now)
        if not isinstance(kind, Approval) or new is None:
            return _completed(kind.collect(node.settings, inputs))
        book = await self._book.open()
        digest = await self._digest(node, delivered)
        wait = book.find_answer(digest, node.id, new.fields)
        if wait is None:
            raise _unmatched(node)
        return _completed(kind.collect(node.settings, inputs, wait.answer))

    async def _read(self, recorded: RecordedOutcome) -> Outputs:
        """Return the outputs of a recorded outcome. Raises NodeFailed."""
        entry = recorded.outputs
        if not isinstance(entry, str):
            return cast(Outputs, unpack(entry or b"\x80"))
        await self._memory.wait()
        place = self._book.place
        try:
            content = await self._offloaded.read(*place, object_of(entry))
        except (FileNotFoundError, StorageFailed):
            raise NodeFailed(STORAGE, GONE) from None
        return cast(Outputs, unpack(part_of(entry, content)))


def _gives_enough(node: Node, recorded: RecordedOutcome, outputs: Outputs) -> bool:
    """Return whether the outputs that are wired now were wired then, or are on record."""
    more = wired_outputs(node) - set(recorded.wired)
    return not more or len(node.type.outputs(node.settings)) == 1 or more <= outputs.keys()


def _completed(outputs: Outputs, recorded: RecordedOutcome | None = None) -> AttemptOutcome:
    """Return the outcome of a node; an object that the book names is that of its outputs."""
    entry = None if recorded is None else recorded.outputs
    name = entry if isinstance(entry, str) else ""
    return AttemptOutcome(outputs, pack(outputs), offloaded_name=name, is_recorded=True)


def _unmatched(node: Node) -> NodeFailed:
    """Return the failure of a node without a recorded outcome."""
    if isinstance(node.type, Approval):
        message = "The earlier run has no answer to this approval"
    else:
        message = "The earlier run has no outcome of this node with these settings and inputs"
    return NodeFailed(REPLAY_UNMATCHED, message)
