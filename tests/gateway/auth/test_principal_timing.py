"""The time of an answer must not reveal more than the answer.

Two kinds of requests alternate in random order, and their times are compared by Welch's t.
"""

import asyncio
import random
import secrets
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.ids import api_keys, tokens
from engine.settings import Settings
from engine.store import Account, Store
from tests.gateway.conftest import Gateway
from tests.support.gateway.documents import greeting
from tests.support.gateway.uploads import upload

PAIRS = 10_000
MAX_T = 4.5
KEPT = 0.9
"""The slowest tenth depends on the machine more than on the gateway."""
pytestmark = [pytest.mark.A67, pytest.mark.slow, pytest.mark.timeout(600)]

Requests = Callable[[], bytes]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings without a limit on failed calls: thousands fail here, and each is looked up."""
    return replace(settings, failed_calls_per_minute=0)


def request(method: str, path: str, **headers: str) -> bytes:
    """Return the bytes of a request with a small JSON body."""
    body = b'{"inputs":{}}'
    lines = [f"{method} {path} HTTP/1.1", "host: x", "content-type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class Stopwatch:
    """One kept connection, and the times of its answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.statuses: set[bytes] = set()

    async def seconds(self, data: bytes) -> float:
        """Send a request, wait for its whole answer, and return the time."""
        began = time.perf_counter()
        self._writer.write(data)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await self._reader.readexactly(int(length))
        elapsed = time.perf_counter() - began
        self.statuses.add(head[9:12])
        return elapsed


async def times_of(gateway: Gateway, one: Requests, other: Requests) -> tuple[set[bytes], float]:
    """Return the statuses of the answers, and t."""
    address = urlsplit(gateway.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    watch = Stopwatch(reader, writer)
    found: dict[Requests, list[float]] = {one: [], other: []}
    for _ in range(200):
        await watch.seconds(one())
        await watch.seconds(other())
    for _ in range(PAIRS):
        for kind in random.sample([one, other], 2):
            found[kind].append(await watch.seconds(kind()))
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return watch.statuses, welch(found[one], found[other])


def welch(one: list[float], other: list[float]) -> float:
    limit = sorted(one + other)[int(KEPT * len(one + other))]
    kept = [[value for value in values if value <= limit] for values in (one, other)]
    dependencies = [statistics.fmean(values) for values in kept]
    error = sum(statistics.variance(values) / len(values) for values in kept) ** 0.5
    return abs(dependencies[0] - dependencies[1]) / error


def in_turn(made: list[bytes]) -> Requests:
    """Return the requests in turn, again and again."""

    def forever() -> Iterator[bytes]:
        while True:
            yield from made

    return forever().__next__


def key_like(known: str) -> str:
    """Return a key that never existed, with the shown characters of one that does."""
    shown = api_keys.shown_prefix(known)
    body = shown + secrets.token_urlsafe(32)[: len(known) - len(shown) - 7]
    return f"{body}_{tokens._checksum(body)}"


@pytest.mark.A06
@pytest.mark.A67
async def test_the_beginning_of_a_known_key_is_no_nearer_to_it(
    gateway: Gateway, api_key: str, account: Account
) -> None:
    near = [request("GET", "/api/whoami", x_api_key=key_like(api_key)) for _ in range(500)]
    far = [
        request("GET", "/api/whoami", x_api_key=api_keys.make_secret(account.id))
        for _ in range(500)
    ]

    statuses, t = await times_of(gateway, in_turn(near), in_turn(far))

    assert statuses == {b"401"}
    assert t < MAX_T


@pytest.mark.A06
async def test_one_look_into_the_store_would_be_noticed(gateway: Gateway, account: Account) -> None:
    known = [api_keys.make_secret(account.id) for _ in range(500)]
    unknown = [request("GET", "/api/whoami", x_api_key=key) for key in known]
    malformed = [request("GET", "/api/whoami", x_api_key=key[:-1] + "!") for key in known]

    _, t = await times_of(gateway, in_turn(unknown), in_turn(malformed))

    assert t > 5 * MAX_T


PATHS = {
    "read": ("GET", "/api/workflows/{slug}"),
    "schema": ("GET", "/api/workflows/{slug}/schema"),
    "write": ("PUT", "/api/workflows/{slug}"),
    "delete": ("DELETE", "/api/workflows/{slug}"),
    "execution": ("GET", "/api/executions/{execution_id}"),
    "cancel": ("POST", "/api/executions/{execution_id}/cancel"),
    "run": ("POST", "/api/workflows/{slug}/run"),
    "public": ("GET", "/api/workflows/{slug}/public-schema"),
    "key": ("DELETE", "/api/api-keys/{key_id}"),
    "asset": ("GET", "/api/assets/{asset_id}"),
    "deletion": ("DELETE", "/api/assets/{asset_id}"),
}


@pytest.mark.A19
@pytest.mark.parametrize("name", sorted(PATHS))
async def test_what_is_anothers_takes_as_long_as_what_is_not(
    gateway: Gateway,
    browser: httpx2.AsyncClient,
    client: httpx2.AsyncClient,
    store: Store,
    name: str,
) -> None:
    method, path = PATHS[name]
    admin = await store.accounts.create(email="r@e.com", tier=Tier.ENTERPRISE)
    token = await store.sessions.redeem(await store.sessions.create_login(admin.id))
    await client.post("/api/workflows", json=greeting())
    run = await client.post(
        "/api/workflows/greeting/run?async=true", json={"inputs": {"name": "x"}}
    )
    asset = await upload(client)
    key = await browser.post("/api/api-keys", json={"name": "k", "preset": "Read-only"})
    foreign = {
        "slug": "greeting",
        "execution_id": run.json()["executionId"],
        "key_id": key.json()["id"],
        "asset_id": asset["id"],
    }
    unknown = {
        "slug": "gratings",
        "execution_id": "00000000-0000-4000-8000-000000000000",
        "key_id": "key_000000000000000000000000",
        "asset_id": "0" * 24,
    }
    headers = {"cookie": f"headrace_session={token}", "origin": gateway.url}
    both = [request(method, path.format(**ids), **headers) for ids in (foreign, unknown)]

    statuses, t = await times_of(gateway, in_turn(both[:1]), in_turn(both[1:]))

    assert statuses == {b"404"}
    assert t < MAX_T
