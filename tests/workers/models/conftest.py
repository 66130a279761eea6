"""A provider whose answers a test lays out, and what calls it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.providers import MODEL_KEYS, Kept, Provider, a_provider, calling, stub_provider
from tests.workers.models.desks import FakeDesk
from tests.workers.models.streams import Listener
from workers.http import Egress
from workers.models import Models


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with a_provider() as provider:
        yield provider


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def models(egress: Egress, provider: Provider, kept: Kept) -> Models:
    """Calls the provider."""
    return calling(egress, provider.environ, kept)


@pytest.fixture(scope="session")
def stub_url() -> Iterator[str]:
    with stub_provider() as url:
        yield url


@pytest.fixture
def stubbed(egress: Egress, stub_url: str, kept: Kept) -> Models:
    """Calls the stub provider."""
    return calling(egress, {"PROVIDER_URL": stub_url, **MODEL_KEYS}, kept)


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def listener(models: Models) -> Listener:
    return Listener(models)
