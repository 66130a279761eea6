"""Fixtures: benches for the hint broker."""

from collections.abc import AsyncIterator

import pytest

from tests.support.workers.hint_broker_bench import Bench, Open, benches


@pytest.fixture
async def open_bench() -> AsyncIterator[Open]:
    """Opens benches and starts them."""
    async with benches() as opening:
        yield opening


@pytest.fixture
async def bench(open_bench: Open, redis_url: str) -> Bench:
    return await open_bench(redis_url)
