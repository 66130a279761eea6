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
    """A caller by key, by session or with neither, and the ids of its account's objects."""

    name: str
    client: httpx2.AsyncClient
    ids: dict[str, str]


@dataclass(frozen=True)
class Scenario:
    """Objects of one account, its browser, and callers of other accounts."""

    ids: dict[str, str]
    maker: Maker
    owner: httpx2.AsyncClient
    callers: list[Caller]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings that let more calls fail than the matrix has, and no run be waited for."""
    return replace(settings, failed_calls_per_minute=100_000, sync_timeout=0.05)


@pytest.fixture
def account_tier() -> Tier:
    return Tier.BUSINESS


@pytest.fixture
async def scenario(
    browser: httpx2.AsyncClient,
    make_client: MakeClient,
    make_browser: MakeBrowser,
    store: Store,
    account: Account,
    worker: FakeWorker,
) -> Scenario:
    maker = Maker(browser, store, account, "owner")
    ids = await maker.make()
    callers = [Caller("nobody", await make_client(), ids)]
    for label, role in (("other", Role.USER), ("admin", Role.ADMIN)):
        email = f"{label}@example.com"
        other = await store.accounts.create(email=email, tier=Tier.BUSINESS, role=role)
        session = await make_browser(other)
        own = await Maker(session, store, other, label).make()
        every = ["workflow:*", "model:*", "webhook:*", "execution:*"]
        held = ["*"] if role is Role.ADMIN else every
        _, key = await store.api_keys.create(other, name="k", capabilities=held)
        callers.append(Caller(f"session of {label}", session, own))
        callers.append(Caller(f"key of {label}", await make_client(key), own))
        if role is Role.ADMIN:
            await save(session, manifest("seeing", fields=PROMPT + field("image", "image")))
    worker.is_idle = True
    return Scenario(ids, maker, browser, callers)
