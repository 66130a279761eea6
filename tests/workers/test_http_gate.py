"""Where calls may not lead: private addresses in any spelling, names that lie, and ourselves."""

import asyncio
import errno
import itertools
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from engine.nodes.base import HttpCall
from engine.settings import Settings
from engine.urls import Target, UrlRefused, check_url
from tests.engine.test_urls import DENIED, PRIVATE, SPELLINGS
from tests.http_stub import Stub, answer, failure, redirect, serving
from workers.http import Egress
from workers.http import gate as gates
from workers.http.gate import Endpoint, Gate, is_own
from workers.http.lookups import Lookups, NotFound

PLAIN = [address for address in DENIED if "%" not in address]
CLOSING = answer("Content-Length: 2", "Connection: close", body=b"ok")


class AnyPort(Gate):
    """The strict gate, blind to ports and to how a URL is written: addresses alone decide."""

    def check(self, url: str) -> Target:
        return check_url(url, allow_private=True)

    def admits(self, address: str, port: int) -> bool:
        return super().admits(address, 443)


class OneHost(AnyPort):
    """Takes one address of loopback for the public internet."""

    def admits(self, address: str, port: int) -> bool:
        return address == "127.0.0.1"


@pytest.fixture
async def everywhere() -> AsyncIterator[Stub]:
    """Listens on every address of this machine."""
    async with serving(Stub(), "0.0.0.0") as stub:
        yield stub


@pytest.fixture
async def any_port() -> AsyncIterator[Egress]:
    egress = Egress(gate=AnyPort(allow_private=False))
    yield egress
    await egress.close()


@pytest.fixture
async def one_host() -> AsyncIterator[Egress]:
    egress = Egress(gate=OneHost(allow_private=False))
    yield egress
    await egress.close()


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Iterator[list[str]]], list[str]]:
    """Let names resolve to one set of addresses after another; the names asked are noted."""

    def install(answers: Iterator[list[str]]) -> list[str]:
        asked: list[str] = []

        def look_up(host: str, port: object, **_: object) -> list[Any]:
            asked.append(host)
            return [(0, 0, 0, "", (address, 0)) for address in next(answers)]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        return asked

    return install


def written(address: str) -> str:
    return f"[{address}]" if ":" in address else address


# -- addresses ------------------------------------------------------------------------------------


async def test_no_special_address_is_called(everywhere: Stub, strict: Egress) -> None:
    for address in PLAIN:
        url = f"http://{written(address)}/"
        failed = await failure(strict, HttpCall(method="GET", url=url, timeout_seconds=5))
        assert (failed.code, failed.retryable) == ("url_blocked", False), address

    assert (len(PLAIN) >= 120, everywhere.connections) == (True, 0)


async def test_no_special_address_is_connected(everywhere: Stub, any_port: Egress) -> None:
    for address in PLAIN:
        url = f"http://{written(address)}:{everywhere.port}/"
        failed = await failure(any_port, HttpCall(method="GET", url=url, timeout_seconds=5))
        assert failed.code == "url_blocked", address

    assert everywhere.connections == 0


async def test_no_name_of_a_special_address_is_connected(
    everywhere: Stub, any_port: Egress, resolve: Callable[..., list[str]]
) -> None:
    asked = resolve([address] for address in DENIED)

    for address in DENIED:
        url = f"http://name.example:{everywhere.port}/"
        failed = await failure(any_port, HttpCall(method="GET", url=url, timeout_seconds=5))
        assert failed.code == "url_blocked", address

    assert (len(asked), everywhere.connections) == (len(DENIED), 0)


@pytest.mark.parametrize("url", [*SPELLINGS, *PRIVATE])
async def test_no_spelling_gets_through(strict: Egress, url: str) -> None:
    failed = await failure(strict, HttpCall(method="GET", url=url, timeout_seconds=5))

    assert (failed.code, failed.retryable) == ("url_blocked", False)


