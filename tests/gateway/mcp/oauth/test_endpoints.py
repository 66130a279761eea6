"""OAuth over real HTTP: a client registers, the owner grants, the client calls `/mcp`."""

from dataclasses import replace

import httpx2
import pytest

from engine.settings import Settings
from engine.store import Account, Store
from tests.gateway.conftest import Gateway, MakeBrowser, serving
from tests.support.gateway.documents import greeting
from tests.support.oauth.browser_flow import HTML, REDIRECT, Flow, query_of

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
ACCEPT = {"accept": "application/json, text/event-stream"}


async def ping(http: httpx2.AsyncClient, token: str) -> int:
    headers = {**ACCEPT, "authorization": f"Bearer {token}"}
    return (await http.post("/mcp", json=PING, headers=headers)).status_code


async def test_the_descriptions_name_the_endpoints(
    anonymous: httpx2.AsyncClient, gateway: Gateway
) -> None:
    challenge = (await anonymous.post("/mcp", json=PING)).headers["www-authenticate"]
    named = challenge.partition('resource_metadata="')[2].rstrip('"')
    resource = (await anonymous.get(named)).json()
    same = await anonymous.get("/.well-known/oauth-protected-resource/mcp")
    server = (await anonymous.get("/.well-known/oauth-authorization-server")).json()

    assert resource == same.json()
    assert resource["resource"] == f"{gateway.url}/mcp"
    assert resource["authorization_servers"] == [server["issuer"]] == [gateway.url]
    assert server["code_challenge_methods_supported"] == ["S256"]
    assert server["grant_types_supported"] == ["authorization_code"]
    for name, path in {
        "authorization_endpoint": "/oauth/authorize",
        "token_endpoint": "/oauth/token",
        "registration_endpoint": "/oauth/register",
        "revocation_endpoint": "/oauth/revoke",
    }.items():
        assert server[name] == gateway.url + path
    assert same.headers["cache-control"] == "no-store"


async def test_a_client_is_granted_a_key_for_the_chosen_workflows(
    flow: Flow, browser: httpx2.AsyncClient
) -> None:
    await browser.post("/api/workflows", json=greeting())

    answered = await flow.grant(browser, ["greeting"])
    exchanged = await flow.exchange(answered["code"])
    token = exchanged.json()["access_token"]
    [key] = (await browser.get("/api/api-keys")).json()

    assert (answered["state"], answered["iss"]) == ("state-1", flow.base)
    assert exchanged.headers["cache-control"] == "no-store"
    assert exchanged.json() == {
        "access_token": token,
        "token_type": "Bearer",
        "scope": "workflow:greeting:run",
    }
    assert (key["name"], key["capabilities"]) == ("Notes", ["workflow:greeting:run"])
    assert key["client"] == {"id": flow.client["client_id"], "name": "Notes"}
    assert await ping(flow.http, token) == 200
    await browser.delete(f"/api/api-keys/{key['id']}")
    assert await ping(flow.http, token) == 401


async def test_a_grant_of_all_workflows_has_later_ones_too(
    flow: Flow, browser: httpx2.AsyncClient
) -> None:
    await flow.connect(browser, None)

    [key] = (await browser.get("/api/api-keys")).json()
    assert key["capabilities"] == ["workflow:run"]


async def test_any_gateway_goes_on_with_a_connection(
    flow: Flow, browser: httpx2.AsyncClient, settings: Settings
) -> None:
    async with serving(settings) as second, serving(settings) as third:
        token = await flow.open()
        own = {"origin": second.url}
        own["cookie"] = f"headrace_session={browser.cookies['headrace_session']}"
        answer = await browser.post(
            f"{second.url}/api/grant-requests/{token}",
            json={"granted": True, "workflows": None},
            headers=own,
        )
        code = query_of(answer.json()["redirectTo"])["code"]
        async with httpx2.AsyncClient(base_url=third.url) as http:
            exchanged = await replace(flow, http=http).exchange(code)
            assert await ping(http, exchanged.json()["access_token"]) == 200


async def test_a_refusal_goes_back_to_the_client(flow: Flow, browser: httpx2.AsyncClient) -> None:
    token = await flow.open()

    answer = await browser.post(f"/api/grant-requests/{token}", json={"granted": False})

    assert answer.json()["redirectTo"].startswith(REDIRECT + "?")
    assert query_of(answer.json()["redirectTo"])["error"] == "access_denied"
    assert (await browser.get("/api/api-keys")).json() == []
    assert (await browser.get(f"/api/grant-requests/{token}")).status_code == 404


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic", None])
async def test_a_client_with_a_secret_proves_it(
    anonymous: httpx2.AsyncClient, browser: httpx2.AsyncClient, store: Store, method: str | None
) -> None:
    flow = Flow(anonymous)
    made = (await flow.register(token_endpoint_auth_method=method)).json()
    client_id, secret = made["client_id"], made["client_secret"]
    stored = b"".join(await store.client.send("HVALS", "hr:oauth_clients:{hr:oauth}"))

    bare = await flow.exchange((await flow.grant(browser))["code"])
    wrong = await flow.exchange((await flow.grant(browser))["code"], client_secret=secret[:-1])
    posted = await flow.exchange((await flow.grant(browser))["code"], client_secret=secret)
    form = {
        "grant_type": "authorization_code",
        "code": (await flow.grant(browser))["code"],
        "redirect_uri": REDIRECT,
        "code_verifier": flow.verifier,
    }
    basic = await anonymous.post("/oauth/token", data=form, auth=(client_id, secret))

    assert [bare.status_code, wrong.status_code] == [401, 401]
    assert bare.json()["error"] == wrong.json()["error"] == "invalid_client"
    assert [posted.status_code, basic.status_code] == [200, 200]
    assert secret.encode() not in stored


