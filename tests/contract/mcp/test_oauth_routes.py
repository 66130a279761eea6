"""The contract of OAuth for clients of people."""

import httpx2

from tests.support.contract.installation import Caller

ROUTES = {
    "GET /.well-known/oauth-authorization-server": "public",
    "GET /.well-known/oauth-protected-resource": "public",
    "GET /.well-known/oauth-protected-resource/mcp": "public",
    "GET /oauth/authorize": "public",
    "POST /oauth/token": "public",
    "POST /oauth/register": "public",
    "POST /oauth/revoke": "public",
    "GET /app/connect/{grant_request}": "public",
    "GET /api/grant-requests/{grant_request}": "session",
    "POST /api/grant-requests/{grant_request}": "session",
}


def test_the_resource_names_its_authorization_server(anonymous: httpx2.Client) -> None:
    resource = anonymous.get("/.well-known/oauth-protected-resource").json()
    server = anonymous.get("/.well-known/oauth-authorization-server").json()

    assert resource["resource"].endswith("/mcp")
    assert resource["authorization_servers"] == [server["issuer"]]
    assert server["code_challenge_methods_supported"] == ["S256"]


def test_an_unknown_request_is_not_found(browser: Caller) -> None:
    answer = browser.get("/api/grant-requests/no-such")

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
