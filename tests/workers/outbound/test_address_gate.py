"""Refused addresses: private ones in any spelling, changing names, and this machine."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable

import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import HttpCall
from tests.engine.net.test_addresses import DENIED
from tests.engine.net.test_url_policy import PRIVATE, SPELLINGS
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.http.raw_server import Stub, answer, failure, redirect, serving
from tests.support.workers.open_gates import AnyPort, PublicSite
from workers.outbound.client import Egress

PLAIN = [address for address in DENIED if "%" not in address]
UNRESOLVED = ("connection_failed", "The host name of the URL could not be resolved", True)
CLOSING = answer("Content-Length: 2", "Connection: close", body=b"ok")


def shown(failed: NodeFailed) -> tuple[str, str, bool]:
    """Return the parts of a failure that a caller gets."""
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
async def public_site(stub: Stub) -> AsyncIterator[Egress]:
    """A client that takes the stub for a site of the internet, and no other server."""
    egress = Egress(gate=PublicSite(stub.url))
    yield egress
    await egress.close()


def written(address: str) -> str:
    return f"[{address}]" if ":" in address else address


# -- addresses ------------------------------------------------------------------------------------


@pytest.mark.A37
async def test_no_special_address_is_called(everywhere: Stub, strict: Egress) -> None:
    for address in PLAIN:
        url = f"http://{written(address)}/"
        failed = await failure(
            strict, HttpCall(method="GET", url=url, timeout_seconds=PATIENCE_SECONDS)
        )
        assert (failed.code, failed.retryable) == ("url_blocked", False), address

    assert (len(PLAIN) >= 120, everywhere.connections) == (True, 0)


@pytest.mark.A37
async def test_no_special_address_is_connected(everywhere: Stub, any_port: Egress) -> None:
    for address in PLAIN:
        url = f"http://{written(address)}:{everywhere.port}/"
        failed = await failure(
            any_port, HttpCall(method="GET", url=url, timeout_seconds=PATIENCE_SECONDS)
        )
        assert failed.code == "url_blocked", address

    assert everywhere.connections == 0


@pytest.mark.A37
@pytest.mark.A40
async def test_no_name_of_a_special_address_is_connected(
    everywhere: Stub, any_port: Egress, resolve: Callable[..., list[str]]
) -> None:
    asked = resolve([address] for address in DENIED)

    for address in DENIED:
        url = f"http://name.example:{everywhere.port}/"
        failed = await failure(
            any_port, HttpCall(method="GET", url=url, timeout_seconds=PATIENCE_SECONDS)
        )
        assert shown(failed) == UNRESOLVED, address

    assert (len(asked), everywhere.connections) == (len(DENIED), 0)


async def test_a_name_inside_and_a_name_that_is_not_there_fail_alike(
    any_port: Egress, resolve: Callable[..., list[str]]
) -> None:
    resolve(iter([["10.1.2.3", "fd00::1"], []]))
    call = HttpCall(method="GET", url="http://wiki.example.com/")

    inside, nowhere = await failure(any_port, call), await failure(any_port, call)

    assert shown(inside) == shown(nowhere) == UNRESOLVED


@pytest.mark.A38
@pytest.mark.parametrize("url", [*SPELLINGS, *PRIVATE])
async def test_no_spelling_gets_through(strict: Egress, url: str) -> None:
    failed = await failure(
        strict, HttpCall(method="GET", url=url, timeout_seconds=PATIENCE_SECONDS)
    )

    assert (failed.code, failed.retryable) == ("url_blocked", False)


@pytest.mark.A37
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


# -- changing names -------------------------------------------------------------------------------


@pytest.mark.A40
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
            assert shown(await failure(one_host, call)) == UNRESOLVED
        else:
            assert (await one_host.fetch(call)).body == b"ok"
    server.close()

    assert (len(asked), stub.connections, inside.connections) == (1_000, 500, 0)
    assert f"Host: name.example:{stub.port}\r\n".encode() in stub.requests[-1]


@pytest.mark.A62
async def test_a_url_is_checked_again_at_every_attempt(
    stub: Stub, one_host: Egress, resolve: Callable[..., list[str]]
) -> None:
    stub.reply = CLOSING
    resolve(iter([["127.0.0.1"], ["127.0.0.2"], ["127.0.0.1"]]))
    call = HttpCall(method="POST", url=f"http://hook.example:{stub.port}/", body=b"{}")

    first = await one_host.fetch(call)
    second = await failure(one_host, call)
    third = await one_host.fetch(call)

    assert (first.status, shown(second), third.status) == (200, UNRESOLVED, 200)
    assert len(stub.requests) == 2


@pytest.mark.A42
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


@pytest.mark.A42
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
