"""Odd members of each endpoint's requests: none is a fault of the server."""

from dataclasses import replace
from itertools import product
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from engine.settings import Settings
from engine.store.accounts.oauth import clients
from tests.gateway.conftest import serving
from tests.support.oauth.browser_flow import REDIRECT, Flow

ODD = (
    *("", "\x00", "\ud800", "\xe9", "\U0001f4a5", "'", "[]", "null", "1e999", "\r\nx: y"),
    *("http://[", "http://[::1", "https://a:99999/", "//", "http://127.0.0.1/%zz", "a" * 5_000),
)
QUERY = ("client_id", "redirect_uri", "response_type", "code_challenge", "state", "resource")
FORM = ("client_id", "client_secret", "grant_type", "code", "code_verifier", "redirect_uri")
REVOCATION = ("client_id", "client_secret", "token", "token_type_hint")
VALUES: tuple[Any, ...] = (
    *(None, 1, -1, 1e308, True, [], {}, [None], [1], [""], [[]], {"a": [1]}, "\x00", "a" * 5_000),
    *(
        ["https://a.example:0/"],
        ["http:127.0.0.1"],
        ["http:///x"],
        ["a.b:"],
        ["https://\xfc.example/"],
    ),
)
MEMBERS = ("client_name", "redirect_uris", "grant_types", "token_endpoint_auth_method", "jwks")


def encoded(members: dict[str, str]) -> str:
    return "&".join(
        f"{name}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, value in members.items()
    )


def is_fault(answer: httpx2.Response) -> bool:
    said = answer.headers.get("location", "") + answer.text
    return answer.status_code >= 500 or "server_error" in said


async def test_no_odd_member_is_a_fault_of_the_server(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "MOST_PER_HOUR", 1_000)
    many = replace(settings, failed_calls_per_minute=100_000)
    faults = []
    async with serving(many) as gateway, httpx2.AsyncClient(base_url=gateway.url) as http:
        flow = Flow(http)
        await flow.register()
        asked = dict.fromkeys(QUERY, "code") | {
            "client_id": flow.client["client_id"],
            "redirect_uri": REDIRECT,
            "code_challenge": "a" * 43,
        }
        form = dict.fromkeys((*FORM, *REVOCATION), "x") | {
            "client_id": flow.client["client_id"],
            "grant_type": "authorization_code",
        }
        headers = {"content-type": "application/x-www-form-urlencoded"}
        for name, value in product(QUERY, ODD):
            answer = await http.get(f"/oauth/authorize?{encoded({**asked, name: value})}")
            faults += [(name, value)] if is_fault(answer) else []
        for path, names in (("/oauth/token", FORM), ("/oauth/revoke", REVOCATION)):
            for name, value in product(names, ODD):
                body = encoded({**form, name: value})
                answer = await http.post(path, content=body, headers=headers)
                faults += [(path, name, value)] if is_fault(answer) else []
        for name, value in product(MEMBERS, VALUES):
            answer = await flow.register(**{name: value})
            faults += [(name, value)] if is_fault(answer) else []

    assert faults == []
