"""Outputs of one execution so far: sizes, storage and reading."""

import asyncio
import contextlib
from collections.abc import Container, Mapping, Sequence

from msgspec import structs

from engine.errors import StorageFailed, Unavailable
from engine.errors.nodes import STORAGE, NodeFailed
from engine.executions.statuses import NODE_TERMINAL, NodeStatus, parse_node_statuses
from engine.graph.failures import fallback_of
from engine.graph.plan import Plan
from engine.nodes.request_input import outputs_of
from engine.nodes.support.base import Outputs
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.offload import (
    PATIENCE_SECONDS,
    OffloadedValues,
    is_large,
    make_child_name,
    make_name,
    object_of,
    part_of,
    size_of,
)
from engine.store.executions.record_fields import pack_name, parse_rows
from engine.store.redis.record_packing import pack, unpack
from engine.telemetry.metrics import STORAGE_FAILURES
from workers.nodes.executor import AttemptOutcome
from workers.nodes.memory import RunMemory
from workers.walk.values.bundles import OutputBundles
from workers.walk.values.sizes import OutputSizes, RecordCapacity

LEAST_SECONDS = 2.0
"""Time to store an output although the node's time is up: the work is done by then."""
REMOVE_SECONDS = 5.0
"""Most time for the removal of large values after the end."""
NOT_STORED = "The node's output is large, and where such are kept it could not be stored"


