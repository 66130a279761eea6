"""The contract of OAuth for clients of people."""

import httpx2

from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, moment
from tests.support.gateway.documents import greeting
from tests.support.oauth.local_program import local_program

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


def test_a_client_is_granted_a_key(browser: Caller, administration: Administration) -> None:
    slug = browser.save(greeting())
    with local_program(administration.url) as program:
        path = str(httpx2.get(program.address()).headers["location"])
        request = path.replace("/app/connect/", "/api/grant-requests/")
        asked = browser.get(request)
        answered = browser.post(request, {"granted": True, "workflows": [slug]})
        httpx2.get(answered.json()["redirectTo"])
        token = program.exchange()

    ran = administration.with_key(token).run(slug, {"name": "Eve"})
    [key] = [each for each in browser.get("/api/api-keys").json() if each["name"] == "Notes"]
    assert_fits(
        asked.json(),
        {"clientName": "Notes", "redirectUri": program.redirect_uri, "expiresAt": moment},
    )
    assert ran.json()["result"] == {"text": "Hello Eve"}
    assert key["capabilities"] == [f"workflow:{slug}:run"]
    assert key["client"] == {"id": program.client_id, "name": "Notes"}


def test_an_answer_has_its_form(browser: Caller) -> None:
    for body in ({}, {"granted": "yes"}, {"granted": True}, {"granted": True, "workflows": []}):
        answer = browser.post("/api/grant-requests/no-such", body)

        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
