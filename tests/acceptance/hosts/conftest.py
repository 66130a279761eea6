import re
from collections.abc import Generator, Iterator

import pytest

from tests.support.hosts.commands import missing_for_hosts
from tests.support.hosts.figures import Figures

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note at an item that it has failed, for the fixtures that end after it."""
    report = yield
    item.stash[FAILED] = report.failed or item.stash.get(FAILED, False)
    return report


@pytest.fixture(autouse=True)
def hosts() -> None:
    """Skip where no hosts can be made."""
    if reason := missing_for_hosts():
        pytest.skip(reason)


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    """Figures of a scene, which are printed and kept if the scene has passed."""
    name = request.node.name.removeprefix("test_").replace("_", " ")
    name = re.sub(r"\[(.*)\]$", r" (\1)", name)
    made = Figures(name)
    yield made
    print(made.show())
    if not request.node.stash.get(FAILED, False):
        made.keep()
