import base64

import httpx2
import pytest

from engine.ids import tokens
from gateway.mcp.oauth.forms import FormRefused, _add_credentials, parse_once

FORM = "application/x-www-form-urlencoded"


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_a_form_is_read_once() -> None:
    assert parse_once("a=1&b=&c=x+y%26") == {"a": "1", "b": "", "c": "x y&"}


@pytest.mark.parametrize("text", ["a=1&a=1", "a=1&b=2&a=", "&".join(f"a{n}=1" for n in range(51))])
def test_a_form_that_is_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(FormRefused):
        parse_once(text)


@pytest.mark.parametrize(
    ("form", "headers", "found"),
    [
        ({"client_id": "c"}, [], {"client_id": "c", "client_secret": ""}),
        ({"client_id": "c", "client_secret": "s"}, [], {"client_id": "c", "client_secret": "S"}),
        ({}, [basic("c:s")], {"client_id": "c", "client_secret": "S"}),
        ({"client_id": "c"}, [basic("c:s")], {"client_id": "c", "client_secret": "S"}),
        ({}, [basic("c%3A:%73")], {"client_id": "c:", "client_secret": "S"}),
    ],
)
def test_credentials_are_in_the_form_as_a_digest(
    form: dict[str, str], headers: list[str], found: dict[str, str]
) -> None:
    _add_credentials(form, headers)

    secret = found["client_secret"].replace("S", tokens.digest("s"))
    assert form == {**found, "client_secret": secret}


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        ({"client_id": "other"}, [basic("c:s")]),
        ({"client_secret": "s"}, [basic("c:s")]),
        ({}, [basic("c:s"), basic("c:s")]),
        ({}, ["Bearer token"]),
        ({}, ["Basic !"]),
        ({}, ["Basic /w=="]),
    ],
)
def test_credentials_that_contradict_are_refused(form: dict[str, str], headers: list[str]) -> None:
    with pytest.raises(FormRefused):
        _add_credentials(form, headers)


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 400),
        ("multipart/form-data; boundary=b", b"--b--", 400),
        (FORM, b"\xff=1", 400),
        (FORM, b"a=" + b"x" * 70_000, 413),
    ],
)
async def test_other_bodies_are_refused(
    anonymous: httpx2.AsyncClient, kind: str, body: bytes, status: int
) -> None:
    for path in ("/oauth/token", "/oauth/revoke"):
        answer = await anonymous.post(path, content=body, headers={"content-type": kind})

        assert answer.status_code == status
        assert "error" in answer.json()
