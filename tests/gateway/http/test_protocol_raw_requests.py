"""Requests that no client library sends, against the whole gateway."""

import asyncio
import re
from itertools import product
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from engine.store import Account, Store
from tests.gateway.auth.test_principal import lookups_of_keys
from tests.gateway.conftest import Gateway
from tests.support.gateway.documents import greeting
from tests.support.gateway.matrix.calls import GUARDED, PATH, UNAUTHORIZED
from tests.support.gateway.raw_requests import (
    body_of,
    close,
    connect,
    exchange,
    headers_of,
    request,
    statuses,
)

RUN = "/api/workflows/greeting/run?async=true"
ASK = '{"inputs":{"name":"Eve"}}'

# -- keys -----------------------------------------------------------------------------------------


@pytest.mark.A03
async def test_a_key_with_a_control_character_is_refused_before_anything_is_asked(
    gateway: Gateway, api_key: str, store: Store, monitored: bytearray
) -> None:
    for end in ("\x00", "\r", "\n", "\x7f", "\x1f"):
        for key in (api_key + end, end + api_key, api_key[:20] + end + api_key[20:]):
            payload = request("GET", "/api/whoami", f"x-api-key: {key}")
            received = await exchange(gateway.url, payload)
            assert statuses(received) == [400], repr(key)
            assert api_key.encode() not in received

    assert await lookups_of_keys(store, monitored) == 0


WAYS: dict[str, tuple[str, ...]] = {
    "an empty authorization": ("Authorization: ",),
    "a scheme alone": ("Authorization: Bearer",),
    "a bearer": ("Authorization: Bearer {key}",),
    "another scheme": ("Authorization: Basic {key}",),
    "two authorizations": ("Authorization: x-api-key {key}", "Authorization: {key}"),
    "an underscore": ("x_api_key: {key}",),
    "names that are alike": ("api-key: {key}", "x-api-token: {key}", "x-apikey: {key}"),
    "twice": ("x-api-key: {key}", "x-api-key: {key}"),
    "twice, once empty": ("x-api-key: {key}", "x-api-key: "),
    "a list": ("x-api-key: {key}, {key}",),
    "nothing": ("x-api-key:",),
}


@pytest.mark.A01
@pytest.mark.parametrize("name", sorted(WAYS))
async def test_no_other_way_to_say_who_one_is_is_heard_anywhere(
    gateway: Gateway, api_key: str, name: str
) -> None:
    headers = [header.format(key=api_key) for header in WAYS[name]]

    for call in GUARDED:
        target = f"{call.path.format(**PATH)}?x-api-key={api_key}&api_key={api_key}"
        received = await exchange(gateway.url, request(call.method, target, *headers))

        assert (statuses(received), body_of(received)) == ([401], UNAUTHORIZED), call
        assert ("www-authenticate", 'ApiKey header="x-api-key"') in headers_of(received)


# -- targets and hosts ----------------------------------------------------------------------------


@pytest.mark.A18
async def test_a_target_is_served_by_its_path_whatever_host_it_names(gateway: Gateway) -> None:
    for target in ("/healthz", "http://x/healthz", "http://evil.example/healthz"):
        assert statuses(await exchange(gateway.url, request("GET", target))) == [200], target


TARGETS = (
    "http://evil.example/api/me",
    "http://x/api/me?/healthz",
    "http://x/healthz/../api/me",
    "http://x:80/api/me#/healthz",
    "/api/me?healthz",
    "/healthz/../api/me",
    "/healthz%2f..%2fapi/me",
    "/healthz;/../api/me",
    "//healthz/../api/me",
    "/api/me/healthz",
)


@pytest.mark.A18
@pytest.mark.A02
async def test_no_target_leads_past_the_question_who_asks(gateway: Gateway) -> None:
    for target in TARGETS:
        received = await exchange(gateway.url, request("GET", target))

        assert statuses(received) in ([400], [401], [404]), target
        assert b"email" not in received


HOSTS = (
    "Host: x/../healthz?",
    "Host: x/healthz#",
    "Host: healthz@x",
    "Host: x\\healthz",
    "Host: x healthz",
    "Host: x?/healthz",
    "Host: x\r\nHost: x",
    "X-Host: x",
)


@pytest.mark.A18
async def test_a_host_that_is_none_is_refused_and_never_part_of_the_path(
    gateway: Gateway, api_key: str
) -> None:
    for host, headers in product(HOSTS, ([], [f"x-api-key: {api_key}"])):
        received = await exchange(gateway.url, request("GET", "/api/whoami", *headers, host=host))

        assert statuses(received) == [400], host


@pytest.mark.A17
async def test_no_other_method_starts_a_run(
    gateway: Gateway, client: httpx2.AsyncClient, api_key: str
) -> None:
    await client.post("/api/workflows", json=greeting())
    headers = [f"x-api-key: {api_key}", "X-HTTP-Method-Override: POST", "X-Method-Override: POST"]

    for method in ("HEAD", "GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        received = await exchange(
            gateway.url, request(method, f"{RUN}&_method=POST", *headers, body=ASK)
        )
        assert statuses(received) == [405], method

    assert (await client.get("/api/executions")).json()["rows"] == []


