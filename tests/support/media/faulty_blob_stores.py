"""Folders of objects with the faults of disks and buckets."""

import asyncio

import pytest

from engine.errors import StorageFailed
from engine.media.objects import ObjectStore
from engine.store import Store
from engine.store.executions.offload import PAUSES_SECONDS


class Faulty(ObjectStore):
    """A folder that fails so many times, or never answers."""

    def __init__(self, url: str, failures: int = 0, *, hangs: bool = False) -> None:
        super().__init__(url)
        self.left = failures
        self.hangs = hangs
        self.refused: set[int] = set()
        """Nodes with refused outputs, by index."""
        self.written: list[str] = []
        self.asked: list[str] = []

    async def write(self, key: str, data: bytes) -> None:
        await self._fail()
        if int(key.split(".")[1]) in self.refused:
            raise StorageFailed
        await super().write(key, data)
        self.written.append(key)

    async def read(self, key: str, max_bytes: int | None = None) -> bytes:
        self.asked.append(key)
        await self._fail()
        return await super().read(key, max_bytes)

    async def _fail(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.left:
            self.left -= 1
            raise StorageFailed


def use(store: Store, blob_store: Faulty) -> Faulty:
    """Let the store keep large values there from now on."""
    store.offloaded._blob_store = blob_store
    return blob_store


def shorten_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let failures be retried as often as ever, with hardly a pause."""
    monkeypatch.setattr(
        "engine.store.executions.offload.PAUSES_SECONDS", [0.01 for _ in PAUSES_SECONDS]
    )
