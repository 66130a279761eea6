"""Checkpoints of running nodes: provider jobs, and batches of item answers."""

from collections.abc import Sequence

from engine.store.executions.claim import Lease
from engine.store.executions.record_fields import parse_answer_batches, parse_hash, parse_jobs
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS


class Checkpoints:
    """Saves and reads the checkpoints with which other attempts and workers go on."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def save_job(
        self, lease: Lease, index: int, item: int, job: bytes, *, must_cancel: bool = False
    ) -> bool:
        """Save the checkpoint of a running node's provider job; empty: delete it. False: fenced.

        With `must_cancel` a worker ends the execution after any cancellation.
        """
        verdict: bytes = await self._client.call(
            SCRIPTS["save_job"],
            execution=lease.execution_key,
            held=lease.held_key,
            reference=lease.reference,
            claim=lease.name,
            node=index,
            item=item,
            job=job,
            must_cancel="1" if must_cancel else None,
        )
        return verdict == b"ok"

    async def jobs(self, account_id: str, execution_id: str) -> dict[tuple[int, int], bytes]:
        """Return the checkpoints of all items of all nodes, by node and item."""
        key = keyspace.execution(account_id, execution_id)
        return parse_jobs(parse_hash(await self._client.send("HGETALL", key)))

    async def job(self, account_id: str, execution_id: str, index: int, item: int) -> bytes:
        """Return the checkpoint of one item of a node; empty for none."""
        key = keyspace.execution(account_id, execution_id)
        return await self._client.send("HGET", key, f"j{index}.{item}") or b""

    async def save_item_answers(
        self, lease: Lease, index: int, number: int, answers: bytes, *, is_offloaded: bool
    ) -> bool:
        """Save a batch of a running node's item answers, numbered from 1. False: fenced.

        It stays until the node is completed; `is_offloaded`: it is the name of an object.
        """
        verdict: bytes = await self._client.call(
            SCRIPTS["save_item_answers"],
            execution=lease.execution_key,
            held=lease.held_key,
            reference=lease.reference,
            claim=lease.name,
            node=index,
            batch=number,
            answers=answers,
            has_object="1" if is_offloaded else None,
        )
        return verdict == b"ok"

    async def read_answers(
        self, account_id: str, execution_id: str, index: int
    ) -> Sequence[bytes | None]:
        """Return a node's batches of item answers in order, None for a lost one."""
        key = keyspace.execution(account_id, execution_id)
        batches = await self._client.send("HGET", key, "answer_batches") or b""
        count = parse_answer_batches({"answer_batches": batches}).get(index, 0)
        fields = [f"k{index}.{number + 1}" for number in range(count)]
        return await self._client.send("HMGET", key, *fields) if fields else []
