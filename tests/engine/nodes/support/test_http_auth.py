"""Authorization of HTTP Requests: its settings, and the header that it makes."""

import base64
from typing import Any

import pytest

from engine.access.opened_secrets import OpenedSecrets
from engine.errors.nodes import NodeFailed, SettingsError
from engine.nodes.http_request import HttpRequest
from engine.nodes.support.http_auth import HttpAuth

URL = "https://a.example/x"


def faults(auth: Any, **data: Any) -> list[tuple[str, str]]:
    with pytest.raises(SettingsError) as caught:
        HttpRequest().parse({"url": URL, "auth": auth, **data})
    return [(fault.field, fault.reason) for fault in caught.value.faults]


def value_of(kind: str, value: str) -> str:
    return HttpAuth(type=kind, secret="TOKEN").value(OpenedSecrets({"TOKEN": value}))


@pytest.mark.parametrize(
    ("auth", "fields"),
    [
        ("bearer", ["auth"]),
        ([], ["auth"]),
        ({}, ["auth.type", "auth.secret"]),
        ({"type": "digest", "secret": "TOKEN"}, ["auth.type"]),
        ({"type": ["bearer"], "secret": "TOKEN"}, ["auth.type"]),
        ({"type": "bearer", "secret": "token"}, ["auth.secret"]),
        ({"type": "header", "secret": "TOKEN"}, ["auth.name"]),
        ({"type": "header", "secret": "TOKEN", "name": "a b"}, ["auth.name"]),
        ({"type": "header", "secret": "TOKEN", "name": "Host"}, ["auth.name"]),
        ({"type": "header", "secret": "TOKEN", "name": "content-type"}, ["auth.name"]),
    ],
)
def test_an_incomplete_authorization_is_a_fault(auth: Any, fields: list[str]) -> None:
    assert [field for field, _ in faults(auth)] == fields


def test_an_authorization_and_a_header_of_its_name_are_a_fault() -> None:
    headers = {"authorization": "Basic x"}

    assert faults({"type": "bearer", "secret": "TOKEN"}, headers=headers) == [
        ("auth", "auth: 'Authorization' is among the headers too")
    ]


@pytest.mark.parametrize("auth", [None, {"type": "bearer", "secret": "TOKEN", "name": None}])
def test_an_authorization_may_be_absent_and_needs_no_name(auth: Any) -> None:
    settings = HttpRequest().parse({"url": URL, "auth": auth})

    assert settings.secrets == (set() if auth is None else {"TOKEN"})


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        ("bearer", "a b", "Bearer a b"),
        ("header", "a b", "a b"),
        ("basic", "u:p:é", "Basic " + base64.b64encode("u:p:é".encode()).decode()),
    ],
)
def test_a_value_becomes_a_header(kind: str, value: str, sent: str) -> None:
    assert value_of(kind, value) == sent


def test_the_password_of_a_basic_authorization_is_hidden_too() -> None:
    secrets = OpenedSecrets({"TOKEN": "ada:password"})

    HttpAuth(type="basic", secret="TOKEN").value(secrets)

    assert secrets.redact_text("ada has password") == "ada has •••"


def test_basic_needs_a_user_and_a_password() -> None:
    with pytest.raises(NodeFailed) as caught:
        value_of("basic", "password")

    assert caught.value.code == "secret_invalid"
    assert "password'" not in caught.value.message.replace("'user:password'", "")
