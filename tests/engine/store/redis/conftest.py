"""Fixtures: a primary with replicas and sentinels."""

from collections.abc import Iterator

import pytest

from engine.store.redis.address import RedisAddress
from tests.support.redis.sentinel import SentinelGroup, running_group


@pytest.fixture(scope="module")
def group() -> Iterator[SentinelGroup]:
    """Group of the tests of a module."""
    with running_group() as started:
        yield started


@pytest.fixture
def address(group: SentinelGroup) -> RedisAddress:
    """Address of the group."""
    return RedisAddress.parse(group.address())
