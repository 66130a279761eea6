"""The route of links: its headers in every answer, guesses, slow bodies, and other methods."""

import asyncio
from collections import Counter
from dataclasses import replace

import httpx2
import pytest

from engine.errors import Unavailable
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.waits.node_waits import NodeWaits, WaitRef
from gateway import app
from gateway.approvals import service
from gateway.approvals.style import HEADERS
from gateway.http.middleware import BodyLimit
from tests.gateway.conftest import Gateway, MakeClient, serving
from tests.support.eventually import eventually
from tests.support.gateway.raw_requests import close, connect
from tests.support.waits.links import link_to
from tests.support.waits.runs import WaitRuns

pytestmark = pytest.mark.A94a

LIMIT = 20
APPROVED = {"decision": "approve", "fields.where": "here"}
UNKNOWN = "/approvals/" + "A" * 124


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, failed_calls_per_minute=LIMIT, cors_origins="*")


@pytest.fixture
async def path(settings: Settings, store: Store, account: Account) -> str:
    """Return the link to an open approval."""
    runs = await WaitRuns.rooted(store, account)
    await runs.ask()
    return link_to(settings, runs.asked)


@pytest.fixture
async def visitor(make_client: MakeClient) -> httpx2.AsyncClient:
    return await make_client()


async def test_every_answer_keeps_the_address_secret_and_runs_nothing(
    path: str, visitor: httpx2.AsyncClient
) -> None:
    foreign = {"origin": "https://evil.example"}
    answers = [
        await visitor.get(path, headers=foreign),
        await visitor.head(path),
        await visitor.get(UNKNOWN),
        await visitor.post(path, data={"decision": "perhaps"}),
        await visitor.post(UNKNOWN, data=APPROVED),
        await visitor.post(path, data={**APPROVED, "fields.where": "x" * service.MAX_BYTES}),
        await visitor.post(
            path, data=APPROVED, headers={**foreign, "sec-fetch-site": "cross-site"}
        ),
        await visitor.get(path),
    ]

    assert [each.status_code for each in answers] == [200, 200, 404, 400, 404, 413, 200, 410]
    for each in answers[:5] + answers[6:]:
        assert HEADERS.items() <= dict(each.headers).items()
        assert each.headers["content-type"] == "text/html; charset=utf-8"
        assert each.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in each.headers and "location" not in each.headers
    assert answers[1].text == ""


async def test_other_methods_are_refused_and_say_nothing_of_the_token(
    path: str, visitor: httpx2.AsyncClient
) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        known, unknown = [await visitor.request(method, each) for each in (path, UNKNOWN)]
        assert (known.status_code, known.headers["allow"]) == (405, "GET, HEAD, POST")
        assert (known.status_code, known.text) == (unknown.status_code, unknown.text)


async def test_an_address_that_guesses_tokens_is_refused(
    path: str, visitor: httpx2.AsyncClient
) -> None:
    right = Counter([(await visitor.get(path)).status_code for _ in range(2 * LIMIT)])
    guesses = Counter([(await visitor.get(UNKNOWN)).status_code for _ in range(2 * LIMIT)])

    assert right == {200: 2 * LIMIT}, "those who have a link may look as often as they like"
    assert guesses[404] >= LIMIT
    assert guesses[429] >= LIMIT - 3  # one comes back every three seconds


async def test_unknown_tokens_are_refused_before_their_bodies_are_read(gateway: Gateway) -> None:
    head = f"POST {UNKNOWN} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n"
    reader, writer = await connect(gateway.url)
    writer.write(head.encode())

    assert (await reader.readline()).split()[1] == b"404"
    await close(writer)


async def test_a_slow_body_is_given_up_and_decides_nothing(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, path: str
) -> None:
    monkeypatch.setattr(app, "ANSWER_LIMIT", BodyLimit(service.MAX_BYTES, seconds=0.2))
    async with serving(settings) as gateway:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 19\r\n"
        form = "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        reader, writer = await connect(gateway.url)
        writer.write((head + form).encode() + b"decision=refuse")

        assert (await reader.readline()).split()[1] == b"408"
        await close(writer)
        async with httpx2.AsyncClient(base_url=gateway.url) as client:
            assert (await client.get(path)).status_code == 200


async def test_slow_answers_to_one_account_keep_no_other_out(
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    gateway: Gateway,
    path: str,
    store: Store,
    stranger: Account,
    visitor: httpx2.AsyncClient,
) -> None:
    runs = await WaitRuns.rooted(store, stranger)
    await runs.ask()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {service.MAX_BYTES}\r\n\r\n"
    slow = [await connect(gateway.url) for _ in range(80)]
    for _, writer in slow:
        writer.write(head.encode() + b"note=")
    await asyncio.sleep(0.3)

    large = {**APPROVED, "fields.where": "x" * 60_000}
    try:
        answered = await visitor.post(link_to(settings, runs.asked), data=large)
    finally:
        for _, writer in slow:
            await close(writer)

    assert answered.status_code == 200


async def test_a_store_that_is_away_is_told_as_a_page(
    monkeypatch: pytest.MonkeyPatch, path: str, visitor: httpx2.AsyncClient
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("The store cannot be reached right now")

    monkeypatch.setattr(NodeWaits, "find", away)

    answer = await visitor.post(path, data=APPROVED)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "Nothing is decided yet" in answer.text
    assert "The store cannot be reached right now." in answer.text


async def test_every_token_that_leads_nowhere_costs_the_same_and_gets_the_same(
    settings: Settings, account: Account, visitor: httpx2.AsyncClient, monitored: bytearray
) -> None:
    gone = WaitRef(account.id, "3a1f7c52-0d6b-4f5e-9a51-6a5f4a3f0b11", 0)
    authentic = link_to(settings, gone)
    forged = authentic[:-1] + ("A" if authentic[-1] != "A" else "B")
    odd = ("%00", "a%2Fb", "é" * 40, "\\", "'", "a" * 2_000, "{token}", "A=", "%ff")
    found: dict[str, tuple[int, str]] = {}
    pages = 0
    for each in (authentic, forged, UNKNOWN, *(f"/approvals/{each}" for each in odd)):
        answer = await visitor.post(each, data=APPROVED)
        found[each] = (answer.status_code, answer.text)
        pages += answer.headers["content-type"].startswith("text/html")

    async def looks() -> int:
        return sum(b'] "HMGET"' in each and b'"q0"' in each for each in monitored.splitlines())

    assert pages >= 3
    assert await eventually(looks, pages.__le__) == pages
    assert {status for status, _ in found.values()} == {404}
    assert found[authentic] == found[forged] == found[UNKNOWN]
