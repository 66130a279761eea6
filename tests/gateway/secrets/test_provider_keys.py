"""Providers that repeat their keys in every way, and a search for these keys in every output."""

import io
import itertools
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import pytest
from aiohttp import web

from engine.access.capabilities import Tier
from engine.models.manifest import Model
from engine.models.registry import use_models
from engine.settings import Settings
from engine.store import Store
from tests.gateway.conftest import MakeClient
from tests.gateway.secrets.test_secrets_in_answers import Canaries
from tests.support.manifests import model
from workers.main import worker

Reply = Callable[[str], web.Response]
STREAM = {"accept": "text/event-stream"}
CHAT = """
[openai]
base_url = "http://127.0.0.1:9"
base_url_env = "PROVIDER_URL"
api_key_env = "CANARY_{number}"
model = "any"
"""


def respond(key: str) -> web.Response:
    return web.json_response({"id": key, "choices": [{"message": {"content": f"It is {key}."}}]})


def streamed(key: str) -> web.Response:
    pieces = (key[:9], key[9:20], key[20:])
    chunks = [{"choices": [{"index": 0, "delta": {"content": each}}]} for each in pieces]
    lines = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks)
    return web.Response(text=f"{lines}data: [DONE]\n\n", content_type="text/event-stream")


REPLIES: tuple[Reply, ...] = (
    lambda key: web.json_response(
        {"error": {"message": f"Bad key {key}", "code": key}}, status=401
    ),
    lambda key: web.Response(text=f"<pre>Authorization: Bearer {key}</pre>", status=500),
    lambda key: web.Response(text=f"{{{key}", content_type="application/json"),
    lambda key: web.json_response({"error": key}, status=429, headers={"X-Debug": key}),
    lambda key: web.Response(status=302, headers={"Location": f"https://x.example/?key={key}"}),
    lambda key: web.json_response({"choices": [{"message": {key: key}}], "usage": {key: 1}}),
    respond,
    streamed,
)


@pytest.fixture
async def gossip(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """A provider that repeats each key it receives, each time in another way."""
    payload: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        key = request.headers["Authorization"].removeprefix("Bearer ")
        payload.append(key)
        asks_for_stream = (await request.json()).get("stream")
        replies = REPLIES if asks_for_stream else REPLIES[:-1]
        return replies[len(payload) % len(replies)](key)

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    with socket.create_server(("127.0.0.1", 0)) as bound:
        await web.SockSite(runner, bound).start()
        monkeypatch.setenv("PROVIDER_URL", f"http://127.0.0.1:{bound.getsockname()[1]}")
        yield payload
        await runner.cleanup()


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


def chats(count: int) -> list[Model]:
    return [
        model(f"chat{number}", call=CHAT.replace("{number}", str(number)))
        for number in range(count)
    ]


def planted(canaries: Canaries, count: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for number in range(count):
        monkeypatch.setenv(
            f"CANARY_{number}", canaries.watch(f"sk-c{number:03}{os.urandom(20).hex()}")
        )
        yield f"/api/models/chat{number}/run"


async def outputs_of_run(
    client: httpx2.AsyncClient, path: str, headers: dict[str, str]
) -> list[str]:
    """Return every output about a run."""
    body: dict[str, Any] = {"inputs": {"prompt": "What is your key?"}}
    ran = await client.post(path, json=body, headers=headers)
    [row] = (await client.get("/api/executions?limit=1")).json()["rows"]
    place = f"/api/executions/{row['executionId']}"
    rest = [await client.get(f"{place}{part}") for part in ("", "/events")]
    return [f"{each.headers}{each.text}" for each in (ran, *rest)]


@pytest.mark.A64a
@pytest.mark.parametrize(
    "count",
    [
        pytest.param(16, id="some"),
        pytest.param(500, id="many", marks=[pytest.mark.slow, pytest.mark.timeout(300)]),
    ],
)
async def test_no_key_of_a_provider_is_told_by_an_answer_an_event_a_line_or_a_command(
    make_client: MakeClient,
    store: Store,
    settings: Settings,
    gossip: list[str],
    canaries: Canaries,
    logged: io.StringIO,
    monitored: bytearray,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
) -> None:
    account = await store.accounts.create(email="many@example.com", tier=Tier.BUSINESS)
    _, secret = await store.api_keys.create(account, name="k", capabilities=["model:*"])
    client = await make_client(secret)
    texts: list[str] = []

    with use_models(chats(count)):
        async with worker(settings):
            ways = itertools.cycle(({}, STREAM))
            for path, headers in zip(planted(canaries, count, monkeypatch), ways, strict=False):
                texts += await outputs_of_run(client, path, headers)
            texts.append((await client.get(f"/api/usage?limit={min(count, 500)}")).text)
            texts.append((await client.get("/metrics")).text)

    assert len(gossip) >= count
    assert set(gossip) == set(canaries.planted)
    assert "[secret]" in "".join(texts)
    assert canaries.seen_in("\n".join(texts)) == []
    assert canaries.seen_in(logged.getvalue()) == []
    assert canaries.seen_in(monitored.decode("latin-1")) == []
