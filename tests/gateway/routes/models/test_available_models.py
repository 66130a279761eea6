"""The list marks models that no worker can call, with a reason for the caller."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.models.registry import use_models
from engine.settings import Settings
from engine.store import Store
from tests.gateway.conftest import MakeBrowser, serving
from tests.support.eventually import eventually
from tests.support.manifests import model
from tests.support.workers.leases import beat
from workers.main import worker

KEYED = '[openai]\nbase_url = "https://a.example/v1"\nmodel = "m"\napi_key_env = "A_KEY"\n'
UNSET = "The provider's key is not set up"
NAMED = f"{UNSET}: set A_KEY and start the workers again"


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    with use_models([model("echo"), model("keyed", call=KEYED)]):
        yield


async def reported(client: httpx2.AsyncClient) -> dict[str, Any]:
    """Return the reason of each model, None for available ones."""
    rows = (await client.get("/api/models")).json()
    assert all(row["available"] is (row["unavailableReason"] is None) for row in rows)
    return {row["internalName"]: row["unavailableReason"] for row in rows}


async def test_a_model_is_available_when_any_living_worker_has_its_key(
    client: httpx2.AsyncClient, store: Store
) -> None:
    assert await reported(client) == {"echo": None, "keyed": "No worker is running"}

    await beat(store, "bare", 60_000)
    assert await eventually(lambda: reported(client), lambda now: now["keyed"] == UNSET)
    await beat(store, "keyed", 60_000, ["A_KEY"])
    assert await eventually(lambda: reported(client), lambda now: now["keyed"] is None)
    await store.leases.end_lease("keyed")
    assert await eventually(lambda: reported(client), lambda now: now["keyed"] == UNSET)


async def test_a_real_worker_publishes_the_name_of_its_key_and_never_its_value(
    client: httpx2.AsyncClient,
    store: Store,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    monitored: bytearray,
) -> None:
    monkeypatch.setenv("A_KEY", "sk-never-told")
    async with worker(settings):
        assert await eventually(lambda: reported(client)) == {"echo": None, "keyed": None}
        assert await store.leases.variables() == [{"A_KEY"}]

    assert b"A_KEY" in monitored
    assert b"sk-never-told" not in monitored
    assert await store.leases.variables() == []


async def test_admins_and_callers_of_a_local_stack_are_told_the_variable(
    make_browser: MakeBrowser, store: Store, settings: Settings, api_key: str
) -> None:
    await beat(store, "bare", 60_000)
    admin = await store.accounts.create(
        email="root@example.com", tier=Tier.BUSINESS, role=Role.ADMIN
    )

    assert (await reported(await make_browser(admin)))["keyed"] == NAMED
    async with serving(replace(settings, tell_setup=True)) as local:
        headers = {"x-api-key": api_key}
        async with httpx2.AsyncClient(base_url=local.url, headers=headers, timeout=30) as client:
            assert (await reported(client))["keyed"] == NAMED
