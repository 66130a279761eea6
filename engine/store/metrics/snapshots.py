"""Snapshots of processes' metrics, so that any gateway can show the sum of all."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.store.executions.records import parse_hash
from engine.store.metrics.samples import subtract
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.records import pack, unpack
from engine.store.redis.scripts import SCRIPTS

RETIRED = "retired"
FOLDED_KEPT_MS = 7 * 86_400_000
"""A living process that was taken for gone is recognised for so long after it was last seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Samples of one process, or the sum of those that are gone."""

    at: int
    """When it was put, in seconds by Redis's clock; 0 for the sum."""
    number: int
    """Counts the snapshots of its process, from 1; 0 for the sum."""
    samples: list[Any]


@dataclass(slots=True)
class _Published:
    """What a process of this store has put.

    A snapshot whose put was not answered may be on record; it is put again as it is, so that it is
    known which ones can be in the sum.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    number: int = 0
    folded: int = 0
    """Number of the snapshot that is in the sum of those that are gone."""
    samples: dict[int, Sequence[Any]] = field(default_factory=lambda: {0: ()})
    """By number, all that the process had counted by then: what may be in the sum."""
    is_answered: bool = True

    def add(self, samples: Sequence[Any]) -> None:
        """Number the next snapshot."""
        self.number += 1
        self.samples[self.number] = samples
        self.is_answered = False

    @property
    def left_out(self) -> int:
        """Number of the newest snapshot that is known to be in the sum, 0 for none."""
        return max(number for number in self.samples if number <= self.folded)

    def forget(self) -> None:
        """Keep only the samples that may be needed again."""
        self.is_answered = True
        kept = (0, self.left_out, self.number)
        self.samples = {number: self.samples[number] for number in kept}


class Snapshots:
    """Keeps one snapshot per living process, and one sum of those that are gone."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._published: dict[str, _Published] = {}

    async def put(self, process: str, samples: Sequence[Any]) -> None:
        """Replace a process's snapshot, without what the sum of those that are gone has of it."""
        published = self._published.setdefault(process, _Published())
        async with published.lock:
            if not published.is_answered:
                await self._put(process, published)
            published.add(samples)
            await self._put(process, published)

    async def _put(self, process: str, published: _Published) -> None:
        while True:
            left_out = published.samples[published.left_out]
            samples = subtract(published.samples[published.number], left_out)
            folded = int(
                await self._client.call(
                    SCRIPTS["put_snapshot"],
                    [keyspace.metrics(), keyspace.metrics_folded(process)],
                    [
                        *(0, process, published.number, published.folded),
                        *(pack(samples), FOLDED_KEPT_MS),
                    ],
                )
            )
            if folded == published.folded:
                published.forget()
                return
            published.folded = folded

    async def all(self) -> tuple[dict[str, bytes], int]:
        """Snapshots as bytes by process, and Redis's time in seconds."""
        # Together: when the first fails, the second must not fail unheard.
        reply, (seconds, _) = await asyncio.gather(
            self._client.send("HGETALL", keyspace.metrics()), self._client.send("TIME")
        )
        return parse_hash(reply), int(seconds)

    async def retire(self, before: bytes, total: Sequence[Any], processes: dict[str, int]) -> bool:
        """Put `total` in the place of these processes' snapshots, given by number.

        Does nothing when the sum is not `before` any more, or a process has put another snapshot.
        """
        pairs = [word for process, number in processes.items() for word in (process, number)]
        done = await self._client.call(
            SCRIPTS["retire_snapshots"],
            [keyspace.metrics(), *(keyspace.metrics_folded(process) for process in processes)],
            [before, pack([0, total]), FOLDED_KEPT_MS, *pairs],
        )
        return bool(done)


def parse(data: bytes) -> Snapshot:
    """A snapshot as the store keeps it; the sum has no head."""
    if data[:1].isdigit():
        at, number, packed = data.split(b"|", 2)
        return Snapshot(at=int(at), number=int(number), samples=unpack(packed))
    put_at, samples = unpack(data)
    return Snapshot(at=put_at, number=0, samples=samples)


def is_process(name: str) -> bool:
    """Whether a snapshot belongs to a process, as opposed to the sum of those that are gone."""
    return name != RETIRED
