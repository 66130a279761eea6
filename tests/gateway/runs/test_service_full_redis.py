"""A gateway and a worker on a full Redis: new runs are refused, and accepted runs end."""

import contextlib
from collections.abc import AsyncIterator

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.errors import StoreFull
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis.info import read_memory
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.support.eventually import eventually
from tests.support.gateway.documents import edge, greeting, node
from tests.support.gateway.uploads import upload
from tests.support.http.scripted_server import Target
from tests.support.http.scripted_server import serving as serving_target
from tests.support.http.webhook_receivers import Receiver, receiving
from workers.main import worker

FILLER = "filler"


@pytest.fixture
def account_tier() -> Tier:
    """Return a tier without rate limits."""
    return Tier.ENTERPRISE


@pytest.fixture
def key_capabilities() -> list[str]:
    return ["workflow:*", "execution:cancel", "webhook:receive"]


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    async with serving_target() as target:
        yield target


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def fill(store: Store) -> None:
    """Set a memory limit that Redis reaches to the last byte."""
    used = (await read_memory(store.client)).used
    await store.client.send("CONFIG", "SET", "maxmemory", used + 3_000_000)
    for size in (1_000_000, 100_000, 10_000, 1_000, 100):
        with contextlib.suppress(StoreFull):
            while True:
                await store.client.send("RPUSH", FILLER, "x" * size)


async def free(store: Store) -> None:
    await store.client.send("DEL", FILLER)


def documents(target: Target, asset_id: object) -> dict[str, tuple[list[object], list[object]]]:
    """Save workflows by the memory that their executions need until they end."""
    out, end = node("out", "responseOutput"), ("out", "result-in")
    call = node("call", "httpRequest", url=f"{target.url}/large/400000")
    return {
        "called": (
            [node("call", "httpRequest", url=f"{target.url}/echo"), out],
            [edge("call", "response-out", *end)],
        ),
        "retried": (
            [
                node(
                    "call",
                    "httpRequest",
                    url=f"{target.url}/flaky/1/a",
                    retry={"attempts": 2, "backoff": 0.01},
                ),
                out,
            ],
            [edge("call", "response-out", *end)],
        ),
        "large": ([call, out], [edge("call", "response-out", *end)]),
        "many": (
            [
                *(
                    node(f"n{number}", "httpRequest", url=f"{target.url}/large/100000")
                    for number in range(5)
                ),
                out,
            ],
            [edge(f"n{number}", "response-out", *end) for number in range(5)],
        ),
        "picture": (
            [node("up", "upload", asset=asset_id), node("small", "imageResize", width=8), out],
            [edge("up", "image-out", "small", "image-in"), edge("small", "image-out", *end)],
        ),
        "failing": (
            [node("call", "httpRequest", url=f"{target.url}/status/400"), out],
            [edge("call", "response-out", *end)],
        ),
    }


async def save(client: httpx2.AsyncClient, name: str, nodes: object, edges: object) -> None:
    answer = await client.post(
        "/api/workflows", json={"name": name, "nodes": nodes, "edges": edges}
    )
    assert answer.status_code == 201, answer.text


async def begin(client: httpx2.AsyncClient, slug: str) -> str:
    answer = await client.post(f"/api/workflows/{slug}/run?async=true", json={"inputs": {}})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["executionId"])


async def status_of(client: httpx2.AsyncClient, execution_id: str) -> str:
    answer = await client.get(f"/api/executions/{execution_id}")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["status"])


def refused(answer: httpx2.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE"), answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert "OOM" not in answer.text


@pytest.mark.F20
async def test_what_was_accepted_ends_and_what_is_new_waits_for_room(
    client: httpx2.AsyncClient,
    settings: Settings,
    store: Store,
    target: Target,
    receiver: Receiver,
) -> None:
    asset = await upload(client)
    wanted = documents(target, asset["id"])
    for name, (nodes, edges) in wanted.items():
        await save(client, name, nodes, edges)
    begun = {name: await begin(client, name) for name in wanted}
    cancelled = await begin(client, "called")

    for _ in range(3):
        await fill(store)  # Redis may have released memory of its connections
        refused(await client.post("/api/workflows/called/run", json={"inputs": {}}))
    assert (await client.post(f"/api/executions/{cancelled}/cancel")).status_code in (200, 202)
    async with worker(settings):
        ended = {}
        for name, execution_id in begun.items():
            ended[name] = await eventually(
                lambda each=execution_id: status_of(client, each),
                lambda observed: observed != "processing",
            )
        await fill(store)  # an ended execution may have released memory
        refused(await client.post("/api/workflows/called/run?async=true", json={"inputs": {}}))

        await free(store)
        later = await eventually(
            lambda: client.post("/api/workflows/called/run", json={"inputs": {}}),
            lambda answer: answer.status_code == 200,
            pause=0.2,
        )

    assert ended == {**dict.fromkeys(wanted, "completed"), "failing": "failed"}
    assert await status_of(client, cancelled) == "cancelled"
    assert later.status_code == 200, later.text


async def test_reading_and_deleting_go_on(
    client: httpx2.AsyncClient,
    make_browser: MakeBrowser,
    account: Account,
    settings: Settings,
    store: Store,
    target: Target,
) -> None:
    asset = await upload(client)
    await save(client, "called", *documents(target, asset["id"])["called"])
    async with worker(settings):
        execution_id = (await client.post("/api/workflows/called/run", json={"inputs": {}})).json()[
            "executionId"
        ]
    browser = await make_browser(account)
    await fill(store)

    for reader in (client, browser):
        for path in (
            f"/api/executions/{execution_id}",
            "/api/executions",
            "/api/executions?status=completed",
            "/api/workflows",
            "/api/workflows/called",
            "/api/workflows/called/schema",
            "/api/usage",
            "/api/models",
            "/api/assets",
            f"/api/assets/{asset['id']}",
            f"/api/executions/{execution_id}/events",
            "/api/me",
            "/metrics",
            "/readyz",
        ):
            answer = await reader.get(path)
            if answer.status_code not in (403, 404):  # not for keys, or not here
                assert answer.status_code == 200, (path, answer.text)
    for caller, path, body in (
        (client, "/api/workflows", {"json": greeting("Another")}),
        (client, "/api/assets", {"content": b"x", "headers": {"content-type": "image/png"}}),
        (browser, "/api/api-keys", {"json": {"name": "k", "capabilities": ["workflow:run"]}}),
    ):
        await fill(store)  # readers may have released memory
        refused(await caller.post(path, **body))
    assert (await client.delete(f"/api/assets/{asset['id']}")).status_code == 200
    assert (await client.delete("/api/workflows/called")).status_code == 200


async def test_an_end_is_told_to_its_webhook(
    make_client: MakeClient,
    make_browser: MakeBrowser,
    account: Account,
    settings: Settings,
    store: Store,
    target: Target,
    receiver: Receiver,
) -> None:
    key, secret = await store.api_keys.create(
        account, name="hooked", capabilities=["workflow:*", "webhook:receive"]
    )
    client, browser = await make_client(secret), await make_browser(account)
    saved = await browser.put(f"/api/api-keys/{key.id}/webhook", json={"url": receiver.url})
    assert saved.status_code == 200, saved.text
    await save(client, "called", *documents(target, "")["called"])
    execution_id = await begin(client, "called")
    await fill(store)

    async with worker(settings):

        async def received() -> int:
            return len(receiver.received)

        await eventually(received)

    assert receiver.received[0].id == execution_id
