"""Event streams of two gateways over one store, with a real worker and the stub as provider."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.models.registry import use_models
from engine.settings import Settings
from engine.store import Store
from engine.store.executions import events
from gateway.events import event_streams
from gateway.runs import event_feed
from tests.gateway.conftest import Gateway, serving
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.gateway.documents import edge, greeting, node
from tests.support.http.providers import KEY, a_stub, provided
from tests.support.http.sse_reader import SentEvent, parse
from workers.main import worker as real_worker

RUN = "/api/workflows/story/run"
STREAM = {"accept": "text/event-stream"}
NAMED = {"inputs": {"name": "Eve"}}
COUNTED = {"EVALSHA": 2, "HMGET": 1, "PUBLISH": 1, "XADD": 0, "XRANGE": 0, "PEXPIRE": 0}
"""Most commands for a run: to accept it, and to claim and end it with all its nodes."""
WORDS = " ".join(f"word{number}" for number in range(12))
STORY = {
    "name": "Story",
    "nodes": [
        node("in", "requestInput", fields=[{"name": "prompt", "label": "Prompt", "type": "text"}]),
        node("teller", "customModel", model="chat"),
        node("out", "responseOutput"),
    ],
    "edges": [
        edge("in", "prompt", "teller", "prompt-in"),
        edge("teller", "text-out", "out", "result-in"),
    ],
}


@pytest.fixture
def account_tier() -> Tier:
    """Return a tier that can pay."""
    return Tier.BUSINESS


@pytest.fixture
async def provider(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    async with a_stub("pace=8") as url:
        monkeypatch.setenv("PROVIDER_URL", f"{url}/v1")
        monkeypatch.setenv("PROVIDER_KEY", KEY)
        yield url


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    with use_models([provided("openai", 'model = "any"\n', name="chat")]):
        yield


@pytest.fixture(autouse=True)
async def a_worker_runs(settings: Settings, provider: str) -> AsyncIterator[None]:
    async with real_worker(settings):
        yield


@pytest.fixture
async def second(settings: Settings) -> AsyncIterator[Gateway]:
    """Another gateway over the same store."""
    async with serving(settings) as gateway:
        yield gateway


@pytest.fixture
async def other(second: Gateway, api_key: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the other gateway."""
    headers = {"x-api-key": api_key}
    async with httpx2.AsyncClient(
        base_url=second.url, headers=headers, timeout=PATIENCE_SECONDS
    ) as client:
        yield client


def run_body(prompt: str = WORDS) -> dict[str, Any]:
    return {"inputs": {"prompt": prompt}}


async def events_of(
    client: httpx2.AsyncClient, execution_id: str, after: str = ""
) -> list[SentEvent]:
    """Return the events of an execution after one of them."""
    headers = {"last-event-id": after} if after else {}
    answer = await client.get(f"/api/executions/{execution_id}/events", headers=headers)
    assert answer.status_code in (200, 204), answer.text
    return parse(answer.text)


async def begin(client: httpx2.AsyncClient, count: int) -> list[SentEvent]:
    """Read so many events of a watched run, then disconnect."""
    observed = ""
    async with client.stream("POST", RUN, json=run_body(), headers=STREAM) as answer:
        async for text in answer.aiter_text():
            observed += text
            if len(parse(observed)) >= count:
                break
    return parse(observed)[:count]


def commands_about(monitored: bytearray, execution_id: str) -> list[str]:
    """Return the names of the commands about the execution, in order."""
    lines = monitored.decode(errors="replace").splitlines()
    found = (re.search(r'\] "(\w+)"', line) for line in lines if execution_id in line)
    return [match[1].upper() for match in found if match]


async def test_a_stream_reads_on_where_a_read_is_full(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.post("/api/workflows", json=STORY)
    told = parse((await client.post(RUN, json=run_body(), headers=STREAM)).text)
    monkeypatch.setattr(event_feed.EventFeed, "check_seconds", 3_600.0)
    monkeypatch.setattr(events, "MAX_ENTRIES", 2)

    again = await events_of(client, told[0].data["executionId"])

    assert [each.id for each in again] == [each.id for each in told]


async def test_a_run_that_nobody_watches_sends_no_command_more(
    client: httpx2.AsyncClient, store: Store, monitored: bytearray
) -> None:
    await client.post("/api/workflows", json=greeting())
    await client.post("/api/workflows/greeting/run", json=NAMED)

    answer = await client.post("/api/workflows/greeting/run", json=NAMED)

    execution_id = answer.json()["executionId"]

    async def commands() -> list[str]:
        return commands_about(monitored, execution_id)

    assert answer.status_code == 200
    sent = await eventually(commands, lambda found: found[-1:] == ["PUBLISH"])
    assert {name: sent.count(name) for name in COUNTED} == COUNTED
    keys = await store.client.send("KEYS", "*")
    assert not [key for key in keys if b":events:" in key or b":progress:" in key]


@pytest.mark.parametrize("count", [2, 5])
async def test_what_one_gateway_began_to_tell_another_tells_to_the_end(
    client: httpx2.AsyncClient, other: httpx2.AsyncClient, count: int
) -> None:
    await client.post("/api/workflows", json=STORY)

    observed = await begin(client, count)
    execution_id = observed[0].data["executionId"]
    rest, whole = await asyncio.gather(
        events_of(other, execution_id, observed[-1].id), events_of(client, execution_id)
    )

    assert observed + rest == whole
    assert rest[-1].data["status"] == "completed"


async def test_a_gateway_that_stops_ends_its_streams_and_the_other_goes_on(
    client: httpx2.AsyncClient, other: httpx2.AsyncClient, second: Gateway
) -> None:
    await client.post("/api/workflows", json=STORY)
    body = run_body(f"[[stub delay=700]] {WORDS}")
    watching = asyncio.create_task(other.post(RUN, json=body, headers=STREAM))

    async def is_running() -> bool:
        rows = (await client.get("/api/executions?status=processing")).json()["rows"]
        return bool(rows and rows[0]["startedAt"])

    await eventually(is_running)
    second.stopping.set()

    observed = parse((await watching).text)
    execution_id = observed[0].data["executionId"]
    rest = await events_of(client, execution_id, observed[-1].id)
    assert "execution.finished" not in [event.name for event in observed]
    assert rest[-1].data["status"] == "completed"
    assert await events_of(client, execution_id) == observed + rest


async def test_a_stream_that_is_silent_says_that_it_lives(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_streams, "HEARTBEAT_SECONDS", 0.05)
    await client.post("/api/workflows", json=STORY)

    answer = await client.post(RUN, json=run_body("[[stub delay=200]] Hello"), headers=STREAM)

    assert answer.text.count("\n:\n") >= 2
    assert parse(answer.text)[-1].name == "execution.finished"
