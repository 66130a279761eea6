"""Batches of one account, begun as a gateway would, and what became of their items."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.executions.execution import Execution
from engine.ids.executions import item_execution_id
from engine.ids.partitions import partition_of
from engine.store import Batch, BatchAccepted, NewBatch, NewItem
from engine.store.executions.record_fields import parse_hash
from engine.store.redis import batch_keys, keyspace
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner


def texts(count: int) -> Sequence[Mapping[str, Any]]:
    """Return inputs of items of `greeting`."""
    return [{"who": f"number {index}"} for index in range(count)]


class BatchRuns:
    """Begins batches of a runner's account."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.store = runner.store
        self.account_id = runner.account.id

    async def begin(
        self, graph: Graph | str, inputs: Sequence[Mapping[str, Any]], **members: Any
    ) -> str:
        """Save the graph, if it is none that is saved, and accept a batch; return its id."""
        slug = graph if isinstance(graph, str) else await self.runner.save(graph)
        new = NewBatch(
            account_id=members.pop("account_id", self.account_id),
            slug=slug,
            version=members.pop("version", 1),
            items=[NewItem(each) for each in inputs],
            **members,
        )
        accepted = await self.store.batches.add(new)
        assert isinstance(accepted, BatchAccepted)
        return accepted.batch_id

    async def get(self, batch_id: str) -> Batch:
        """Return the batch."""
        return await self.store.batches.get(self.account_id, batch_id)

    async def end(self, batch_id: str, seconds: float = 60.0) -> Batch:
        """Return the batch, once it is over and settled."""

        async def is_settled() -> Batch | None:
            batch = await self.get(batch_id)
            key = batch_keys.open_batches(self.account_id)
            is_open = await self.store.client.send("ZSCORE", key, batch_id)
            return batch if batch.status.is_over and is_open is None else None

        batch = await eventually(is_settled, timeout=seconds)
        assert batch is not None
        return batch

    async def wait_settled(self, list_id: str, seconds: float = 60.0) -> Batch:
        """Return a list of another kind, once it is over and settled."""

        async def is_settled() -> Batch | None:
            found = await self.store.batches.find(self.account_id, list_id)
            key = batch_keys.open_batches(self.account_id)
            is_open = await self.store.client.send("ZSCORE", key, list_id)
            is_over = found is not None and found.status.is_over
            return found if is_over and is_open is None else None

        found = await eventually(is_settled, timeout=seconds)
        assert found is not None
        return found

    async def wait_running(self, list_id: str, count: int) -> None:
        """Wait until so many items of a batch, or of a list, run."""

        async def are_running() -> bool:
            states = await self.store.batches.item_states(self.account_id, list_id)
            return states.count("p") == count

        await eventually(are_running)

    async def wait_begun(self, list_id: str, count: int) -> None:
        """Wait until so many items of a batch, or of a list, have begun."""

        async def have_begun() -> bool:
            states = await self.store.batches.item_states(self.account_id, list_id)
            return len(states) - states.count("q") >= count

        await eventually(have_begun)

    async def execution(self, batch_id: str, index: int) -> Execution:
        """Return the execution of an item."""
        return await self.store.executions.get(self.account_id, item_execution_id(batch_id, index))

    async def bring_forward(self, batch_id: str) -> None:
        """Have the next look at a batch, and at its account, now."""
        listed = batch_keys.open_batches(self.account_id)
        due = batch_keys.batches_due(partition_of(self.account_id))
        await self.store.client.send("ZADD", listed, "XX", 0, batch_id)
        await self.store.client.send("ZADD", due, 0, self.account_id)

    async def record(self, batch_id: str, index: int) -> Mapping[str, bytes]:
        """Return the record of an item's execution."""
        key = keyspace.execution(self.account_id, item_execution_id(batch_id, index))
        return parse_hash(await self.store.client.send("HGETALL", key))

    async def counters(self) -> dict[str, int]:
        """Return the account's numbers of items that are queued and that run."""
        key = batch_keys.account_items(self.account_id)
        queued, active = await self.store.client.send("HMGET", key, "queued", "active")
        return {"queued": int(queued or 0), "active": int(active or 0)}

    async def execution_ids(self) -> set[str]:
        """Return the ids of all executions of the account."""
        key = keyspace.account_executions(self.account_id)
        return {each.decode() for each in await self.store.client.send("ZRANGE", key, 0, -1)}
