"""Which URLs may be called: the table of addresses, and URLs that try to look like others."""

import ipaddress

import pytest

from engine.urls import DENIED_IPV4, DENIED_IPV6, Target, UrlRefused, check_url, is_public

PUBLIC = (
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
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
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "2001::1",
    "2001:20::1",
    "2002:7f00:1::",
    "fd00:ec2::254",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "not an address",
    "",
)
EDGES = [
    str(address)
    for network in (*DENIED_IPV4, *DENIED_IPV6)
    for address in (network[0], network[network.num_addresses // 2], network[-1])
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", [*SPECIAL, *EDGES])
def test_a_special_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("network", DENIED_IPV4)
def test_a_mapped_address_is_judged_by_its_ipv4(network: ipaddress.IPv4Network) -> None:
    assert not is_public(f"::ffff:{network[0]}")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com", Target(scheme="https", host="example.com", port=443)),
        ("https://notlocalhost/", Target(scheme="https", host="notlocalhost", port=443)),
        ("HTTP://Example.COM/a?b=c#d", Target(scheme="http", host="example.com", port=80)),
        ("http://example.com:443/", Target(scheme="http", host="example.com", port=443)),
        ("https://8.8.8.8/", Target(scheme="https", host="8.8.8.8", port=443)),
        (
            "https://[2606:4700::1111]/",
            Target(scheme="https", host="2606:4700::1111", port=443),
        ),
        ("https://example.com/a@b", Target(scheme="https", host="example.com", port=443)),
    ],
)
def test_a_public_url_is_accepted(url: str, target: Target) -> None:
    assert check_url(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "unix:///run/x",
        "http://",
        "http:///path",
        "https://:443/",
        "http://user@example.com/",
        "http://user:pw@example.com/",
        "http://a@127.0.0.1/",
        "http://127.0.0.1@evil.example/",
        "http://evil.example\\@127.0.0.1/",
        "http://exa\tmple.com/",
        "http://example.com/\r\nHost: x",
        "http://example.com/\x00",
        " http://example.com/",
        "http://example.com/a b",
        "http://example.com:8080/",
        "http://example.com:22/",
        "http://example.com:99999/",
        "http://example.com:x/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://a.localhost/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:7f00:1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://example.com/" + "a" * 8_192,
    ],
)
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused) as caught:
        check_url(url)

    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://[::1]:8080/", "http://10.0.0.1/"])
def test_private_urls_are_accepted_where_allowed(url: str) -> None:
    assert check_url(url, allow_private=True).port in (9, 8080, 80)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://u:p@127.0.0.1/", "http://a\\b/"])
def test_the_form_of_a_url_is_checked_even_where_private_ones_are_allowed(url: str) -> None:
    with pytest.raises(UrlRefused):
        check_url(url, allow_private=True)
