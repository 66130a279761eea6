"""Settings of the property tests: a shared machine must not make one fail for being slow.

Also benches for the hint broker.
"""

from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.engine.hint_bench import Bench, Open, benches
from tests.s3_server import S3Server, serving

settings.register_profile(
    "shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared-machine")


@pytest.fixture(scope="session")
def server() -> Iterator[S3Server]:
    """A real S3 server."""
    with serving() as server:
        yield server


@pytest.fixture
async def open_bench() -> AsyncIterator[Open]:
    """Opens benches and starts them."""
    async with benches() as opening:
        yield opening


@pytest.fixture
async def bench(open_bench: Open, redis_url: str) -> Bench:
    return await open_bench(redis_url)
