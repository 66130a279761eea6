"""Links to media from one run are inputs of the next, although they are not `https`."""

from dataclasses import replace

import httpx2
import pytest

from engine.settings import Settings
from engine.store import Account, Store
from tests.gateway.routes.assets.test_assets import save_photo
from tests.support.gateway.fake_worker import FakeWorker
from tests.support.gateway.uploads import refused, upload
from tests.support.media import files


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Default settings of installations."""
    return replace(settings, allow_private_urls=False)


async def test_a_media_url_of_one_run_is_an_input_of_the_next(
    client: httpx2.AsyncClient, worker: FakeWorker, store: Store, account: Account
) -> None:
    worker.outcome = lambda inputs: {"images": [inputs["photo"]]}
    await save_photo(client)
    asset = await upload(client)
    run = "/api/workflows/photo/run"

    first = (await client.post(run, json={"inputs": {"photo": asset["id"]}})).json()
    [url] = first["result"]["images"]
    second = await client.post(run, json={"inputs": {"photo": url}})

    assert url.startswith("http://")
    assert second.status_code == 200, second.text
    assert second.json()["result"]["images"][0].startswith("http://")
    needing = await store.assets.needed_by(str(asset["id"]))
    assert needing[1].count(second.json()["executionId"]) == 1


async def test_an_execution_names_the_assets_that_its_result_links_to(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    await save_photo(client)
    asset = await upload(client)
    result = {"images": [asset["url"]], "texts": ["see https://example.com/media/x", None]}
    worker.outcome = lambda inputs: result
    ran = await client.post("/api/workflows/photo/run", json={"inputs": {"photo": asset["id"]}})

    execution = (await client.get(f"/api/executions/{ran.json()['executionId']}")).json()

    assert execution["result"] == result
    assert execution["assets"] == [{"id": asset["id"], "url": asset["url"]}]


async def test_a_link_that_somebody_else_gave_is_an_input_while_it_is_good(
    client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient
) -> None:
    await save_photo(client)
    foreign = await upload(strangers_client)
    run, body = "/api/workflows/photo/run?async=true", {"inputs": {"photo": foreign["url"]}}

    assert (await client.post(run, json=body)).status_code == 202
    await strangers_client.delete(f"/api/assets/{foreign['id']}")
    answer = await client.post(run, json=body)

    refused(answer, 400, "INVALID_INPUTS")
    assert answer.json()["reason"] == "is a link that leads to no asset any more"


async def test_a_link_with_a_wrong_signature_or_of_another_kind_is_refused(
    client: httpx2.AsyncClient,
) -> None:
    await save_photo(client)
    asset, sound = await upload(client), await upload(client, files.wav(), "audio/wav")

    for url in (f"{str(asset['url'])[:-1]}x", sound["url"]):
        answer = await client.post("/api/workflows/photo/run", json={"inputs": {"photo": url}})
        refused(answer, 400, "INVALID_INPUTS")
