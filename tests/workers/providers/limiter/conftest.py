"""Two processes and the provider that they call."""

from collections.abc import AsyncIterator

import pytest

from engine.store import Store
from tests.support.models.limited_calls import Process, Provider, process


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
async def one(store: Store, redis_url: str, provider: Provider) -> AsyncIterator[Process]:
    async with process(store, redis_url, provider, "one") as started:
        yield started


@pytest.fixture
async def two(store: Store, redis_url: str, provider: Provider) -> AsyncIterator[Process]:
    async with process(store, redis_url, provider, "two") as started:
        yield started
