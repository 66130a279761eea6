"""Fixtures for tests of nodes that call models."""

from collections.abc import Iterator

import pytest

from engine.models.registry import use_models
from tests.support.models.generator_models import all_models


@pytest.fixture
def painters() -> Iterator[None]:
    """Set up a registry with only models for generators."""
    with use_models(all_models()):
        yield
