from collections.abc import Iterator

import pytest

from tests.support.acceptance.running_stack import RunningStack, running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack with the demo for all tests that do not change it; it may call private addresses.

    Its demo provider takes the place of all providers.
    """
    folder = tmp_path_factory.mktemp("stack")
    with running(folder, "--demo-provider", HEADRACE_ALLOW_PRIVATE_URLS="1") as started:
        yield started
