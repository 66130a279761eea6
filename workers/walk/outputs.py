"""What an execution has put out so far: how large it is, where it is kept, and how it is read."""

import asyncio
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from engine.errors import StorageFailed
from engine.errors.nodes import STORAGE, NodeFailed
from engine.executions.execution import NODE_TERMINAL, NodeStatus, parse_node_statuses
from engine.graph.plan import Plan
from engine.nodes.request_input import outputs_of
from engine.nodes.support.base import Outputs
from engine.store.executions.claims import ClaimedExecution
from engine.store.executions.offload import (
    PATIENCE_SECONDS,
    OffloadedValues,
    is_large,
    make_name,
    object_of,
    part_of,
    size_of,
)
from engine.store.executions.records import pack_name, parse_rows
from engine.store.redis.records import pack, unpack
from workers.nodes.executor import AttemptOutcome
from workers.walk.memory import RunMemory
from workers.walk.output_bundles import OutputBundles
from workers.walk.sizes import OutputSizes, RecordRoom

LEAST_SECONDS = 2.0
"""What storing may take although the node's time is up: all but this is done."""
NOT_STORED = "The node's output is large, and where such are kept it could not be stored"


class OutputStore:
    """The packed outputs of a run, held to a limit in bytes; the large ones are kept aside."""

    def __init__(
        self,
        offloaded: OffloadedValues,
        claimed: ClaimedExecution,
        plan: Plan,
        max_bytes: int,
        memory: RunMemory,
    ) -> None:
        self._offloaded = offloaded
        self._memory = memory
        self._output_bundles = OutputBundles(offloaded, claimed)
        self._claimed = claimed
        self._plan = plan
        self._max_bytes = max_bytes
        self._sizes = OutputSizes(max_bytes)
        self._room = RecordRoom()
        self._lost: dict[int, NodeFailed] = {}

    def take(self, index: int, outcome: AttemptOutcome) -> AttemptOutcome:
        """Count what a node has put out, which fails when the run is over its limit with it.

        Of the one whose output is the execution's result, that alone is kept.
        """
        if outcome.failure is not None or outcome.outputs is None:
            return outcome
        if not self._add(index, len(outcome.packed)):
            return AttemptOutcome(failure=self._too_large())
        if index == self._plan.response_output:
            return replace(outcome, packed=pack(outcome.outputs["result"]))
        if index == self._plan.request_input and self._claimed.inputs_name is not None:
            return replace(outcome, aside=self._claimed.inputs_name)  # they are kept already
        return outcome

    def _add(self, index: int, size: int) -> bool:
        """Count an output that is held; False: the run is over its limit with it."""
        self._memory.add(size)
        return self._sizes.add(index, size)

    def weigh(self, sources: Sequence[int]) -> NodeFailed | None:
        """Why a node cannot have these inputs: one is lost, or they are over the limit together."""
        if self._lost:
            for index in sources:
                if index in self._lost:
                    return self._lost[index]
        return None if self._sizes.allow(sources) else self._too_large()

    def _too_large(self) -> NodeFailed:
        limit = self._max_bytes
        return NodeFailed("run_too_large", f"The outputs of this run are over {limit} bytes")

    def fits(self, index: int, outcome: AttemptOutcome) -> bool:
        """Whether the outcome goes on the record as it is, which has so much less room then."""
        if outcome.failure is not None or outcome.aside:
            return True
        size = len(outcome.packed)
        if index == self._plan.response_output:
            return not is_large(size)
        if not self._room.has(size):
            return False
        self._room.take(size)
        return True

    async def store(
        self, index: int, outcome: AttemptOutcome, seconds: float | None
    ) -> AttemptOutcome:
        """Keep an outcome aside within what is left of the node's time, None: it has no limit.

        Its bytes are then those that stand for the name where a result is recorded.
        What cannot be stored is a failure of the node: it must not be named, and costs nothing.
        """
        limit = PATIENCE_SECONDS if seconds is None else min(seconds, PATIENCE_SECONDS)
        try:
            name = await self._put(index, outcome.packed, max(limit, LEAST_SECONDS))
        except StorageFailed:
            return AttemptOutcome(failure=NodeFailed(STORAGE, NOT_STORED))
        return replace(outcome, packed=pack_name(name), aside=name)

    async def _put(self, index: int, data: bytes, seconds: float) -> str:
        if not is_large(len(data)):
            return await self._output_bundles.put(index, data, seconds)
        claimed = self._claimed
        name = make_name(claimed.lease.object_prefix, index, len(data))
        ids = claimed.account_id, claimed.execution_id
        await self._offloaded.put(*ids, name, data, seconds=seconds)
        return name

    async def read(
        self, record: Mapping[str, bytes], wanted: Container[int]
    ) -> dict[int, Outputs | None]:
        """The outputs on record of the wanted nodes; those kept aside where somebody needs them.

        Nodes that need one which is gone, or cannot be read, will not be able to run.
        """
        outputs: dict[int, Outputs | None] = {}
        names: dict[int, str] = {}
        statuses = parse_node_statuses(record["statuses"].decode())
        for index, row in parse_rows(record).items():
            if index not in wanted:
                continue
            outputs[index], kept = None, row[5]
            if isinstance(kept, bytes):
                self._add(index, len(kept))
                outputs[index] = unpack(kept)
            elif kept is not None:
                self._sizes.add(index, size_of(str(kept)))
                if kept == self._claimed.inputs_name:
                    outputs[index] = outputs_of(self._plan.fields, self._claimed.inputs)
                elif self._is_needed(index, statuses):
                    self._memory.add(size_of(str(kept)))
                    names[index] = str(kept)
        return outputs | await self._fetch(names)

    def _is_needed(self, index: int, statuses: Sequence[NodeStatus]) -> bool:
        dependents = self._plan.nodes[index].dependents
        return any(statuses[each] not in NODE_TERMINAL for each in dependents)

    async def _fetch(self, names: Mapping[int, str]) -> dict[int, Outputs]:
        """The outputs with these names, by node; each object is read once."""
        if names:
            await self._memory.wait()
        objects = sorted({object_of(name) for name in names.values()})
        found = await asyncio.gather(*(self._load(name) for name in objects))
        loaded = dict(zip(objects, found, strict=True))
        return {index: self._opened(index, name, loaded) for index, name in names.items()}

    async def _load(self, name: str) -> bytes | str:
        """An object, or what is to be said of it in its place."""
        try:
            return await self._offloaded.read(
                self._claimed.account_id, self._claimed.execution_id, name
            )
        except FileNotFoundError:
            return "is not where it was kept any more"
        except StorageFailed:
            return "cannot be read from where it is kept"

    def _opened(self, index: int, name: str, loaded: Mapping[str, bytes | str]) -> Outputs:
        found = loaded[object_of(name)]
        if isinstance(found, bytes):
            outputs: Outputs = unpack(part_of(name, found))
            return outputs
        message = f"The output of node '{self._plan.nodes[index].id}' {found}"
        self._lost[index] = NodeFailed(STORAGE, message)
        # Whoever waits for it is to be told, so it counts as delivered.
        nodes = self._plan.nodes
        in_edges = [wire for each in nodes[index].dependents for wire in nodes[each].in_edges]
        return {wire.output: None for wire in in_edges if wire.source == index}
