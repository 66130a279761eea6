"""Deleting and listing assets over HTTP: permission, freed bytes, and isolation of accounts."""

import re
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from engine.settings import Settings
from tests.support.eventually import eventually
from tests.support.gateway.uploads import local, refused, upload
from tests.support.media import files

ROOM = 600_000
SOUND = files.wav(400, 1_000_000)
JSON = {"content-type": "application/json"}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    path = tmp_path / "tiers.toml"
    path.write_text(f"[pro]\nmedia_bytes = {ROOM}\n")
    return replace(settings, tiers_file=str(path), max_asset_bytes=1_000_000)


def stored(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "media").rglob("*") if path.is_file()]


async def send(client: httpx2.AsyncClient) -> httpx2.Response:
    return await client.post("/api/assets", content=SOUND, headers={"content-type": "audio/wav"})


async def test_what_is_deleted_makes_room_at_once(
    client: httpx2.AsyncClient, tmp_path: Path
) -> None:
    asset = (await send(client)).json()
    refused(await send(client), 413, "BODY_TOO_LARGE")
    full = (await client.get("/api/assets")).json()

    await client.delete(f"/api/assets/{asset['id']}")

    empty = (await client.get("/api/assets")).json()
    assert (full["bytes"], full["maxBytes"]) == (len(SOUND), ROOM)
    assert (empty["rows"], empty["bytes"], stored(tmp_path)) == ([], 0, [])
    assert (await send(client)).status_code == 201


async def test_a_browser_deletes_what_a_key_stored_and_sees_the_same_list(
    client: httpx2.AsyncClient, browser: httpx2.AsyncClient
) -> None:
    asset, other = await upload(client), await upload(client)

    listed = (await browser.get("/api/assets")).json()
    gone = await browser.delete(f"/api/assets/{asset['id']}", headers=JSON)

    assert [row["id"] for row in listed["rows"]] == [other["id"], asset["id"]]
    assert (gone.status_code, gone.json()) == (200, {"success": True})
    refused(await client.get(f"/api/assets/{asset['id']}"), 404, "ASSET_NOT_FOUND")


async def test_links_to_smaller_pictures_end_with_the_asset(client: httpx2.AsyncClient) -> None:
    asset = await upload(client, files.picture("PNG", 300, 200))
    small = (await client.get(f"/api/assets/{asset['id']}?w=64")).json()
    before = await client.get(local(small))

    await client.delete(f"/api/assets/{asset['id']}")

    assert before.status_code == 200
    refused(await client.get(local(small)), 404, "ASSET_NOT_FOUND")
    refused(await client.get(local(asset)), 404, "ASSET_NOT_FOUND")


def commands_about(monitored: bytearray, asset_id: str) -> list[str]:
    """Return the commands about the asset, without its id and partition."""
    lines = monitored.decode(errors="replace").splitlines()
    about = (line.partition("] ")[2] for line in lines if asset_id in line)
    return [re.sub(r"\{hr\d\d\}", "", line.replace(asset_id, "ID")) for line in about]


async def _now(value: bool) -> bool:
    return value


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_what_is_anothers_takes_the_same_commands_as_what_is_not(
    client: httpx2.AsyncClient,
    strangers_client: httpx2.AsyncClient,
    monitored: bytearray,
    method: str,
) -> None:
    foreign, unknown, last = str((await upload(client))["id"]), "0" * 24, "1" * 24
    await client.get(f"/api/assets/{last}")
    # all commands of the upload have arrived by then
    await eventually(lambda: _now(last.encode() in monitored), bool)
    monitored.clear()

    answers = [
        await strangers_client.request(method, f"/api/assets/{each}") for each in (foreign, unknown)
    ]

    async def about_both() -> list[list[str]]:
        return [commands_about(monitored, each) for each in (foreign, unknown)]

    await eventually(about_both, lambda sent: bool(sent[0]) and sent[0] == sent[1])
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
