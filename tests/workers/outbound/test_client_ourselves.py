"""This machine, its Redis and its gateway are not called."""

import asyncio
import errno
import socket
from typing import Any

import pytest

from engine.net.url_policy import UrlRefused
from engine.nodes.support.base import HttpCall
from engine.settings import Settings
from tests.support.http.raw_server import Stub, failure
from workers.outbound import address_gate as gates
from workers.outbound.address_gate import AddressGate, HostPort, is_own
from workers.outbound.client import Egress
from workers.outbound.dns import NameNotFound


@pytest.mark.A44
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


@pytest.mark.A44
def test_a_public_address_of_our_own_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = AddressGate(allow_private=False)
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


@pytest.mark.A44
@pytest.mark.parametrize(
    "url", ["https://redis.example/", "http://GATEWAY.example/", "https://9.9.9.9/"]
)
def test_our_own_parts_are_refused_by_name_and_by_address(url: str) -> None:
    with pytest.raises(UrlRefused) as caught:
        AddressGate.for_workflows(SETTINGS).check(url)

    assert "s3cret" not in str(caught.value) and "9.9.9.9" not in str(caught.value)


@pytest.mark.A44
@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "::ffff:8.8.8.8", "8.8.4.4", "1.1.1.1", "9.9.9.9", "2606:4700:4700::1111"],
)
async def test_our_own_parts_are_refused_by_the_addresses_of_their_names(address: str) -> None:
    gate = AddressGate.for_workflows(SETTINGS)

    await gate.refresh(names)

    assert not gate.admits(address, 443)
    assert gate.admits("9.9.9.10", 443)


@pytest.mark.A44
async def test_our_public_url_is_refused_too() -> None:
    async def find(host: str) -> list[str]:
        return {"127.0.0.1": [], "flows.example.org": ["1.0.0.1", "2606:4700::64"]}[host]

    gate = AddressGate.for_workflows(Settings(public_url="https://Flows.example.org/hr/"))
    await gate.refresh(find)

    for url in ("https://flows.example.org/api/me", "http://FLOWS.example.org/"):
        with pytest.raises(UrlRefused):
            gate.check(url)
    assert not gate.admits("1.0.0.1", 443) and not gate.admits("2606:4700::64", 80)
    assert gate.admits("1.0.0.2", 443)


@pytest.mark.parametrize("url", ["", "flows.example.org", "ftp://a.example", "https://[", "//"])
def test_a_public_url_that_leads_nowhere_refuses_no_call(url: str) -> None:
    assert (
        AddressGate.for_workflows(Settings(public_url=url)).check("https://a.example/").host
        == "a.example"
    )


async def test_our_own_names_are_looked_up_once_in_a_while() -> None:
    asked = []

    async def find(host: str) -> list[str]:
        asked.append(host)
        await asyncio.sleep(0)
        return await names(host)

    gate = AddressGate.for_workflows(SETTINGS)
    await asyncio.gather(*(gate.refresh(find) for _ in range(10)))

    assert sorted(asked) == ["gateway.example", "redis.example"]


async def test_while_they_are_looked_up_again_the_old_answer_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = asyncio.Event()

    async def wait(host: str) -> list[str]:
        await released.wait()
        return await names(host)

    gate = AddressGate.for_workflows(SETTINGS)
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
        raise NameNotFound

    gate = AddressGate.for_workflows(SETTINGS)
    await gate.refresh(names)
    monkeypatch.setattr(gate, "_stale_at", 0.0)
    await gate.refresh(fail)

    assert not gate.admits("8.8.8.8", 443)


def test_redis_is_refused_even_where_private_addresses_are_allowed() -> None:
    stores = [HostPort(host="127.0.0.1", port=6379)]
    gate = AddressGate(
        allow_private=True, stores=stores, ours=[HostPort(host="127.0.0.1", port=8000)]
    )

    assert not gate.admits("127.0.0.1", 6379)
    assert gate.admits("127.0.0.1", 8000)
    assert gate.check("http://127.0.0.1:8000/").port == 8000


@pytest.mark.A44
async def test_nothing_is_said_to_redis(stub: Stub) -> None:
    gate = AddressGate(allow_private=True, stores=[HostPort(host="127.0.0.1", port=stub.port)])
    egress = Egress(gate=gate)

    failed = await failure(egress, HttpCall(method="POST", url=stub.url, body=b"SET x 1\r\n"))
    await egress.close()

    assert (failed.code, stub.connections) == ("url_blocked", 0)


def test_a_redis_may_have_no_address() -> None:
    gate = AddressGate.for_workflows(Settings(redis_url="unix:///run/redis.sock", host=""))

    assert gate.admits("8.8.8.8", 443)


@pytest.mark.A44
async def test_nothing_is_said_to_a_redis_under_another_name(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(*_: object, **__: object) -> list[Any]:
        return [(0, 0, 0, "", ("127.0.0.1", 0))]

    stores = [HostPort(host="redis.example", port=stub.port)]
    egress = Egress(gate=AddressGate(allow_private=True, stores=stores))
    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    for url in (stub.url, f"http://other.example:{stub.port}/"):
        failed = await failure(egress, HttpCall(method="POST", url=url, body=b"SET x 1\r\n"))
        assert failed.code == "url_blocked"
    await egress.close()

    assert stub.connections == 0


@pytest.mark.A44
def test_only_the_usual_ports_are_connected() -> None:
    gate = AddressGate(allow_private=False)

    assert [gate.admits("8.8.8.8", port) for port in (80, 443, 8443, 6379)] == [
        *(True, True),
        *(False, False),
    ]