@pytest.mark.parametrize(
    "addresses",
    [["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["2606:4700::1111", "::1"]],
)
async def test_one_denied_address_refuses_the_whole_name(
    everywhere: Stub, any_port: Egress, resolve: Callable[..., list[str]], addresses: list[str]
) -> None:
    resolve(itertools.repeat(addresses))
    url = f"http://name.example:{everywhere.port}/"

    failed = await failure(any_port, HttpCall(method="GET", url=url))

    assert (failed.code, everywhere.connections) == ("url_blocked", 0)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_only_the_usual_ports_are_called(strict: Egress, scheme: str) -> None:
    failed = await failure(strict, HttpCall(method="GET", url=f"{scheme}://a.example:8443/"))

    assert failed.code == "url_blocked"


# -- names that lie -------------------------------------------------------------------------------


async def test_a_name_that_changes_its_address_never_leads_inside(
    stub: Stub, one_host: Egress, resolve: Callable[..., list[str]]
) -> None:
    stub.reply = CLOSING
    inside = Stub()
    server = await asyncio.start_server(inside.serve, "127.0.0.2", stub.port)
    turns = itertools.cycle([["127.0.0.1"], ["127.0.0.2"]])
    asked = resolve(turns)
    call = HttpCall(method="GET", url=f"http://name.example:{stub.port}/")

    for turn in range(1_000):
        if turn % 2:
            assert (await failure(one_host, call)).code == "url_blocked"
        else:
            assert (await one_host.fetch(call)).body == b"ok"
    server.close()

    assert (len(asked), stub.connections, inside.connections) == (1_000, 500, 0)
    assert f"Host: name.example:{stub.port}\r\n".encode() in stub.requests[-1]


async def test_a_url_is_checked_again_at_every_attempt(
    stub: Stub, one_host: Egress, resolve: Callable[..., list[str]]
) -> None:
    stub.reply = CLOSING
    resolve(iter([["127.0.0.1"], ["127.0.0.2"], ["127.0.0.1"]]))
    call = HttpCall(method="POST", url=f"http://hook.example:{stub.port}/", body=b"{}")

    first = await one_host.fetch(call)
    second = await failure(one_host, call)
    third = await one_host.fetch(call)

    assert (first.status, second.code, third.status) == (200, "url_blocked", 200)
    assert len(stub.requests) == 2


async def test_a_redirect_from_outside_to_inside_is_blocked(
    stub: Stub, one_host: Egress, resolve: Callable[..., list[str]]
) -> None:
    inside = Stub()
    server = await asyncio.start_server(inside.serve, "127.0.0.2", stub.port)
    resolve(itertools.repeat(["127.0.0.2"]))
    places = (f"http://127.0.0.2:{stub.port}/", f"http://name.example:{stub.port}/")
    for place in places:
        stub.reply = [redirect(307, place)]
        failed = await failure(one_host, HttpCall(method="GET", url=stub.url, max_redirects=3))
        assert failed.code == "url_blocked"
    server.close()

    assert (inside.connections, len(stub.requests)) == (0, len(places))


async def test_calls_at_the_same_time_share_a_look_up(
    stub: Stub, one_host: Egress, resolve: Callable[..., list[str]]
) -> None:
    asked = resolve(itertools.repeat(["127.0.0.1"]))
    call = HttpCall(method="GET", url=f"http://name.example:{stub.port}/")

    await asyncio.gather(*(one_host.fetch(call) for _ in range(50)))

    assert len(asked) == 1


async def test_a_look_up_has_a_deadline(egress: Egress, monkeypatch: pytest.MonkeyPatch) -> None:
    released = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(*_: object, **__: object) -> list[Any]:
        asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr("workers.http.lookups.LOOKUP_SECONDS", 0.1)
    failed = await failure(egress, HttpCall(method="GET", url="http://name.example/"))
    released.set()

    assert (failed.code, failed.retryable) == ("connection_failed", True)


async def test_the_deadline_of_a_call_holds_for_its_look_up(
    egress: Egress, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(*_: object, **__: object) -> list[Any]:
        asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    call = HttpCall(method="GET", url="http://name.example/", timeout_seconds=0.1)
    failed = await failure(egress, call)
    released.set()

    assert failed.code == "timeout"


async def test_a_look_up_without_a_thread_finds_nothing() -> None:
    lookups = Lookups()
    lookups.close()

    with pytest.raises(NotFound):
        await lookups.find("name.example")


# -- ourselves ------------------------------------------------------------------------------------


def test_the_addresses_of_this_machine_are_its_own() -> None:
    assert is_own("127.0.0.1")
    assert not is_own("8.8.8.8")
    assert not is_own("2606:4700:4700::1111")


def test_without_ipv6_no_such_address_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "no such family")

    monkeypatch.setattr(gates, "_probe", refuse)

    assert not is_own("2606:4700:4700::1111")


def test_without_file_descriptors_nothing_is_said_about_an_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(errno.EMFILE, "too many")

    monkeypatch.setattr(gates, "_probe", refuse)

    with pytest.raises(OSError, match="too many"):
        is_own("8.8.8.8")


def test_a_machine_that_may_bind_any_address_still_knows_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gates, "_binds", lambda address: True)

    assert is_own("127.0.0.1")
    assert not is_own("8.8.8.8")


def test_a_public_address_of_our_own_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(allow_private=False)
    assert gate.admits("8.8.8.8", 443)

    monkeypatch.setattr(gates, "is_own", lambda address: address == "8.8.8.8")

    assert not gate.admits("8.8.8.8", 443)
    assert gate.admits("8.8.4.4", 443)


SETTINGS = Settings(
    redis_url="rediss://user:s3cret@redis.example:6380/0",
    queue_url="redis://9.9.9.9/1",
    host="gateway.example",
    metrics_host="2606:4700:4700::1111",
    metrics_port=9191,
)


async def names(host: str) -> list[str]:
    found = {"redis.example": ["8.8.8.8", "::ffff:8.8.4.4"], "gateway.example": ["1.1.1.1"]}
    return found[host]


@pytest.mark.parametrize(
    "url", ["https://redis.example/", "http://GATEWAY.example/", "https://9.9.9.9/"]
)
def test_our_own_parts_are_refused_by_name_and_by_address(url: str) -> None:
    with pytest.raises(UrlRefused) as caught:
        Gate.of(SETTINGS).check(url)

    assert "s3cret" not in str(caught.value) and "9.9.9.9" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "::ffff:8.8.8.8", "8.8.4.4", "1.1.1.1", "9.9.9.9", "2606:4700:4700::1111"],
)
async def test_our_own_parts_are_refused_by_what_their_names_stand_for(address: str) -> None:
    gate = Gate.of(SETTINGS)

    await gate.refresh(names)

    assert not gate.admits(address, 443)
    assert gate.admits("9.9.9.10", 443)


