"""Fixtures: models in the registry, a key that may run them, and a real worker."""

from collections.abc import AsyncIterator, Iterator

import pytest

from engine.access.capabilities import Tier
from engine.models.registry import use_models
from engine.settings import Settings
from tests.support.manifests import model
from workers.main import worker as real_worker

PER_SECOND = '[[pricing]]\nunit = "second"\nusd = "0.0004"\natMost = 10\n'


@pytest.fixture
def account_tier() -> Tier:
    """Return a tier whose keys may run models."""
    return Tier.BUSINESS


@pytest.fixture
def key_capabilities() -> list[str]:
    return ["workflow:*", "model:run"]


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    models = [
        model("own"),
        model("gone", head="enabled = false\n"),
        model("films", category="video", tier="enterprise", pricing=PER_SECOND),
    ]
    with use_models(models):
        yield


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[None]:
    async with real_worker(settings):
        yield
