"""Samples of the whole installation, of the last hour, in one key of bounded size."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from engine.store.executions.record_fields import parse_hash
from engine.store.metrics.installation_sample import (
    InstallationSample,
    pack_sample,
    unpack_sample,
)
from engine.store.redis import process_keys
from engine.store.redis.client import Client
from engine.store.redis.info import read_now
from engine.store.redis.record_packing import pack, unpack
from engine.store.redis.scripts import SCRIPTS

SAMPLE_SECONDS = 10
MOST_SAMPLES = 360
TOTALS = "totals"
HOUR_MS = SAMPLE_SECONDS * MOST_SAMPLES * 1000


class LastCounts(msgspec.Struct, frozen=True):
    """Counts of all processes at the last sample, from which the next one is made."""

    at: int
    """In milliseconds of Redis's clock; 0: there is no sample yet."""
    families: list[Any]
    """As in a snapshot of metrics."""
    stored: bytes = b""
    """As the store has them; empty: it has none."""


class LastHour:
    """Keeps one sample for each ten seconds, and the counts at the last one."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def totals(self) -> LastCounts:
        """Return the counts at the last sample."""
        return _parse_totals(await self._client.send("HGET", process_keys.last_hour(), TOTALS))

    async def put(
        self,
        sample: InstallationSample | None,
        at: int,
        families: Sequence[Any],
        before: LastCounts,
    ) -> bool:
        """Add a sample, in place of the one an hour ago, and the counts at its time.

        Without a sample, the counts alone. Returns False, and changes nothing, when another worker
        has changed the counts since `before` was read.
        """
        slot = at // 1000 // SAMPLE_SECONDS % MOST_SAMPLES
        done = await self._client.call(
            SCRIPTS["put_sample"],
            samples=process_keys.last_hour(),
            slot=slot,
            sample=b"" if sample is None else pack_sample(sample),
            before=before.stored,
            totals=pack([at, families]),
        )
        return bool(done)

    async def read(self) -> tuple[list[InstallationSample], LastCounts, int]:
        """Return the samples of the last hour, oldest first, the counts, and Redis's time."""
        stored, now = await self.stored()
        return parse_samples(stored, now), _parse_totals(stored.get(TOTALS)), now

    async def stored(self) -> tuple[Mapping[str, bytes], int]:
        """Return the samples and the counts as the store has them, and Redis's time.

        Those of a busy hour take long to parse.
        """
        reply, now = await asyncio.gather(
            self._client.send("HGETALL", process_keys.last_hour()), read_now(self._client)
        )
        return parse_hash(reply), now


def parse_samples(stored: Mapping[str, bytes], now: int) -> list[InstallationSample]:
    """Return the samples of the last hour, oldest first."""
    found = [
        sample
        for name, data in stored.items()
        if name != TOTALS and (sample := _parse(data)) is not None
    ]
    kept = [each for each in found if now - HOUR_MS < each.at <= now]
    return sorted(kept, key=lambda each: each.at)


def _parse(data: bytes) -> InstallationSample | None:
    try:
        return unpack_sample(data)
    except msgspec.DecodeError:
        return None  # of a later release that has another form


def _parse_totals(data: bytes | None) -> LastCounts:
    if not data:
        return LastCounts(at=0, families=[])
    at, families = unpack(data)
    return LastCounts(at=at, families=families, stored=data)
