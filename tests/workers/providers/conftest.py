"""A provider whose answers a test defines, and its callers."""

from collections.abc import AsyncIterator, Iterator

import pytest

from engine.store import Store
from tests.support.http.providers import (
    MODEL_KEYS,
    Kept,
    Provider,
    a_provider,
    calling,
    stub_provider,
)
from tests.support.models import limited_calls
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from tests.support.models.streams import Listener
from workers.outbound.client import Egress
from workers.providers.model_caller import ModelCaller


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with a_provider() as provider:
        yield provider


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def models(egress: Egress, provider: Provider, kept: Kept) -> ModelCaller:
    """Calls the provider."""
    return calling(egress, provider.environ, kept)


@pytest.fixture(scope="session")
def stub_url() -> Iterator[str]:
    with stub_provider() as url:
        yield url


@pytest.fixture
def stubbed(egress: Egress, stub_url: str, kept: Kept) -> ModelCaller:
    """Calls the stub provider."""
    return calling(egress, {"PROVIDER_URL": stub_url, **MODEL_KEYS}, kept)


@pytest.fixture
def checkpoints() -> RecordedCheckpoints:
    return RecordedCheckpoints()


@pytest.fixture
def listener(models: ModelCaller) -> Listener:
    return Listener(models)


@pytest.fixture
def fake_provider() -> limited_calls.Provider:
    return limited_calls.Provider()


@pytest.fixture
async def one(
    store: Store, redis_url: str, fake_provider: limited_calls.Provider
) -> AsyncIterator[limited_calls.Process]:
    """A process that calls the fake provider."""
    async with limited_calls.process(store, redis_url, fake_provider, "one") as started:
        yield started


@pytest.fixture
async def two(
    store: Store, redis_url: str, fake_provider: limited_calls.Provider
) -> AsyncIterator[limited_calls.Process]:
    """Another process that calls the fake provider."""
    async with limited_calls.process(store, redis_url, fake_provider, "two") as started:
        yield started
