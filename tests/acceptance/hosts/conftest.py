import re
from collections.abc import Iterator

import pytest

from tests.support.hosts.commands import missing_for_hosts
from tests.support.hosts.figures import Figures


@pytest.fixture(autouse=True)
def hosts() -> None:
    """Skip where no hosts can be made."""
    if reason := missing_for_hosts():
        pytest.skip(reason)


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    """Figures of a scene, which are printed and kept if the scene has passed."""
    name = re.sub(r"^test_", "", request.node.name).replace("_", " ")
    made = Figures(name)
    yield made
    print(made.show())
    if not hasattr(request.node, "failed"):
        made.keep()
