"""Addresses of callers, with and without proxies."""

import tracemalloc
from typing import Any

import pytest

from engine.settings import SettingError
from gateway.admission.peers import Peers

PROXIES = "10.0.0.0/8, 2001:db8:1::/48"


def scope(peer: str, *forwarded: str, **others: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", text.encode()) for text in forwarded]
    headers += [(name.replace("_", "-").encode(), text.encode()) for name, text in others.items()]
    return {"client": (peer, 40_000), "headers": headers}


@pytest.mark.A21
@pytest.mark.parametrize("header", ["x_forwarded_for", "forwarded", "x_real_ip", "client_ip"])
def test_what_callers_say_of_themselves_is_not_read(header: str) -> None:
    call = scope("198.51.100.7", **{header: "203.0.113.9"})

    assert Peers.parse("").address(call) == "198.51.100.7"
    assert Peers.parse(PROXIES).address(call) == "198.51.100.7"


@pytest.mark.A21
@pytest.mark.parametrize("header", ["forwarded", "x_real_ip", "client_ip"])
def test_a_proxy_is_believed_in_one_header_alone(header: str) -> None:
    call = scope("10.0.0.1", **{header: "203.0.113.9"})

    assert Peers.parse(PROXIES).address(call) == "10.0.0.1"


@pytest.mark.A21
@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (["203.0.113.9"], "203.0.113.9"),
        (["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        (["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
        (["1.1.1.1,203.0.113.9,10.2.3.4"], "203.0.113.9"),
        (["203.0.113.9, 10.2.3.4", "10.9.9.9"], "203.0.113.9"),
        (["203.0.113.9, nonsense"], "10.0.0.1"),
        (["203.0.113.9, nonsense, 10.2.3.4"], "10.2.3.4"),
        (["203.0.113.9:443"], "10.0.0.1"),
        (["10.1.1.1, 10.2.3.4"], "10.1.1.1"),
        (["::ffff:203.0.113.9"], "203.0.113.9"),
        (["\xe9, \x80"], "10.0.0.1"),
        ([""], "10.0.0.1"),
        ([], "10.0.0.1"),
    ],
)
def test_behind_a_proxy_the_right_most_address_that_is_no_proxy_counts(
    forwarded: list[str], expected: str
) -> None:
    assert Peers.parse(PROXIES).address(scope("10.0.0.1", *forwarded)) == expected


def test_a_mapped_address_is_the_one_it_stands_for() -> None:
    assert Peers.parse(PROXIES).address(scope("::ffff:10.0.0.1", "203.0.113.9")) == "203.0.113.9"


def test_whoever_has_a_network_of_ipv6_is_one_caller() -> None:
    peers = Peers.parse("")

    assert peers.address(scope("2001:db8:2:3::1")) == peers.address(scope("2001:db8:2:3:9::2"))
    assert peers.address(scope("2001:db8:2:3::1")) != peers.address(scope("2001:db8:2:4::1"))


def test_a_peer_without_an_address_is_one_caller() -> None:
    assert Peers.parse(PROXIES).address({"client": None, "headers": []}) == ""


@pytest.mark.parametrize("text", ["10.0.0.1/8", "proxy.internal", "10.0.0.0/33", "10.0.0.0/8;::1"])
def test_a_list_of_proxies_that_makes_no_sense_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingError, match="HEADRACE_TRUSTED_PROXIES"):
        Peers.parse(text)


def test_long_headers_are_not_kept_in_memory() -> None:
    peers = Peers.parse(PROXIES)
    tracemalloc.start()
    for number in range(1_000):
        junk = f"{number:08}" * 1_000
        assert peers.address(scope("10.0.0.1", f"{junk}, 203.0.113.9")) == "203.0.113.9"
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert held < 500_000