async def test_a_token_is_revoked_by_its_client_alone(
    flow: Flow, browser: httpx2.AsyncClient, api_key: str
) -> None:
    token = await flow.connect(browser)
    other = Flow(flow.http)
    await other.register()
    mine, theirs = flow.client["client_id"], other.client["client_id"]

    for client_id, revoked in ((theirs, token), (mine, api_key), (mine, "hr_live_no"), (mine, "")):
        form = {"client_id": client_id, "token": revoked}
        assert (await flow.http.post("/oauth/revoke", data=form)).status_code == 200
    before = [await ping(flow.http, token), await ping(flow.http, api_key)]
    form = {"client_id": mine, "token": token, "token_type_hint": "access_token"}
    answer = await flow.http.post("/oauth/revoke", data=form)

    assert before == [200, 200]
    assert (answer.status_code, answer.content) == (200, b"")
    assert await ping(flow.http, token) == 401
    assert await ping(flow.http, api_key) == 200


async def test_a_request_that_names_no_client_is_told_to_the_visitor(
    flow: Flow,
) -> None:
    answer = await flow.authorize("text/html", client_id="no-such")

    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "location" not in answer.headers
    assert "no-such" in answer.text


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"resource": "https://other.example/mcp"}, "invalid_target"),
        ({"state": "s" * 2_049}, "invalid_request"),
    ],
)
async def test_a_wrong_request_goes_back_to_the_client_but_sends_no_browser_unasked(
    flow: Flow, change: dict[str, str | None], error: str
) -> None:
    program = await flow.authorize(**change)
    shown = await flow.authorize("text/html,*/*", **change)

    members = query_of(program.headers["location"])
    assert program.headers["location"].startswith(REDIRECT + "?")
    assert (members["error"], members["iss"]) == (error, flow.base)
    assert shown.status_code == 400
    assert "location" not in shown.headers
    assert "Go back to 127.0.0.1" in shown.text


async def test_a_request_without_a_resource_is_for_this_installation(
    flow: Flow, browser: httpx2.AsyncClient
) -> None:
    answered = await flow.grant(browser, resource=None)

    assert (await flow.exchange(answered["code"], resource=None)).status_code == 200


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
async def test_a_resource_is_named_by_any_own_name(flow: Flow, name: str) -> None:
    answer = await flow.authorize(resource=flow.base.replace("127.0.0.1", name) + "/mcp")

    assert answer.headers["location"].startswith("/app/connect/")


async def test_a_resource_is_the_one_that_the_client_was_told_of(flow: Flow) -> None:
    flow.http.headers["host"] = "flows.example:8443"

    told = (await flow.http.get("/.well-known/oauth-protected-resource")).json()["resource"]
    asked = await flow.authorize(resource=told)
    others = [
        await flow.authorize(resource=resource)
        for resource in (
            "http://flows.example/mcp",
            "http://flows.example:8443/mcp?x=1",
            "http://flows.example:8443/mcp#x",
            "http://flows.example:8443/",
            "http://flows.example:8443@evil.example/mcp",
            "mcp",
            "http://[",
        )
    ]

    assert told == "http://flows.example:8443/mcp"
    assert asked.headers["location"].startswith("/app/connect/")
    for other in others:
        assert query_of(other.headers["location"])["error"] == "invalid_target"


async def test_a_program_may_listen_on_any_port_of_its_computer(
    flow: Flow, browser: httpx2.AsyncClient
) -> None:
    flow.redirect_uri = "http://127.0.0.1:61234/callback"

    answered = await flow.grant(browser)

    assert (await flow.exchange(answered["code"])).status_code == 200


async def test_a_visitor_who_is_not_signed_in_comes_back_to_the_request(flow: Flow) -> None:
    token = await flow.open()

    answer = await flow.http.get(f"/app/connect/{token}", headers=HTML)

    assert answer.headers["location"] == f"/login?next=/app/connect/{token}"


async def test_a_public_url_is_the_address_of_everything(
    settings: Settings, account: Account, make_browser: MakeBrowser
) -> None:
    public = replace(settings, public_url="https://flows.example")
    async with serving(public) as gateway, httpx2.AsyncClient(base_url=gateway.url) as http:
        server = await http.get("/.well-known/oauth-authorization-server")
        flow = Flow(http)
        await flow.register()
        own = await flow.authorize(resource="https://flows.example/mcp")
        other = await flow.authorize()

    assert server.json()["token_endpoint"] == "https://flows.example/oauth/token"
    assert "max-age" in server.headers["cache-control"]
    assert own.headers["location"].startswith("/app/connect/")
    assert query_of(other.headers["location"])["error"] == "invalid_target"


async def test_pages_of_listed_origins_may_connect_and_others_not(settings: Settings) -> None:
    listed = replace(settings, cors_origins="https://inspector.example")
    async with serving(listed) as gateway, httpx2.AsyncClient(base_url=gateway.url) as http:
        allowed = []
        for origin in ("https://inspector.example", "https://evil.example"):
            headers = {"origin": origin, "access-control-request-method": "POST"}
            for path in (
                "/oauth/token",
                "/oauth/register",
                "/.well-known/oauth-protected-resource",
            ):
                answer = await http.options(path, headers=headers)
                allowed.append(answer.headers.get("access-control-allow-origin"))

    assert allowed == ["https://inspector.example"] * 3 + [None] * 3
