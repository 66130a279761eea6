from collections.abc import Iterator

import pytest

from tests.support.acceptance.running_stack import RunningStack, models_at, running
from tests.support.http.providers import stub_provider


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack with the demo for all tests that do not change it; it may call private addresses.

    The stub takes the place of OpenAI and of a local model.
    """
    folder = tmp_path_factory.mktemp("stack")
    with stub_provider() as url, running(folder, **models_at(url)) as started:
        yield started
