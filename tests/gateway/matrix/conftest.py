"""Fixtures: an owner with one object of each kind, and callers of other accounts with their own."""

from dataclasses import dataclass, replace

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.settings import Settings
from engine.store import Account, Store
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.support.gateway.fake_worker import FakeWorker
from tests.support.gateway.matrix.objects import Maker
from tests.support.gateway.saved_manifests import save
from tests.support.manifests import PROMPT, field, manifest


@dataclass(frozen=True)
class Caller:
    """A caller with the ids of its account's objects."""

    client: httpx2.AsyncClient
    ids: dict[str, str]


@dataclass(frozen=True)
class Owner:
    """An account with one object of each kind, and its browser."""

    client: httpx2.AsyncClient
    ids: dict[str, str]
    maker: Maker


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings that let more calls fail than the matrix has, and no run be waited for."""
    return replace(settings, failed_calls_per_minute=100_000, sync_timeout=0.05)


@pytest.fixture
def account_tier() -> Tier:
    return Tier.BUSINESS


@pytest.fixture
async def owner(
    browser: httpx2.AsyncClient,
    make_browser: MakeBrowser,
    store: Store,
    account: Account,
    worker: FakeWorker,
) -> Owner:
    """Return the owner; no worker runs anything of it from now on."""
    admin = await store.accounts.create(email="first@e.com", tier=Tier.FREE, role=Role.ADMIN)
    seeing = manifest("seeing", fields=PROMPT + field("image", "image"))
    assert (await save(await make_browser(admin), seeing)).is_success
    maker = Maker(browser, store, account, "owner")
    ids = await maker.make()
    worker.is_idle = True
    return Owner(browser, ids, maker)


@pytest.fixture(
    params=["nobody", "session", "key", "session of an admin", "key of an admin"],
)
async def caller(
    request: pytest.FixtureRequest,
    owner: Owner,
    make_client: MakeClient,
    make_browser: MakeBrowser,
    store: Store,
    worker: FakeWorker,
) -> Caller:
    """Return a caller of another account, which has objects of its own."""
    if request.param == "nobody":
        return Caller(await make_client(), owner.ids)
    role = Role.ADMIN if "admin" in request.param else Role.USER
    other = await store.accounts.create(email="o@example.com", tier=Tier.BUSINESS, role=role)
    session = await make_browser(other)
    worker.is_idle = False
    ids = await Maker(session, store, other, "other").make()
    worker.is_idle = True
    if "session" in request.param:
        return Caller(session, ids)
    every = ["workflow:*", "model:*", "webhook:*", "execution:*"]
    held = ["*"] if role is Role.ADMIN else every
    _, key = await store.api_keys.create(other, name="k", capabilities=held)
    return Caller(await make_client(key), ids)
