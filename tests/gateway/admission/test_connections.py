"""Shares of connections: nobody takes every descriptor, whoever comes later has one."""

import contextlib
import socket
import time
from types import SimpleNamespace
from typing import cast

import httpx2
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.access.capabilities import Tier
from engine.errors import TooManyConnections
from engine.store import Principal
from gateway.admission import connections
from gateway.admission.connections import AccountRequests, Connections, Shares
from gateway.admission.peers import Peers
from gateway.admission.request_context import RequestContext
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.gateway.served_app import serving

pytestmark = pytest.mark.A89

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})
        return
    await Response("well")(scope, receive, send)


def status_of(connection: socket.socket) -> int:
    with contextlib.suppress(ConnectionError):
        connection.sendall(REQUEST)
    with contextlib.suppress(ConnectionError):
        received = connection.recv(4_096)
        return int(received.split(b" ", 2)[1]) if received else 0
    return 0


def principal(account_id: str) -> Principal:
    account, terms = SimpleNamespace(id=account_id), SimpleNamespace(tier=Tier.PRO)
    return cast(Principal, SimpleNamespace(account=account, terms=terms))


@pytest.mark.parametrize("greedy", [1, 2, 3, 10])
def test_however_many_are_greedy_some_places_are_left(greedy: int) -> None:
    shares = Shares(1_000)
    for _ in range(1_000):
        for holder in range(greedy):
            shares.take_place(f"greedy {holder}")

    assert sum(shares.take_place("late") for _ in range(10)) == 10


def test_alone_one_has_three_quarters_and_places_that_are_given_back_are_free() -> None:
    shares = Shares(100)

    first = sum(shares.take_place("a") for _ in range(200))
    for _ in range(first):
        shares.give_place_back("a")
    again = sum(shares.take_place("a") for _ in range(200))

    assert (first, again) == (75, 75)


def test_one_address_is_refused_connections_before_all_are_taken() -> None:
    connections = Connections(Peers.parse(""), capacity=64)
    with contextlib.ExitStack() as stack, serving(app, connections=connections) as address:

        def connect(source: str) -> socket.socket:
            made = socket.create_connection(
                address, timeout=PATIENCE_SECONDS, source_address=(source, 0)
            )
            return stack.enter_context(made)

        greedy = [connect("127.0.0.1") for _ in range(80)]
        had = [status_of(each) for each in greedy]
        other = status_of(connect("127.0.0.2"))
        for each in greedy:
            each.close()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (after := status_of(connect("127.0.0.1"))) != 200 and time.monotonic() < deadline:
            time.sleep(0.02)

    assert had[:48] == [200] * 48
    assert set(had[48:]) <= {429, 0}
    assert (other, after) == (200, 200)


def test_connections_of_a_trusted_proxy_are_those_of_many() -> None:
    connections = Connections(Peers.parse("10.0.0.0/8"), capacity=64)

    proxied = [connections.open("10.0.0.1") for _ in range(64)]

    assert None not in proxied


def test_addresses_of_one_ipv6_network_are_one_peer() -> None:
    connections = Connections(Peers.parse(""), capacity=64)

    had = [connections.open(f"2001:db8::{number:x}") for number in range(64)]

    assert had.count(None) == 16
    assert connections.open("2001:db8:0:1::1") is not None


def test_an_account_has_a_share_of_the_requests_under_way_from_whatever_addresses() -> None:
    requests, contexts = AccountRequests(capacity=64), [RequestContext() for _ in range(64)]

    for context in contexts[:48]:
        requests.begin(context, principal("greedy"))
        requests.begin(context, principal("greedy"))  # the same request is counted once
    with pytest.raises(TooManyConnections):
        requests.begin(contexts[48], principal("greedy"))
    requests.begin(contexts[49], principal("other"))
    for context in contexts:
        requests.end(context)
    requests.begin(contexts[48], principal("greedy"))


def test_a_request_that_turns_out_to_be_another_account_s_is_counted_for_that_one_alone() -> None:
    requests, context = AccountRequests(capacity=1), RequestContext()

    requests.begin(context, principal("assumed"))
    requests.begin(context, principal("true"))
    requests.end(context)

    requests.begin(RequestContext(), principal("assumed"))


@pytest.fixture
def few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "find_capacity", lambda: 4)


async def test_a_request_that_is_answered_is_counted_no_more(
    few_places: None, client: httpx2.AsyncClient
) -> None:
    answers = [await client.get(f"/api/{path}") for path in 5 * ("whoami", "workflows/none")]

    assert [answer.status_code for answer in answers] == 5 * [200, 404]
