"""Fixtures for tests of nodes that call models."""

from collections.abc import Iterator

import pytest

from engine.models.registry import use_models
from engine.nodes import image_text, text_embedding
from tests.support.models.generator_models import all_models


@pytest.fixture
def painters() -> Iterator[None]:
    """Set up a registry with only models for generators."""
    with use_models(all_models()):
        yield


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the extras of node types count as installed."""
    monkeypatch.setattr(image_text, "is_installed", lambda: True)
    monkeypatch.setattr(text_embedding, "has_embeddings", lambda: True)
