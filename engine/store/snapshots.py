"""Snapshots of processes' metrics, so that any gateway can show the sum of all."""

import asyncio
from collections.abc import Sequence
from typing import Any

from engine import keyspace
from engine.store.client import Client
from engine.store.execution_records import parse_hash
from engine.store.records import pack, unpack
from engine.store.scripts import SCRIPTS

RETIRED = "retired"


class Snapshots:
    """Keeps one snapshot per living process, and one sum of those that are gone."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def put(self, process: str, samples: Sequence[Any]) -> None:
        """Replace a process's snapshot."""
        seconds, _ = await self._client.send("TIME")
        await self._client.send("HSET", keyspace.metrics(), process, pack([int(seconds), samples]))

    async def all(self) -> tuple[dict[str, bytes], int]:
        """Snapshots as bytes by process, and Redis's time in seconds."""
        # Together: when the first fails, the second must not fail unheard.
        reply, (seconds, _) = await asyncio.gather(
            self._client.send("HGETALL", keyspace.metrics()), self._client.send("TIME")
        )
        return parse_hash(reply), int(seconds)

    async def retire(self, before: bytes, total: Sequence[Any], processes: Sequence[str]) -> bool:
        """Put `total` in the place of these processes' snapshots, if the sum is still `before`."""
        done = await self._client.call(
            SCRIPTS["retire_snapshots"],
            [keyspace.metrics()],
            [before, pack([0, total]), *processes],
        )
        return bool(done)


def parse(data: bytes) -> tuple[int, list[Any]]:
    """When a snapshot was taken (seconds by Redis's clock) and its samples."""
    at, samples = unpack(data)
    return at, samples


def is_process(name: str) -> bool:
    """Whether a snapshot belongs to a process, as opposed to the sum of those that are gone."""
    return name != RETIRED
