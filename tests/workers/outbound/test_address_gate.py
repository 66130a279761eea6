"""Where calls may not lead: private addresses in any spelling, names that lie, and ourselves."""

import asyncio
import itertools
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import HttpCall
from tests.engine.net.test_addresses import DENIED
from tests.engine.net.test_url_policy import PRIVATE, SPELLINGS
from tests.support.http.raw_server import Stub, answer, failure, redirect, serving
from tests.support.workers.open_gates import AnyPort, OneHost, PublicSite
from workers.outbound.client import Egress
from workers.outbound.dns import MAX_LOOKUPS, NameNotFound, NameResolver

PLAIN = [address for address in DENIED if "%" not in address]
UNRESOLVED = ("connection_failed", "The host name of the URL could not be resolved", True)
CLOSING = answer("Content-Length: 2", "Connection: close", body=b"ok")


def told(failed: NodeFailed) -> tuple[str, str, bool]:
    """What a caller learns of a failure."""
    return failed.code, failed.message, failed.retryable


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
async def public_site(stub: Stub) -> AsyncIterator[Egress]:
    """Takes the stub for a site of the internet, and no other server of this machine."""
    egress = Egress(gate=PublicSite(stub.url))
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
        assert told(failed) == UNRESOLVED, address

    assert (len(asked), everywhere.connections) == (len(DENIED), 0)


async def test_a_name_inside_and_a_name_that_is_not_there_fail_alike(
    any_port: Egress, resolve: Callable[..., list[str]]
) -> None:
    resolve(iter([["10.1.2.3", "fd00::1"], []]))
    call = HttpCall(method="GET", url="http://wiki.example.com/")

    inside, nowhere = await failure(any_port, call), await failure(any_port, call)

    assert told(inside) == told(nowhere) == UNRESOLVED


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
            assert told(await failure(one_host, call)) == UNRESOLVED
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

    assert (first.status, told(second), third.status) == (200, UNRESOLVED, 200)
    assert len(stub.requests) == 2


async def test_a_redirect_from_outside_to_inside_is_blocked(
    stub: Stub, one_host: Egress, resolve: Callable[..., list[str]]
) -> None:
    inside = Stub()
    server = await asyncio.start_server(inside.serve, "127.0.0.2", stub.port)
    resolve(itertools.repeat(["127.0.0.2"]))
    places = {
        f"http://127.0.0.2:{stub.port}/": "url_blocked",
        f"http://name.example:{stub.port}/": "connection_failed",
    }
    for place, code in places.items():
        stub.reply = [redirect(307, place)]
        failed = await failure(one_host, HttpCall(method="GET", url=stub.url, max_redirects=3))
        assert failed.code == code
    server.close()

    assert (inside.connections, len(stub.requests)) == (0, len(places))


@pytest.mark.parametrize(
    "place",
    [
        *("http://localhost/", "http://intranet/", "http://printer.local/", "http://db.internal/"),
        *("http://127.0.0.1/", "http://[::1]/", "http://10.0.0.1/", "http://169.254.169.254/"),
        *("https://www.example.com:8443/", "//router.lan/"),
    ],
)
@pytest.mark.parametrize("hops", [1, 2])
async def test_the_url_of_a_redirect_is_checked_as_strictly_as_the_first_one(
    stub: Stub, public_site: Egress, resolve: Callable[..., list[str]], place: str, hops: int
) -> None:
    asked = resolve(itertools.repeat(["127.0.0.1"]))
    pages = {f"/{hop}": redirect(302, f"/{hop + 1}") for hop in range(1, hops)}
    stub.pages = {**pages, f"/{hops}": redirect(302, place)}

    call = HttpCall(method="GET", url=f"{stub.url}/1", max_redirects=3)
    failed = await failure(public_site, call)

    assert (failed.code, failed.retryable) == ("url_blocked", False)
    assert (asked, len(stub.requests)) == ([], hops)


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
    monkeypatch.setattr("workers.outbound.dns.LOOKUP_SECONDS", 0.1)
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


async def test_a_look_up_without_a_thread_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    lookups = NameResolver()

    for _ in range(MAX_LOOKUPS + 1):
        with pytest.raises(NameNotFound):
            await lookups.find("name.example")


async def test_look_ups_that_hang_make_others_wait_and_no_more(
    monkeypatch: pytest.MonkeyPatch, resolve: Callable[..., list[str]]
) -> None:
    released = threading.Event()
    answers: Iterator[list[str]] = iter(lambda: ["8.8.8.8"] if released.wait(10) else [], None)
    asked = resolve(answers)
    monkeypatch.setattr("workers.outbound.dns.LOOKUP_SECONDS", 0.3)
    lookups = NameResolver()
    names = [f"{number}.example" for number in range(MAX_LOOKUPS + 10)]

    found = await asyncio.gather(*map(lookups.find, names), return_exceptions=True)
    assert all(isinstance(each, NameNotFound) for each in found)
    assert len(asked) == MAX_LOOKUPS
    monkeypatch.setattr("workers.outbound.dns.LOOKUP_SECONDS", 10.0)
    released.set()

    assert await lookups.find("last.example") == ["8.8.8.8"]


HANGING = """
import asyncio, contextlib, socket, time
from workers.outbound.client import Egress
from engine.nodes.support.base import HttpCall; from engine.errors.nodes import NodeFailed

async def main():
    socket.getaddrinfo = lambda *_, **__: time.sleep(30)
    egress = Egress(allow_private=True)
    with contextlib.suppress(NodeFailed):
        await egress.fetch(HttpCall(method="GET", url="http://a.example/", timeout_seconds=0.1))
    await egress.close()

asyncio.run(main())
"""


async def test_the_end_of_a_process_does_not_wait_for_a_look_up() -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HANGING), cwd=Path(__file__).parents[3]
    )

    assert await asyncio.wait_for(child.wait(), 15) == 0
