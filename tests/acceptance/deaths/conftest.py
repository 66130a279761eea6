"""An installation whose processes tests kill, and the figures of these deaths."""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.support.deaths import oracle
from tests.support.deaths.recovery import Recoveries
from tests.support.deaths.scene import Scene, running_scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with running_scene(tmp_path_factory.mktemp("deaths")) as started:
        yield started


@pytest.fixture
def recoveries(
    scene: Scene, record_property: Callable[[str, object], None]
) -> Iterator[Recoveries]:
    """Recoveries of one test; at its end nothing may be lost or doubled."""
    scene.restore()
    found = Recoveries()
    yield found
    print(f"{found.figures()}, load {os.getloadavg()[0]:.1f}")
    figures = found.figures() | oracle.check(scene)
    for name, value in figures.items():
        record_property(name, value)
    print(figures)
