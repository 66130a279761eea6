"""Snapshots of processes' metrics, from which any gateway shows the sum."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.store.executions.record_fields import parse_hash
from engine.store.metrics.samples import subtract, without_gauges
from engine.store.redis import process_keys
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack, unpack
from engine.store.redis.scripts import SCRIPTS

RETIRED = "retired"
FOLDED_KEPT_MS = 7 * 86_400_000
"""Time for which a living process that counts as ended is recognised after its last snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Samples of one process, or the sum of ended ones."""

    at: int
    """Time of the snapshot in seconds of Redis's clock; 0 for the sum."""
    number: int
    """Number of the snapshot within its process, from 1; 0 for the sum."""
    samples: list[Any]


@dataclass(slots=True)
class _Published:
    """Snapshots that this store has written for a process.

    A snapshot without a reply may be on record. It is written again unchanged, so that the
    snapshots that may be in the sum are known.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    number: int = 0
    folded: int = 0
    """Number of the snapshot in the sum of ended processes."""
    samples: dict[int, Sequence[Any]] = field(default_factory=lambda: {0: ()})
    """Counts of the snapshots that the sum may include, by number."""
    is_answered: bool = True

    def add(self, samples: Sequence[Any]) -> None:
        """Number the next snapshot."""
        self.number += 1
        self.samples[self.number] = samples
        self.is_answered = False

    @property
    def left_out(self) -> int:
        """Number of the newest snapshot known to be in the sum, 0 for none."""
        return max(number for number in self.samples if number <= self.folded)

    def forget(self) -> None:
        """Drop the samples that are not needed again."""
        self.is_answered = True
        needed = (0, self.left_out, self.number)
        self.samples = {number: self.samples[number] for number in needed}


class Snapshots:
    """Keeps one snapshot per living process, and one sum of ended ones."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._published: dict[str, _Published] = {}
        self._read: dict[str, bytes] = {}
        """Snapshots as they were last read, by process."""

    async def put(self, process: str, samples: Sequence[Any]) -> None:
        """Replace a process's snapshot, without the counts that are in the sum already."""
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
                    snapshots=process_keys.metrics(),
                    folded=process_keys.metrics_folded(process),
                    process=process,
                    number=published.number,
                    left_out=published.folded,
                    samples=pack(samples),
                    folded_ms=FOLDED_KEPT_MS,
                )
            )
            if folded == published.folded:
                published.forget()
                return
            published.folded = folded

    async def all(self) -> tuple[dict[str, bytes], int]:
        """Return snapshots as bytes by process, and Redis's time in seconds."""
        # Gather both: a failure of the first must not leave the second unobserved.
        reply, (seconds, _) = await asyncio.gather(
            self._client.send("HGETALL", process_keys.metrics()), self._client.send("TIME")
        )
        self._read = parse_hash(reply)
        return dict(self._read), int(seconds)

    def recall(self, process: str, samples: Sequence[Any]) -> list[Sequence[Any]]:
        """Return samples of a process, and counts of the others as they were last read.

        For times without Redis: a count that fell then would look like that of a new process, and
        its return like events of that moment.
        """
        published = self._published.setdefault(process, _Published())
        own = subtract(samples, published.samples[published.left_out])
        others = [
            without_gauges(parse(data).samples)
            for name, data in self._read.items()
            if name != process
        ]
        return [own, *others]

    async def retire(self, before: bytes, total: Sequence[Any], processes: dict[str, int]) -> bool:
        """Replace these processes' snapshots, given by number, by `total`.

        Does nothing when the sum is no longer `before`, or a process has written another snapshot.
        """
        done = await self._client.call(
            SCRIPTS["retire_snapshots"],
            snapshots=process_keys.metrics(),
            folded=[process_keys.metrics_folded(process) for process in processes],
            sum=before,
            new_sum=pack([0, total]),
            folded_ms=FOLDED_KEPT_MS,
            processes=[word for pair in processes.items() for word in pair],
        )
        return bool(done)


def parse(data: bytes) -> Snapshot:
    """Return a stored snapshot; the sum has no head."""
    if data[:1].isdigit():
        at, number, packed = data.split(b"|", 2)
        return Snapshot(at=int(at), number=int(number), samples=unpack(packed))
    put_at, samples = unpack(data)
    return Snapshot(at=put_at, number=0, samples=samples)


def parse_all(found: Mapping[str, bytes]) -> dict[str, Snapshot]:
    """Return stored snapshots by process."""
    return {name: parse(data) for name, data in found.items()}


def is_process(name: str) -> bool:
    """Return whether a snapshot is a process's, not the sum of ended ones."""
    return name != RETIRED
