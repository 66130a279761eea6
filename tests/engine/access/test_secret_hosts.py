"""Hosts to which a secret is sent."""

import pytest

from engine.access.secret_hosts import MAX_HOSTS, is_sent_to, read_hosts
from engine.errors import InvalidSecret

pytestmark = pytest.mark.A64


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, ()),
        (["api.example.com"], ("api.example.com",)),
        (["API.Example.COM", "api.example.com"], ("api.example.com",)),
        (["*.Example.com"], ("*.example.com",)),
        (["bücher.example"], ("xn--bcher-kva.example",)),
        (["*.bücher.example"], ("*.xn--bcher-kva.example",)),
        (["127.0.0.1", "::1", "[2001:DB8::1]"], ("127.0.0.1", "::1", "2001:db8::1")),
        (["localhost"], ("localhost",)),
        ([f"h{n}.example" for n in range(MAX_HOSTS)], tuple(f"h{n}.example" for n in range(20))),
    ],
)
def test_hosts_are_spelled_as_urls_spell_them(given: object, kept: tuple[str, ...]) -> None:
    assert read_hosts(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        *(
            [],
            "api.example.com",
            {},
            5,
            [5],
            [None],
            [""],
            ["*"],
            ["*."],
            ["*.com"],
            ["*.127.0.0.1"],
        ),
        *(["*.*.example.com"], ["a.*.example.com"], ["api*.example.com"], ["*.[::1]"], ["*.::1"]),
        *(["https://api.example.com"], ["api.example.com/"], ["api.example.com/x"]),
        *(["api.example.com:443"], ["api.example.com:80"], ["api.example.com:"], ["a@b.example"]),
        *(["a b.example"], ["a.example?"], ["a.example#x"], ["a.example\\"], ["a\n.example"]),
        *(["0x7f000001.example.0x1"], ["a..example"], ["-a.example\x00"], ["x" * 300]),
        [f"h{n}.example" for n in range(MAX_HOSTS + 1)],
    ],
)
def test_what_is_no_list_of_hosts_is_refused(given: object) -> None:
    with pytest.raises(InvalidSecret) as caught:
        read_hosts(given)

    assert caught.value.context["field"] == "hosts"


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("api.example.com", True),
        ("b.shop.example", True),
        ("a.b.shop.example", True),
        ("shop.example", False),
        ("example.com", False),
        ("x.api.example.com", False),
        ("evilshop.example", False),
        ("api.example.com.evil.example", False),
        ("shop.example.evil.example", False),
        ("api.example.com.", False),
        ("127.0.0.1", False),
    ],
)
def test_a_secret_goes_to_its_hosts_alone(host: str, is_allowed: bool) -> None:
    assert is_sent_to(["api.example.com", "*.shop.example"], host) is is_allowed


def test_a_secret_without_hosts_goes_anywhere() -> None:
    assert is_sent_to([], "any.example")
