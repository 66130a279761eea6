"""Fixtures of tests of nodes that ask models."""

from collections.abc import Iterator

import pytest

from engine.models.registry import use_models
from tests.support.models.generator_models import all_models


@pytest.fixture
def painters() -> Iterator[None]:
    """The registry has models for generators, and no others."""
    with use_models(all_models()):
        yield
