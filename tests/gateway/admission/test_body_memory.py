"""Memory for large bodies: bounded for the process and for each account."""

import asyncio
from typing import Any

import httpx2
import pytest

from engine.errors import Unavailable
from gateway.admission import body_memory
from gateway.admission.body_memory import BodyMemory
from gateway.admission.request_context import RequestContext
from gateway.http.request_bodies import forget_body
from gateway.services import GatewayRequest
from tests.gateway.conftest import Gateway
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.gateway.documents import greeting, node

pytestmark = pytest.mark.A91c

MOST = 400_000
SHARE = MOST // 4
LARGE = "x" * 90_000


@pytest.fixture(autouse=True)
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_memory, "MAX_BYTES", MOST)
    monkeypatch.setattr(body_memory, "WAIT_SECONDS", 0.1)


def request_of(account_id: str) -> RequestContext:
    return RequestContext(account_id=account_id)


async def test_a_body_waits_until_its_account_has_memory_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(body_memory, "WAIT_SECONDS", PATIENCE_SECONDS)
    memory = BodyMemory()
    first, second = request_of("a"), request_of("a")
    await memory.reserve(first, SHARE)
    waiting = asyncio.create_task(memory.reserve(second, SHARE))
    await asyncio.sleep(0.01)
    assert not waiting.done()

    memory.release(first)
    await waiting


async def test_an_account_leaves_three_quarters_to_others() -> None:
    memory = BodyMemory()
    await memory.reserve(request_of("a"), SHARE)

    with pytest.raises(Unavailable):
        await memory.reserve(request_of("a"), SHARE)
    for name in ("b", "c", "d"):
        await memory.reserve(request_of(name), SHARE)
    with pytest.raises(Unavailable):
        await memory.reserve(request_of("e"), SHARE)


async def test_all_memory_is_there_again_when_all_have_let_go_or_given_up() -> None:
    memory = BodyMemory()
    for _ in range(3):
        held = [request_of(name) for name in ("a", "b", "c", "d")]
        for scope in held:
            await memory.reserve(scope, SHARE)
        for name in ("a", "e"):
            with pytest.raises(Unavailable):
                await memory.reserve(request_of(name), SHARE)
        for scope in held:
            memory.release(scope)
            memory.release(scope)


async def test_an_account_that_waited_in_vain_for_others_has_its_share_again() -> None:
    memory = BodyMemory()
    held = [request_of(name) for name in ("a", "b", "c", "d")]
    for scope in held:
        await memory.reserve(scope, SHARE - 100)
    await memory.reserve(request_of("e"), 350)
    with pytest.raises(Unavailable):
        await memory.reserve(request_of("e"), SHARE - 350)

    for scope in held:
        memory.release(scope)

    await memory.reserve(request_of("e"), SHARE - 350)


async def test_a_caller_who_hangs_up_while_it_waits_for_others_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(body_memory, "WAIT_SECONDS", PATIENCE_SECONDS)
    memory = BodyMemory()
    others = [request_of(name) for name in ("a", "b", "c", "d")]
    for scope in others:
        await memory.reserve(scope, SHARE)
    served = request_of("e")
    first = asyncio.create_task(memory.reserve(served, SHARE // 2))
    hangs_up = asyncio.create_task(memory.reserve(request_of("e"), SHARE // 2))
    await asyncio.sleep(0.01)

    hangs_up.cancel()
    await asyncio.gather(hangs_up, return_exceptions=True)
    for scope in others:
        memory.release(scope)
    await first

    monkeypatch.setattr(body_memory, "WAIT_SECONDS", 0.1)
    await memory.reserve(request_of("e"), SHARE // 2)  # what the first one has left of the share


async def test_nothing_is_kept_of_accounts_that_hold_nothing() -> None:
    memory = BodyMemory()
    served, waiting = request_of("a"), request_of("a")
    await memory.reserve(served, SHARE)
    with pytest.raises(Unavailable):
        await memory.reserve(waiting, SHARE)

    memory.release(served)

    assert not (memory._bytes._taken or memory._bytes._waiting)


async def test_a_body_larger_than_a_share_has_the_share_for_itself() -> None:
    memory = BodyMemory()
    scope = request_of("a")
    await memory.reserve(scope, MOST)

    with pytest.raises(Unavailable):
        await memory.reserve(request_of("a"), 1)
    memory.release(scope)
    await memory.reserve(request_of("a"), 1)


def large() -> dict[str, Any]:
    body = greeting()
    body["nodes"].append(node("much", "note", text=LARGE))
    return body


async def slug_of(client: httpx2.AsyncClient) -> str:
    return str((await client.post("/api/workflows", json=greeting())).json()["slug"])


async def test_callers_who_wait_for_their_runs_hold_no_bodies(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_memory, "WAIT_SECONDS", 20.0)
    path = f"/api/workflows/{await slug_of(client)}/run"
    left = []

    def forget(request: GatewayRequest) -> None:
        forget_body(request)
        left.append((request.context.body, request.context.body_bytes) != (None, None))

    monkeypatch.setattr("gateway.runs.service.forget_body", forget)

    async def call() -> int:
        answer = await client.post(path, json={"inputs": {"name": "Ada", "rest": LARGE}})
        return answer.status_code

    # Six shares; no worker takes the runs, so that all wait at once.
    calls = [asyncio.create_task(call()) for _ in range(6)]

    async def accepted() -> int:
        return len(left)

    await eventually(accepted, lambda count: count == 6)
    assert left == [False] * 6
    for waiting in calls:
        waiting.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


@pytest.mark.parametrize("route", ["run", "batch"])
@pytest.mark.parametrize("length", [f"content-length: {SHARE}", "transfer-encoding: chunked"])
async def test_who_sends_too_much_at_once_is_told_to_come_back_and_others_are_served(
    length: str,
    route: str,
    gateway: Gateway,
    client: httpx2.AsyncClient,
    strangers_client: httpx2.AsyncClient,
    api_key: str,
) -> None:
    slug = await slug_of(client)
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    head = (
        f"POST /api/workflows/{slug}/{route} HTTP/1.1\r\nhost: {host}\r\nx-api-key: {api_key}\r\n"
        f"content-type: application/json\r\n{length}\r\n\r\n"
    )
    _, writer = await asyncio.open_connection(host, int(port))
    begun = b'c\r\n{"inputs": {\r\n' if "chunked" in length else b'{"inputs": {'
    writer.write(head.encode() + begun)  # and no more

    async def refused() -> httpx2.Response:
        return await client.post("/api/workflows", json=large())

    answer = await eventually(refused, lambda found: found.status_code == 503, pause=0.5)
    assert answer.json()["code"] == "UNAVAILABLE"
    assert int(answer.headers["retry-after"]) >= 1
    small = await client.post("/api/workflows", json=greeting())
    others = await strangers_client.post("/api/workflows", json=large())
    assert (small.status_code, others.status_code) == (201, 201)

    writer.close()

    async def served() -> int:
        answer = await client.post("/api/workflows", json=large())
        return answer.status_code

    assert await eventually(served, lambda status: status == 201, pause=0.5) == 201