# -- answers --------------------------------------------------------------------------------------

HEADERS = {
    *("content-type", "content-length", "cache-control", "date", "etag", "x-request-id"),
    *("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
    *("ratelimit", "ratelimit-policy", "x-content-type-options"),
}
BREAKS = ("%0d%0aX-Evil:%201", "%0aX-Evil:1", "%0dX-Evil:1", "%e5%98%8d%e5%98%8aX-Evil:1", "%00")


@pytest.mark.A65
async def test_no_text_of_a_caller_makes_a_header_of_the_answer(
    gateway: Gateway, browser: httpx2.AsyncClient, api_key: str
) -> None:
    host = f"Host: {urlsplit(gateway.url).netloc}"
    cookie = f"cookie: headrace_session={browser.cookies['headrace_session']}"
    who = [f"x-api-key: {api_key}"], [cookie, f"origin: {gateway.url}"]
    calls = [(call, headers) for call in GUARDED if "{" in call.path for headers in who]

    for (call, headers), text in product(calls, BREAKS):
        target = call.path.format(**dict.fromkeys(PATH, text)) + f"?limit={text}&status={text}"
        received = await exchange(
            gateway.url, request(call.method, target, *headers, body=ASK, host=host)
        )

        assert statuses(received)[0] in (400, 403, 404), call
        assert b"CSRF_FAILED" not in received
        assert not any("evil" in name for name, _ in headers_of(received))
        assert b"\r\nX-Evil" not in received


NAMES = ("a\r\nX-Evil: 1", "a\nb", "\x00", "é", "\u2028", '"; a=b', "a" * 99)


@pytest.mark.A65
async def test_no_name_of_a_workflow_makes_a_header_of_the_answer(
    client: httpx2.AsyncClient,
) -> None:
    for name in NAMES:
        saved = await client.post("/api/workflows", json=greeting(name))
        read = await client.get(f"/api/workflows/{saved.json()['slug']}")

        assert (saved.status_code, read.status_code) == (201, 200), name
        assert re.fullmatch(r"[a-z0-9-]{1,64}", saved.json()["slug"])
        for answer in (saved, read):
            assert set(answer.headers) <= HEADERS
            assert all(each.isascii() and each.isprintable() for each in answer.headers.values())


@pytest.mark.A65
async def test_a_request_id_that_is_not_sane_is_not_repeated(gateway: Gateway) -> None:
    for brought in ("a b", "<script>", "a;b", "a\tb", "é", "x" * 129, "", '"a"'):
        ids = f"X-Request-Id: {brought}", "X-Request-Id: evil"
        received = await exchange(gateway.url, request("GET", "/healthz", *ids))

        [given] = [value for name, value in headers_of(received) if name == "x-request-id"]
        assert re.fullmatch(r"[0-9a-f]{32}", given), brought


# -- many at once ---------------------------------------------------------------------------------


@pytest.mark.A22
async def test_requests_in_one_packet_are_counted_one_by_one(
    gateway: Gateway, client: httpx2.AsyncClient, api_key: str, store: Store, account: Account
) -> None:
    payload = request("POST", "/api/workflows/none/run", f"x-api-key: {api_key}", body=ASK)
    kept = payload.replace(b"Connection: close\r\n", b"")

    received = await exchange(gateway.url, kept * 104 + payload)

    found = [value for name, value in _all_headers(received) if name == "x-ratelimit-remaining"]
    resets = {value for name, value in _all_headers(received) if name == "x-ratelimit-reset"}
    assert len(statuses(received)) == 105
    if len(resets) == 1:  # else a minute ended in between
        assert statuses(received) == [404] * 100 + [429] * 5
        assert [int(value) for value in found] == [*range(99, -1, -1), *[0] * 5]
    assert statuses(received).count(404) <= 100 * len(resets)


def _all_headers(received: bytes) -> list[tuple[str, str]]:
    found: list[tuple[str, Any]] = re.findall(r"([a-z-]+): (.*)\r\n", received.decode())
    return found


async def test_who_hangs_up_at_any_moment_disturbs_nobody(
    gateway: Gateway, client: httpx2.AsyncClient, api_key: str
) -> None:
    await client.post("/api/workflows", json=greeting())
    whole = request("POST", RUN, f"x-api-key: {api_key}", body=ASK)

    async def send(length: int) -> None:
        _, writer = await connect(gateway.url)
        writer.write(whole[:length])
        await writer.drain()
        await close(writer)

    await asyncio.gather(*(send(length) for length in range(0, len(whole), 7)))

    assert (await client.get("/api/whoami")).status_code == 200
    assert (await client.get("/api/executions")).json()["rows"] == []
