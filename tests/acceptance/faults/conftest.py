"""Parts of tests of faults."""

from collections.abc import Iterator

import pytest

from tests.support.redis.stepped_clock import SteppedRedis


@pytest.fixture
def stepped() -> Iterator[SteppedRedis]:
    """A server whose clock can be stepped."""
    server = SteppedRedis()
    server.start()
    yield server
    server.stop()
