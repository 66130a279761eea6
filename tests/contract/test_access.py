import httpx2
import pytest

from tests.support.acceptance.running_stack import RunningStack
from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, sentence, text_or_null
from tests.support.gateway.documents import greeting

ROUTES = {
    "POST /api/workflows/{slug}/run": "workflow:run",
    "POST /api/models/{internal_name}/run": "model:run",
    "GET /api/executions": "execution:read",
    "GET /api/executions/{execution_id}": "execution:read",
    "GET /api/executions/{execution_id}/events": "execution:read",
    "POST /api/executions/{execution_id}/cancel": "execution:cancel",
    "GET /api/workflows": "workflow:read",
    "POST /api/workflows": "workflow:write",
    "GET /api/workflows/{slug}": "workflow:read",
    "PUT /api/workflows/{slug}": "workflow:write",
    "DELETE /api/workflows/{slug}": "workflow:write",
    "GET /api/workflows/{slug}/schema": "workflow:read",
    "GET /api/workflows/{slug}/public-schema": "public",
    "GET /api/workflows/{slug}/openapi.json": "workflow:read",
    "GET /api/models": "workflow:read or model:run",
    "POST /api/models": "session of an admin",
    "GET /api/models/{internal_name}": "session of an admin",
    "PUT /api/models/{internal_name}": "session of an admin",
    "DELETE /api/models/{internal_name}": "session of an admin",
    "GET /api/models/{internal_name}/versions": "session of an admin",
    "GET /api/assets": "any key or session",
    "POST /api/assets": "workflow:run",
    "GET /api/assets/{asset_id}": "any key or session",
    "DELETE /api/assets/{asset_id}": "workflow:run",
    "GET /media/{asset_id}": "public",
    "GET /api/usage": "any key or session",
    "GET /api/whoami": "any key or session",
    "GET /api/me": "session",
    "GET /api/api-keys": "session",
    "POST /api/api-keys": "session",
    "DELETE /api/api-keys/{key_id}": "session",
    "GET /api/api-keys/{key_id}/webhook": "session",
    "PUT /api/api-keys/{key_id}/webhook": "session",
    "DELETE /api/api-keys/{key_id}/webhook": "session",
    "POST /api/api-keys/{key_id}/webhook/test": "session",
    "GET /api/api-keys/{key_id}/webhook/deliveries": "session",
    "POST /api/api-keys/{key_id}/webhook/deliveries/{delivery_id}/redeliver": "session",
    "GET /": "public",
    "GET /app/settings/api-keys": "public",
    "GET /app/playground/{slug}": "public",
    "GET /app/editor/{slug}": "public",
    "GET /app/api/keys": "public",
    "GET /app/batches": "public",
    "GET /app/replays": "public",
    "GET /app/replays/{replay_id}": "public",
    "GET /app/batches/{batch_id}": "public",
    "GET /app/approvals": "public",
    "GET /app/triggers": "public",
    "GET /app/workflows/{slug}/releases": "public",
    "GET /app/triggers/{trigger_id}": "public",
    "GET /app/executions": "public",
    "GET /app/executions/{execution_id}": "public",
    "GET /app/usage": "public",
    "GET /app/models": "public",
    "GET /app/models/{internal_name}": "public",
    "GET /app/settings": "public",
    "GET /app/admin": "public",
    "GET /static/{name}": "public",
    "GET /login": "public",
    "POST /login": "public",
    "POST /logout": "session",
    "GET /healthz": "public",
    "GET /readyz": "public",
    "GET /openapi.json": "public",
    "GET /docs": "public",
    "GET /metrics": "public",
    "GET /metrics/process": "public",
}
"""The requirement of each route on its caller, as reviewed.

The contract test of a further resource has such a table of its own.
"""
ID = "00000000-0000-4000-8000-000000000000"
PATH = {
    "slug": "contract-nothing",
    "internal_name": "echo",
    "name": "index.js",
    **dict.fromkeys(
        ("execution_id", "batch_id", "replay_id", "asset_id", "key_id", "delivery_id"), ID
    ),
    "trigger_id": "trg_000000000000",
}
CALLS = [(*route.format(**PATH).split(" "), requirement) for route, requirement in ROUTES.items()]
GUARDED = [(method, path) for method, path, requirement in CALLS if requirement != "public"]
SESSION_ONLY = [
    (method, path) for method, path, requirement in CALLS if requirement.startswith("session")
]
CAPABILITIES = [
    (method, path + query, requirement)
    for method, path, requirement in CALLS
    if requirement in {"workflow:run", "workflow:read", "workflow:write", "model:run"}
    for query in (("", "?async=true") if path.endswith("/run") else ("",))
]
PUBLIC = ["/healthz", "/readyz", "/openapi.json", "/docs"]


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_an_endpoint_without_a_key_is_401_without_a_code(
    anonymous: httpx2.Client, method: str, path: str
) -> None:
    answer = anonymous.request(method, path)

    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})


