"""A workflow document is returned whole; its cover is an asset of the account or a safe URL."""

import httpx2
import pytest

from engine.store import Account, Store
from tests.support.gateway.documents import greeting
from tests.support.gateway.uploads import refused, upload

HERE = "/api/workflows/greeting"


@pytest.mark.parametrize(
    "cover",
    [
        *("javascript:alert(1)", "http://example.com/a.png", "data:image/png;base64,AA", ""),
        *("https://", "https://exa mple.com/", 'https://example.com/"onload=x', "//example.com/a"),
        *("0" * 23, "/media/a.png"),
    ],
)
async def test_a_cover_is_an_asset_or_an_https_url(client: httpx2.AsyncClient, cover: str) -> None:
    for draft in (False, True):
        answer = await client.post("/api/workflows", json=greeting(cover=cover, draft=draft))

        refused(answer, 400, "INVALID_BODY")
        assert answer.json()["field"] == "cover"


async def test_an_asset_that_is_a_cover_lives_as_long_as_the_workflow(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    first, second = await upload(client), await upload(client)
    assert (await client.post("/api/workflows", json=greeting(cover=first["id"]))).is_success
    assert (await client.put(HERE, json={"cover": second["id"]})).is_success

    for asset in (first, second):
        needed = await store.assets.needed_by(str(asset["id"]))
        assert needed == (account.id, ["workflow greeting"])


async def test_an_asset_of_nobody_or_of_somebody_else_is_no_cover(
    client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient
) -> None:
    await client.post("/api/workflows", json=greeting())
    foreign = await upload(strangers_client)

    for cover in (foreign["id"], "0" * 24):
        refused(await client.put(HERE, json={"cover": cover}), 400, "INVALID_BODY")


async def test_a_cover_that_was_deleted_does_not_stop_other_changes(
    client: httpx2.AsyncClient,
) -> None:
    asset = await upload(client)
    await client.post("/api/workflows", json=greeting(cover=asset["id"]))
    await client.delete(f"/api/assets/{asset['id']}")

    answer = await client.put(HERE, json={"tags": ["a"]})

    assert (answer.status_code, answer.json()["cover"]) == (200, asset["id"])
