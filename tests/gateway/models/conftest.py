"""Models on the registry, a key that may run them, and a real worker."""

from collections.abc import AsyncIterator, Iterator

import pytest

from engine.capabilities import Tier
from engine.models.registry import use_models
from engine.settings import Settings
from engine.store import Account, Store
from tests.manifests import model
from workers.main import worker as real_worker

PER_SECOND = '[[pricing]]\nunit = "second"\nusd = "0.0004"\natMost = 10\n'


@pytest.fixture
async def account(store: Store) -> Account:
    """One whose keys may run models."""
    return await store.accounts.create(email="ada@example.com", tier=Tier.BUSINESS)


@pytest.fixture
async def api_key(store: Store, account: Account) -> str:
    capabilities = ["workflow:*", "model:run"]
    _, secret = await store.api_keys.create(account, name="test", capabilities=capabilities)
    return secret


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
