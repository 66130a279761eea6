"""Limits on the size and rate of an account's uploads, over HTTP."""

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis import keyspace
from tests.gateway.conftest import MakeClient
from tests.support.gateway.documents import greeting
from tests.support.gateway.uploads import refused, upload
from tests.support.media import files

pytestmark = [pytest.mark.A53, pytest.mark.usefixtures("young_window")]

UPLOADS, ROOM = 4, 600_000
PNG = {"content-type": "image/png"}
SOUND = files.wav(200, 1_000_000)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    path = tmp_path / "tiers.toml"
    path.write_text(f"[pro]\nuploads_per_minute = {UPLOADS}\nmedia_bytes = {ROOM}\n")
    return replace(settings, tiers_file=str(path), max_asset_bytes=1_000_000)


async def send(client: httpx2.AsyncClient, data: bytes = SOUND) -> httpx2.Response:
    return await client.post("/api/assets", content=data, headers={"content-type": "audio/wav"})


def stored(tmp_path: Path) -> int:
    return sum(path.stat().st_size for path in (tmp_path / "media").rglob("*") if path.is_file())


async def test_an_upload_too_many_is_429_and_keeps_nothing(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    answers = [
        await client.post("/api/assets", content=files.png(), headers=PNG) for _ in range(UPLOADS)
    ]

    answer = await client.post("/api/assets", content=files.png(), headers=PNG)

    assert [each.status_code for each in answers] == [201] * UPLOADS
    assert [each.headers["x-ratelimit-remaining"] for each in answers] == ["3", "2", "1", "0"]
    refused(answer, 429, "RATE_LIMIT_EXCEEDED")
    body = answer.json()
    assert (body["tier"], body["limit"]) == ("pro", UPLOADS)
    assert 0 < body["retryAfter"] <= 60
    assert answer.headers["retry-after"] == str(body["retryAfter"])
    kept = UPLOADS * len(files.png())
    assert await store.assets.stored(account.id) == kept


async def test_uploads_that_are_refused_count_and_runs_have_a_count_of_their_own(
    client: httpx2.AsyncClient,
) -> None:
    await client.post("/api/workflows", json=greeting())
    run = "/api/workflows/greeting/run?async=true"
    for _ in range(UPLOADS):
        refused(await send(client, b"no sound"), 415, "UNSUPPORTED_MEDIA_TYPE")

    refused(await send(client), 429, "RATE_LIMIT_EXCEEDED")
    ran = await client.post(run, json={"inputs": {"name": "Eve"}})

    assert ran.status_code == 202
    assert (ran.headers["x-ratelimit-limit"], ran.headers["x-ratelimit-remaining"]) == (
        *("100", "99"),
    )


async def test_all_keys_and_browsers_of_an_account_share_the_count(
    client: httpx2.AsyncClient, browser: httpx2.AsyncClient
) -> None:
    form = {"file": ("a.png", files.png(), "image/png")}
    for _ in range(UPLOADS // 2):
        await upload(client)
        assert (await browser.post("/api/assets", files=form)).status_code == 201

    for caller in (client, browser):
        refused(await caller.post("/api/assets", files=form), 429, "RATE_LIMIT_EXCEEDED")


async def test_a_key_that_was_revoked_stores_nothing_although_it_was_good_before(
    client: httpx2.AsyncClient, store: Store, account: Account, tmp_path: Path
) -> None:
    await upload(client)
    before = stored(tmp_path)
    (key,) = await store.api_keys.list(account.id)
    await store.api_keys.revoke(key.id)

    answer = await send(client)

    assert answer.status_code == 401
    assert stored(tmp_path) == before


async def test_a_file_without_room_is_413_and_leaves_nothing(
    client: httpx2.AsyncClient, store: Store, account: Account, tmp_path: Path
) -> None:
    for _ in range(2):
        assert (await send(client)).status_code == 201
    before = stored(tmp_path)

    answer = await send(client, files.wav(300, 1_000_000))

    refused(answer, 413, "BODY_TOO_LARGE")
    assert answer.json()["limit"] == ROOM
    assert answer.json()["error"].startswith(f"The account's media take {before} bytes")
    assert (await store.assets.stored(account.id), stored(tmp_path)) == (before, before)


async def test_of_uploads_at_once_those_are_taken_that_fit(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    answers = await asyncio.gather(*(send(client) for _ in range(UPLOADS)))

    assert sorted(each.status_code for each in answers) == [201, 201, 413, 413]
    assert await store.assets.stored(account.id) == 2 * len(SOUND)


async def test_there_is_room_again_when_bytes_are_gone(
    client: httpx2.AsyncClient, store: Store
) -> None:
    sound = files.wav(590, 1_000_000)
    asset_id = (await send(client, sound)).json()["id"]
    refused(await send(client, sound), 413, "BODY_TOO_LARGE")

    due = keyspace.assets_due(partition_of(asset_id))
    for _ in range(2):
        await store.client.send("ZADD", due, "XX", 1, asset_id)
        await store.assets.review(asset_id)
    await store.assets.forget(asset_id)

    assert (await send(client, sound)).status_code == 201


@pytest.mark.parametrize(("tier", "role"), [(Tier.ENTERPRISE, Role.USER), (Tier.PRO, Role.ADMIN)])
async def test_who_is_unlimited_uploads_without_end(
    make_client: MakeClient, store: Store, tier: Tier, role: Role
) -> None:
    account = await store.accounts.create(email="big@example.com", tier=tier, role=role)
    _, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:*"])
    client = await make_client(secret)

    answers = [await send(client) for _ in range(UPLOADS + 2)]

    assert {each.status_code for each in answers} == {201}
    assert "x-ratelimit-limit" not in answers[0].headers
