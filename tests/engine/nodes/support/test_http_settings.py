"""Settings of HTTP requests."""

from typing import Any

import pytest

from engine.errors.nodes import SettingsError
from engine.nodes.http_request import HttpRequest

URL = "https://a.example/x"

HOP_BY_HOP = ["Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade"]
PROXIES = ["Proxy-Authorization", "proxy-x", "X-Forwarded-For", "x-forwarded-host", "Forwarded"]
SIGNATURES = ["X-Knouds-Signature", "webhook-id", "Webhook-Timestamp", "webhook-signature"]


@pytest.mark.parametrize(
    "name",
    [*HOP_BY_HOP, *PROXIES, *SIGNATURES, "Host", "HOST", "Content-Length", "Expect", ":path"],
)
def test_headers_that_are_not_the_authors_to_set_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="headers: "):
        HttpRequest().parse({"url": URL, "headers": {name: "x"}})


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "ä", "a\x00", "x" * 129, "(a)"])
def test_names_that_no_header_has_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="is no valid name of a header"):
        HttpRequest().parse({"url": URL, "headers": {name: "x"}})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"url": None}, "url must be a text"),
        ({"url": 5}, "url: must be a text"),
        ({"url": "{{ a b }}"}, "url: '{{ a b }}' at character 1"),
        ({"method": "BREW"}, "method must be one of GET, POST"),
        ({"method": 1}, "method must be one of"),
        ({"headers": []}, "headers must be an object"),
        ({"headers": {f"h{i}": "" for i in range(51)}}, "at most 50"),
        ({"headers": {"A": 1}}, "headers: A: must be a text"),
        ({"headers": {"A": "{{"}}, "headers: A: the '{{'"),
        ({"headers": {"A": "1", "a": "2"}}, "'a' is there more than once"),
        ({"headers": {"A": "1\n2"}}, "line break"),
        ({"body": {"a": 1}}, "body: must be a text"),
        ({"body": "{{"}, "body: the '{{'"),
        ({"maxBytes": 0}, "maxBytes must be from 1 to 10485760"),
        ({"maxBytes": 10_485_761}, "maxBytes must be from 1"),
        ({"maxBytes": 1.5}, "maxBytes must be a whole number"),
        ({"maxBytes": True}, "maxBytes must be a whole number"),
    ],
)
def test_settings_that_are_not_right_are_refused(data: dict[str, Any], expected: str) -> None:
    with pytest.raises(SettingsError) as raised:
        HttpRequest().parse({"url": URL, **data})

    assert expected in str(raised.value)


def test_all_reasons_come_at_once() -> None:
    data = {"method": "x", "url": "ftp://a", "headers": {"Host": "a"}, "body": 1, "maxBytes": 0}

    with pytest.raises(SettingsError) as raised:
        HttpRequest().parse(data)

    assert len(raised.value.reasons) == 5
