from collections.abc import Iterator

import pytest

from tests.acceptance.running import RunningStack, running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """One stack with the demo for all tests of a module; it may call private addresses."""
    folder = tmp_path_factory.mktemp("stack")
    with running(folder, HEADRACE_ALLOW_PRIVATE_URLS="1") as started:
        yield started
