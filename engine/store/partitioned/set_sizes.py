"""Sizes of sorted sets of which each partition has one, read in turn."""

import asyncio
from collections.abc import Callable

from engine.store.partitioned.rotation import Rotation
from engine.store.redis.client import Client


class SetSizes:
    """Remembers the size and the lowest score of each set as they were read last.

    With many partitions those of some are up to a period old.
    """

    def __init__(
        self, client: Client, key_of: Callable[[int], str], *, period_seconds: float
    ) -> None:
        self._client = client
        self._key_of = key_of
        self._period_seconds = period_seconds
        self._rotation = Rotation()
        self._sizes: dict[int, int] = {}
        self._lowest: dict[int, int] = {}

    async def read(self) -> tuple[int, int | None]:
        """Return the number of members of all sets, and their lowest score."""
        places = self._rotation.take(self._period_seconds)
        keys = [self._key_of(each) for each in places]
        sizes, firsts = await asyncio.gather(
            asyncio.gather(*(self._client.send("ZCARD", key) for key in keys)),
            asyncio.gather(*(self._client.send("ZRANGE", key, 0, 0, "WITHSCORES") for key in keys)),
        )
        for partition, size, first in zip(places, sizes, firsts, strict=True):
            self._sizes[partition] = int(size)
            self._lowest.pop(partition, None)
            if first:
                self._lowest[partition] = int(float(first[0][1]))
        return sum(self._sizes.values()), min(self._lowest.values(), default=None)