class OutputStore:
    """The packed outputs of a run, limited in bytes; large ones are offloaded."""

    __slots__ = (
        *("_capacity", "_claimed", "_has_stored", "_max_bytes", "_memory", "_offloaded"),
        *("_output_bundles", "_plan", "_sizes", "_unreadable"),
    )

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
        self._output_bundles: OutputBundles | None = None
        self._claimed = claimed
        self._plan = plan
        self._max_bytes = max_bytes
        self._sizes = OutputSizes(max_bytes, claimed.bytes_of_others)
        self._capacity = RecordCapacity()
        self._unreadable: dict[int, NodeFailed] = {}
        self._has_stored = False

    @property
    def total(self) -> int:
        """Bytes of all outputs so far."""
        return self._sizes.total

    def count_output(self, index: int, outcome: AttemptOutcome) -> AttemptOutcome:
        """Count a node's output, and fail the node when the run exceeds its limit with it.

        Only the result is stored of the node whose output is the execution's result.
        """
        if outcome.failure is not None or outcome.outputs is None:
            return outcome
        if not self._add(index, len(outcome.packed)):
            return AttemptOutcome(failure=self._too_large())
        if index == self._plan.response_output:
            return structs.replace(outcome, packed=pack(outcome.outputs["result"]))
        if index == self._plan.request_input and self._claimed.inputs_name is not None:
            # The inputs are stored already.
            return structs.replace(outcome, offloaded_name=self._claimed.inputs_name)
        return outcome

    def _add(self, index: int, size: int) -> bool:
        """Count an output in memory; False: the run is over its limit with it."""
        self._memory.add(size)
        return self._sizes.add(index, size)

    def check_inputs(self, sources: Sequence[int]) -> NodeFailed | None:
        """Return the failure of inputs of which one is lost, or which are too large together."""
        if self._unreadable:
            for index in sources:
                if index in self._unreadable:
                    return self._unreadable[index]
        return None if self._sizes.allow(sources) else self._too_large()

    def _too_large(self) -> NodeFailed:
        limit = self._max_bytes
        parts = " and its children" if self._claimed.bytes_of_others else ""
        message = f"The outputs of this run{parts} are over {limit} bytes"
        return NodeFailed("run_too_large", message)

    def fits_record(self, index: int, outcome: AttemptOutcome) -> bool:
        """Return whether the outcome goes on the record as it is; if so, it is counted there."""
        if outcome.failure is not None or outcome.offloaded_name:
            return True
        size = len(outcome.packed)
        if index == self._plan.response_output:
            return not is_large(size)
        if not self._capacity.fits(size):
            return False
        self._capacity.add(size)
        return True

    async def offload(
        self, index: int, outcome: AttemptOutcome, seconds: float | None
    ) -> AttemptOutcome:
        """Offload an output within the rest of the node's time, None: unlimited.

        The outcome's bytes are then the packed name, as a result is recorded. An output that cannot
        be stored fails the node: it must not be named, and costs nothing.
        """
        limit = PATIENCE_SECONDS if seconds is None else min(seconds, PATIENCE_SECONDS)
        limit = max(limit, LEAST_SECONDS)
        try:
            name = await self._put(index, outcome.packed, limit)
            plain = await self._put_plain(outcome.plain, limit)
        except StorageFailed:
            STORAGE_FAILURES.inc()
            return AttemptOutcome(failure=NodeFailed(STORAGE, NOT_STORED))
        return structs.replace(outcome, packed=pack_name(name), offloaded_name=name, plain=plain)

    async def _put_plain(self, plain: bytes | None, seconds: float) -> bytes | None:
        """Store a large result as an object of the parent; return its packed name."""
        if plain is None or not is_large(len(plain)):
            return plain
        claimed, group = self._claimed, self._claimed.group
        if group is None:
            return plain
        prefix, index = claimed.lease.object_prefix, claimed.child_index
        name = make_child_name(prefix, group.node, index, len(plain))
        ids = claimed.account_id, group.parent_id
        await self._offloaded.put(*ids, name, plain, seconds=seconds)
        return pack_name(name)

    async def _put(self, index: int, data: bytes, seconds: float) -> str:
        self._has_stored = True
        if not is_large(len(data)) and index != self._plan.result_node:
            if self._output_bundles is None:
                self._output_bundles = OutputBundles(self._offloaded, self._claimed)
            return await self._output_bundles.put_output(index, data, seconds)
        claimed = self._claimed
        name = make_name(claimed.lease.object_prefix, index, len(data))
        ids = claimed.account_id, claimed.execution_id
        await self._offloaded.put(*ids, name, data, seconds=seconds)
        return name

    async def remove_dropped(self) -> None:
        """Remove large values that the end of the execution has dropped from its record.

        Those that cannot be removed now are left to the sweeper.
        """
        claimed = self._claimed
        if not claimed.keeps_outputs_apart or not (
            self._has_stored or "has_objects" in claimed.record
        ):
            return
        with contextlib.suppress(StorageFailed, TimeoutError, Unavailable):
            async with asyncio.timeout(REMOVE_SECONDS):
                await self._offloaded.remove_dropped(claimed.account_id, claimed.execution_id)

    async def read_outputs(
        self, record: Mapping[str, bytes], wanted: Container[int]
    ) -> dict[int, Outputs | None]:
        """Return outputs on record of these nodes; offloaded ones only where a node needs them.

        Nodes that need a lost or unreadable output cannot run.
        """
        outputs: dict[int, Outputs | None] = {}
        names: dict[int, str] = {}
        statuses = parse_node_statuses(record["statuses"].decode())
        for index, row in parse_rows(record).items():
            if index not in wanted:
                continue
            outputs[index], entry = None, row.outputs
            if row.error is not None:
                outputs[index] = fallback_of(self._plan.nodes[index])
            if isinstance(entry, bytes):
                self._add(index, len(entry))
                outputs[index] = unpack(entry)
            elif entry is not None:
                self._sizes.add(index, size_of(entry))
                if entry == self._claimed.inputs_name:
                    outputs[index] = outputs_of(self._plan.fields, self._claimed.inputs)
                elif self._is_needed(index, statuses):
                    self._memory.add(size_of(entry))
                    names[index] = entry
        return outputs | await self._fetch(names)

    def _is_needed(self, index: int, statuses: Sequence[NodeStatus]) -> bool:
        dependents = self._plan.nodes[index].dependents
        return any(statuses[each] not in NODE_TERMINAL for each in dependents)

    async def _fetch(self, names: Mapping[int, str]) -> dict[int, Outputs]:
        """Read the outputs with these names, by node; each object is read once."""
        if names:
            await self._memory.wait()
        objects = sorted({object_of(name) for name in names.values()})
        contents = await asyncio.gather(*(self._load(name) for name in objects))
        loaded = dict(zip(objects, contents, strict=True))
        return {index: self._opened(index, name, loaded) for index, name in names.items()}

    async def _load(self, name: str) -> bytes | str:
        """Return an object, or the reason why it cannot be read."""
        try:
            return await self._offloaded.read(
                self._claimed.account_id, self._claimed.execution_id, name
            )
        except FileNotFoundError:
            return "is not where it was kept any more"
        except StorageFailed:
            return "cannot be read from where it is kept"

    def _opened(self, index: int, name: str, loaded: Mapping[str, bytes | str]) -> Outputs:
        content = loaded[object_of(name)]
        if isinstance(content, bytes):
            outputs: Outputs = unpack(part_of(name, content))
            return outputs
        message = f"The output of node '{self._plan.nodes[index].id}' {content}"
        self._unreadable[index] = NodeFailed(STORAGE, message)
        # It counts as delivered, so that its dependents run and fail with this error.
        nodes = self._plan.nodes
        in_edges = [edge for each in nodes[index].dependents for edge in nodes[each].in_edges]
        return {edge.output: None for edge in in_edges if edge.source == index}
