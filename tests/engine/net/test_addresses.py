"""Public and special addresses: each row of the table, and Python's own idea of private ones."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.addresses import (
    DENIED_IPV4,
    DENIED_IPV6,
    is_loopback,
    is_metadata,
    is_public,
    parse_address,
)

PUBLIC = (
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "2001:200::1",
    "2001:db7:ffff::1",
    "2003::1",
    "2606:4700:4700::1111",
    "2606:4700::5efe:8.8.8.8",
    "2a00:1450:4001:80b::200e",
    "3ffe:ffff::1",
)
SPECIAL = (
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:168.63.129.16",
    "::ffff:0:127.0.0.1",
    "::ffff:0:8.8.8.8",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::7f00:1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:20::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "2606:4700::5efe:10.0.0.1",
    "2606:4700::200:5efe:127.0.0.1",
    "fd00:ec2::254",
    "fe80::1%eth0",
    "2606:4700:4700::1111%eth0",
    "::ffff:8.8.8.8%eth0",
    "fec0::1",
    "ff02::1",
    "4000::1",
    "1::1",
    "not an address",
    "",
)
EDGES = [
    str(address)
    for network in (*DENIED_IPV4, *DENIED_IPV6)
    for address in (network[0], network[network.num_addresses // 2], network[-1])
]
MAPPED = [f"::ffff:{address}" for network in DENIED_IPV4 for address in (network[0], network[-1])]
DENIED = sorted({*SPECIAL, *EDGES, *MAPPED} - {"", "not an address"})


@pytest.mark.A37
def test_the_table_has_enough_rows_to_mean_something() -> None:
    assert len(DENIED) >= 120


@pytest.mark.A37
@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.A37
@pytest.mark.parametrize("address", [*DENIED, "", "not an address"])
def test_a_special_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
def test_whatever_the_library_calls_private_is_not_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    assert address.is_global or not is_public(str(address))


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2606:4700::5efe:a9fe:a9fe",
        "fd00:ec2::254",
    ],
)
def test_a_metadata_address_is_recognised_in_each_form(address: str) -> None:
    assert is_metadata(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "10.0.0.1", "2606:4700::1", "not an address"])
def test_other_addresses_are_no_metadata_addresses(address: str) -> None:
    assert not is_metadata(address)


def test_an_ipv4_mapped_address_is_parsed_to_ipv4() -> None:
    assert parse_address("::ffff:8.8.8.8") == ipaddress.IPv4Address("8.8.8.8")
    assert parse_address("fe80::1%eth0") is None


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("", False),
        ("192.0.2.1", False),
        ("example.org", False),
    ],
)
def test_only_a_loopback_is_reached_by_this_machine_alone(host: str, is_own: bool) -> None:
    assert is_loopback(host) is is_own
