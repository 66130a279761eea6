"""Fixtures: inbound webhooks of accounts, and a service that sends events."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx2
import pytest

from engine.store import Account, Store
from engine.triggers.trigger import HookSettings, Trigger, Verify, VerifyKind
from tests.gateway.conftest import MakeClient
from tests.support.gateway.documents import greeting
from tests.support.triggers.records import save_hook

SECRET = "a-secret-of-the-sender"
MakeHook = Callable[..., Awaitable[Trigger]]


class Sender:
    """A service that sends events, without a key."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client

    async def send(
        self, trigger: Trigger, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """Send an event, of the name Ada unless a body is given."""
        data = body if isinstance(body, bytes) else json.dumps(body or {"name": "Ada"}).encode()
        given = {"content-type": "application/json", **(headers or {})}
        return await self.client.post(f"/hooks/{trigger.token}", content=data, headers=given)


@pytest.fixture
async def sender(make_client: MakeClient) -> Sender:
    return Sender(await make_client())


@pytest.fixture
async def slug(client: httpx2.AsyncClient) -> str:
    answer = await client.post("/api/workflows", json=greeting(publicPlayground=True))
    return str(answer.json()["slug"])


@pytest.fixture
def make_hook(store: Store, account: Account, slug: str) -> MakeHook:
    """Return a factory of inbound webhooks that start the greeting."""

    async def make(
        kind: VerifyKind = VerifyKind.NONE,
        *,
        owner: Account = account,
        members: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> Trigger:
        secret = "" if kind is VerifyKind.NONE else "SIGNING"
        if secret:
            await store.secrets.save(owner.id, secret, SECRET)
        verify = Verify(kind=kind, secret=secret)
        hook = HookSettings(verify=verify, **settings)
        return await save_hook(store, owner, slug=slug, hook=hook, **(members or {}))

    return make
