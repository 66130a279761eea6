"""The background tasks of a gateway and of a worker go on after a fault."""

import contextlib
from typing import Any

import pytest

from engine.settings import Settings
from engine.store import Snapshots, Store
from engine.store.redis.errors import StoreFault
from tests.gateway.conftest import serving
from tests.support.eventually import eventually
from workers.main import worker


@pytest.mark.parametrize("part", ["gateway", "worker"])
async def test_metrics_are_published_although_the_store_refused_them_once(
    part: str, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, faults = Snapshots.put, [StoreFault("Redis refused a command: WRONGTYPE")]

    async def put(*args: Any) -> None:
        if faults:
            raise faults.pop()
        await real(*args)

    async def published() -> list[str]:
        found, _ = await store.snapshots.all()
        return list(found)

    monkeypatch.setattr(Snapshots, "put", put)
    running: contextlib.AbstractAsyncContextManager[Any] = (
        serving(settings) if part == "gateway" else worker(settings)
    )
    async with running:
        assert await eventually(published)
    assert not faults
