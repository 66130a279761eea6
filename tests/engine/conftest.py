"""Settings of the property tests: a shared machine must not make one fail for being slow.

Also benches for the hint broker.
"""

from collections.abc import Iterator

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
def open_bench() -> Iterator[Open]:
    """Opens benches; the actor waits at the gate, which is open at first."""
    with benches() as opening:
        yield opening


@pytest.fixture
def bench(open_bench: Open, redis_url: str) -> Bench:
    return open_bench(redis_url)
