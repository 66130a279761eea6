"""A stack of its own for floods of hostile requests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.acceptance.running_stack import BARE, RunningStack, running
from tests.support.bodies.scene import SETTINGS, Scene
from tests.support.contract.installation import Administration


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    with running(tmp_path, *BARE, **SETTINGS) as started:
        yield started


@pytest.fixture
def scene(stack: RunningStack) -> Iterator[Scene]:
    administration = Administration(stack)
    yield Scene(administration)
    administration.close()
