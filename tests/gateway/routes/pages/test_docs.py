"""The description of the API, compared with the API."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import jsonschema_rs
import pytest
from starlette.routing import Route

from engine.settings import Settings
from gateway.app import routes
from gateway.auth.resource import Resource
from gateway.openapi.document import make_document
from gateway.routes.pages import docs
from tests.gateway.conftest import MakeClient
from tests.support.gateway.documents import broken, greeting
from tests.support.gateway.fake_worker import FakeWorker

PAGES = {"show_login", "sign_in", "show_page", "show_keys", "get_file"}
DOCUMENT = make_document(routes(Settings()), "1")
RUN = "/api/workflows/greeting/run"
ASK = {"inputs": {"name": "Eve"}}


def component(name: str) -> jsonschema_rs.Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return jsonschema_rs.validator_for(schema)


def test_every_endpoint_is_described() -> None:
    described = {
        operation["operationId"]
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
    }
    names = {
        endpoint.handler.__name__
        for route in routes(Settings())
        if isinstance(route, Route) and isinstance(route.endpoint, Resource)
        for endpoint in route.endpoint.endpoints.values()
    }

    assert names == described | PAGES


def test_no_two_operations_share_an_id() -> None:
    ids = [
        operation["operationId"]
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
    ]

    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_every_shape_is_valid_json_schema(name: str) -> None:
    assert component(name)


COUNTED = {
    ("post", "/api/assets"),
    ("post", "/api/workflows"),
    ("put", "/api/workflows/{slug}"),
    ("put", "/api/workflows/{slug}/draft"),
    ("post", "/api/expressions/try"),
    ("post", "/api/workflows/check"),
    ("post", "/api/workflows/{slug}/publish"),
    ("post", "/api/workflows/{slug}/versions/{version}/restore"),
}
"""Buckets with a rate limit beside the routes that run."""


def test_the_headers_of_limited_routes_are_described() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            is_limited = path.endswith("/run") or (method, path) in COUNTED
            for response in operation["responses"].values():
                assert ("X-RateLimit-Remaining" in response.get("headers", {})) is is_limited


async def test_the_document_is_served_to_anybody(make_client: MakeClient) -> None:
    answer = await (await make_client()).get("/openapi.json")

    body = answer.json()
    assert answer.status_code == 200
    assert body["openapi"] == "3.1.0"
    assert set(body["paths"]["/api/workflows/{slug}"]) == {"get", "put", "delete"}
    assert body["paths"][RUN.replace("greeting", "{slug}")]["post"]["security"] == [
        {"key": []},
        {"session": []},
    ]


async def test_the_document_and_the_page_are_made_once(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def make(*args: Any) -> dict[str, Any]:
        made.append(args)
        return make_document(*args)

    monkeypatch.setattr(docs, "make_document", make)
    client = await make_client()

    answers = [await client.get(path) for path in 3 * ("/openapi.json", "/docs")]

    assert [answer.status_code for answer in answers] == 6 * [200]
    assert len({answer.content for answer in answers}) == 2
    assert len(made) == 1


async def test_the_page_shows_every_path(make_client: MakeClient) -> None:
    answer = await (await make_client()).get("/docs")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert all(path in answer.text for path in DOCUMENT["paths"])


Call = Callable[[httpx2.AsyncClient], Awaitable[httpx2.Response]]
CALLS: dict[str, tuple[str, Call]] = {
    "a result": ("RunResult", lambda client: client.post(RUN, json=ASK)),
    "accepted": ("Accepted", lambda client: client.post(f"{RUN}?async=true", json=ASK)),
    "workflows": ("WorkflowList", lambda client: client.get("/api/workflows")),
    "a workflow": ("Workflow", lambda client: client.get("/api/workflows/greeting")),
    "a schema": ("Schema", lambda client: client.get("/api/workflows/greeting/schema")),
    "a public schema": (
        "PublicSchema",
        lambda client: client.get("/api/workflows/greeting/public-schema"),
    ),
    "deleted": ("Deleted", lambda client: client.delete("/api/workflows/greeting")),
    "who": ("WhoAmI", lambda client: client.get("/api/whoami")),
    "health": ("Status", lambda client: client.get("/healthz")),
    "an error": ("INVALID_GRAPH", lambda client: client.post("/api/workflows", json=broken())),
    "a 401": ("UNAUTHORIZED", lambda client: client.get("/api/whoami", headers={"x-api-key": "x"})),
}


@pytest.mark.parametrize("name", sorted(CALLS))
async def test_an_answer_has_the_shape_that_is_described(
    client: httpx2.AsyncClient, worker: FakeWorker, name: str
) -> None:
    shape, call = CALLS[name]
    await client.post("/api/workflows", json=greeting(publicPlayground=True))

    answer = await call(client)

    component(shape).validate(answer.json())


async def test_executions_have_the_shape_that_is_described(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    await client.post("/api/workflows", json=greeting())
    execution_id = (await client.post(RUN, json=ASK)).json()["executionId"]

    one: Any = (await client.get(f"/api/executions/{execution_id}")).json()
    listed: Any = (await client.get("/api/executions")).json()

    component("Execution").validate(one)
    component("ExecutionPage").validate(listed)
