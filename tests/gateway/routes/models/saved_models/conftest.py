"""Fixtures: an admin's browser and a worker; the registry is restored after a test."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.models.registry import use_folder, use_saved
from engine.settings import Settings
from engine.store import Account, Store
from tests.gateway.conftest import MakeBrowser
from workers.main import worker as real_worker


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    yield
    use_saved(())
    use_folder("")


@pytest.fixture
async def admin(store: Store) -> Account:
    return await store.accounts.create(
        email="root@example.com", tier=Tier.BUSINESS, role=Role.ADMIN
    )


@pytest.fixture
async def admins(make_browser: MakeBrowser, admin: Account) -> httpx2.AsyncClient:
    """A browser of an admin."""
    return await make_browser(admin)


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[None]:
    async with real_worker(settings):
        yield
