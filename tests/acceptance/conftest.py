from collections.abc import Iterator

import pytest

from tests.support.acceptance.running_stack import RunningStack, running
from tests.support.acceptance.topology import closing_new_servers, skip_excluded
from tests.support.redis.stepped_clock import SteppedRedis


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip_excluded(items)


@pytest.fixture(scope="session", autouse=True)
def session_ends_servers() -> Iterator[None]:
    """End the servers of stacks that several tests share."""
    with closing_new_servers():
        yield


@pytest.fixture(autouse=True)
def test_ends_servers() -> Iterator[None]:
    """End the servers of a test's own stacks."""
    with closing_new_servers():
        yield


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack with the demo for all tests that do not change it; it may call private addresses.

    Its demo provider takes the place of all providers.
    """
    folder = tmp_path_factory.mktemp("stack")
    with running(folder, "--demo-provider", HEADRACE_ALLOW_PRIVATE_URLS="1") as started:
        yield started


@pytest.fixture
def stepped() -> Iterator[SteppedRedis]:
    """A server whose clock can be stepped."""
    server = SteppedRedis()
    server.start()
    yield server
    server.stop()