@pytest.mark.parametrize(("method", "path", "required"), CAPABILITIES)
def test_an_endpoint_needs_its_capability_and_no_other_does(
    administration: Administration, method: str, path: str, required: str
) -> None:
    others = {"workflow:run", "workflow:read", "workflow:write", "model:run"} - {required}
    caller = administration.caller("business", *others, "webhook:receive", "agent:invoke")

    answer = caller.request(method, path, json={})

    assert answer.status_code == 403
    expected = {"error": sentence, "code": "CAPABILITY_DENIED", "required": required}
    assert_fits(answer.json(), expected)


@pytest.mark.parametrize(("method", "path"), SESSION_ONLY)
def test_a_session_only_endpoint_refuses_keys(caller: Caller, method: str, path: str) -> None:
    answer = caller.request(method, path, json={})

    assert answer.status_code == 403
    assert_fits(answer.json(), {"error": sentence, "code": "SESSION_REQUIRED"})


@pytest.mark.parametrize("path", PUBLIC)
def test_what_needs_nothing_is_open_to_all(anonymous: httpx2.Client, path: str) -> None:
    assert anonymous.get(path).status_code == 200


def test_metrics_need_nothing_unless_they_have_a_port_of_their_own(
    anonymous: httpx2.Client, stack: RunningStack
) -> None:
    assert anonymous.get("/metrics").status_code == 200


def test_a_key_for_one_workflow_runs_that_one_alone(administration: Administration) -> None:
    owner = administration.account("pro")
    writer = administration.with_key(administration.key(owner, "workflow:write"))
    first, second = writer.save(greeting("One alone")), writer.save(greeting("Not this"))
    caller = administration.with_key(administration.key(owner, f"workflow:{first}:run"))

    allowed = caller.run(first, {"name": "Ada"})
    denied = caller.run(second, {"name": "Ada"})

    assert allowed.status_code == 200
    assert (denied.status_code, denied.json()["required"]) == (403, "workflow:run")


def test_a_public_schema_needs_nothing_and_a_public_workflow(
    caller: Caller, anonymous: httpx2.Client
) -> None:
    shown = caller.save(greeting("Shown", publicPlayground=True))
    hidden = caller.save(greeting("Hidden"))

    found = anonymous.get(f"/api/workflows/{shown}/public-schema")
    private = anonymous.get(f"/api/workflows/{hidden}/public-schema")
    unknown = anonymous.get("/api/workflows/no-such/public-schema")

    assert found.status_code == 200
    assert private.status_code == unknown.status_code == 404
    assert private.json() == unknown.json()
    assert private.json()["code"] == "WORKFLOW_NOT_FOUND"


def test_an_admin_cannot_write_what_others_own(
    administration: Administration, caller: Caller
) -> None:
    slug = caller.save(greeting("Not the admin's"))
    admin = administration.caller("enterprise", "*", role="admin")

    for answer in (admin.put(f"/api/workflows/{slug}", {}), admin.delete(f"/api/workflows/{slug}")):
        assert (answer.status_code, answer.json()["code"]) == (404, "WORKFLOW_NOT_FOUND")


def test_who_am_i_shows_the_account(caller: Caller) -> None:
    answer = caller.get("/api/whoami")

    assert_fits(
        answer.json(),
        {
            "user": {
                "id": str,
                "email": text_or_null,
                "role": lambda value: value in ("user", "admin"),
                "tier": lambda value: value in ("free", "creator", "pro", "business", "enterprise"),
                "approved": bool,
            }
        },
    )


def test_me_shows_the_account_of_the_session(browser: Caller, browser_account: str) -> None:
    assert browser.get("/api/me").json()["user"] == browser.get("/api/whoami").json()["user"]
    assert browser.get("/api/me").json()["user"]["id"] == browser_account
