"""The routes of OAuth where the library is missing."""

import sys

import httpx2
import pytest

from gateway.mcp.oauth.route import ENDPOINTS
from gateway.mcp.route import MISSING


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/.well-known/oauth-authorization-server"),
        ("GET", "/.well-known/oauth-protected-resource/mcp"),
        ("GET", "/oauth/authorize"),
        ("POST", "/oauth/token"),
        ("POST", "/oauth/register"),
        ("POST", "/oauth/revoke"),
    ],
)
async def test_without_the_library_each_route_says_how_to_install_it(
    anonymous: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    monkeypatch.setitem(sys.modules, ENDPOINTS, None)

    answer = await anonymous.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (501, "NOT_IMPLEMENTED")
    assert answer.json()["error"] == MISSING