async def test_our_own_names_are_looked_up_once_in_a_while() -> None:
    asked = []

    async def find(host: str) -> list[str]:
        asked.append(host)
        await asyncio.sleep(0)
        return await names(host)

    gate = Gate.of(SETTINGS)
    await asyncio.gather(*(gate.refresh(find) for _ in range(10)))

    assert sorted(asked) == ["gateway.example", "redis.example"]


async def test_while_they_are_looked_up_again_the_old_answer_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = asyncio.Event()

    async def wait(host: str) -> list[str]:
        await released.wait()
        return await names(host)

    gate = Gate.of(SETTINGS)
    await gate.refresh(names)
    monkeypatch.setattr(gate, "_stale_at", 0.001)
    slow = asyncio.create_task(gate.refresh(wait))
    await asyncio.sleep(0)
    await gate.refresh(wait)
    assert not slow.done() and not gate.admits("8.8.8.8", 443)
    released.set()
    await slow


async def test_a_name_that_is_not_found_any_more_keeps_its_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(host: str) -> list[str]:
        raise NotFound

    gate = Gate.of(SETTINGS)
    await gate.refresh(names)
    monkeypatch.setattr(gate, "_stale_at", 0.0)
    await gate.refresh(fail)

    assert not gate.admits("8.8.8.8", 443)


def test_redis_is_refused_even_where_private_addresses_are_allowed() -> None:
    stores = [Endpoint(host="127.0.0.1", port=6379)]
    gate = Gate(allow_private=True, stores=stores, ours=[Endpoint(host="127.0.0.1", port=8000)])

    assert not gate.admits("127.0.0.1", 6379)
    assert gate.admits("127.0.0.1", 8000)
    assert gate.check("http://127.0.0.1:8000/").port == 8000


async def test_nothing_is_said_to_redis(stub: Stub) -> None:
    gate = Gate(allow_private=True, stores=[Endpoint(host="127.0.0.1", port=stub.port)])
    egress = Egress(gate=gate)

    failed = await failure(egress, HttpCall(method="POST", url=stub.url, body=b"SET x 1\r\n"))
    await egress.close()

    assert (failed.code, stub.connections) == ("url_blocked", 0)


@pytest.mark.parametrize("url", ["unix:///run/redis.sock", "redis://[::1", "redis://a:b", ""])
def test_a_redis_may_have_no_address(url: str) -> None:
    gate = Gate.of(Settings(redis_url=url, host=""))

    assert gate.admits("8.8.8.8", 443)
