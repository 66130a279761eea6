"""The description of the API, compared with the API."""

from typing import Any

import pytest
from starlette.routing import Route

from engine.settings import Settings
from gateway.app import routes
from gateway.auth.resource import Resource
from gateway.openapi.document import make_document
from gateway.routes.pages import docs
from tests.gateway.conftest import MakeClient

PAGES = {
    *("show_login", "sign_in", "show_page", "show_keys", "get_file"),
    *("show_approval", "answer_by_link"),
}
PROTOCOLS = {
    *("guard", "show_server", "show_resource"),
    *("authorize", "exchange", "register", "revoke"),
}
"""Endpoints of MCP and OAuth, whose clients know them from there."""
DOCUMENT = make_document(routes(Settings()), "1")
RUN = "/api/workflows/greeting/run"


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

    assert names == described | PAGES | PROTOCOLS


def test_no_two_operations_share_an_id() -> None:
    ids = [
        operation["operationId"]
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
    ]

    assert len(ids) == len(set(ids))


COUNTED = {
    ("post", "/api/assets"),
    ("post", "/api/workflows"),
    ("put", "/api/workflows/{slug}"),
    ("put", "/api/workflows/{slug}/draft"),
    ("post", "/api/expressions/try"),
    ("post", "/api/triggers/{trigger_id}/test"),
    ("post", "/api/mcp/tools"),
    ("post", "/api/workflows/check"),
    ("post", "/api/workflows/{slug}/publish"),
    ("post", "/api/workflows/{slug}/versions/{version}/restore"),
    ("put", "/api/workflows/{slug}/aliases/{alias_name}"),
    ("delete", "/api/workflows/{slug}/aliases/{alias_name}"),
    ("post", "/api/workflows/{slug}/aliases/{alias_name}/promote"),
    ("put", "/api/workflows/{slug}/tests/{test_name}"),
}
"""Buckets with a rate limit beside the routes that run."""


def test_the_headers_of_limited_routes_are_described() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            is_run = path.endswith("/run") and not path.startswith("/api/triggers/")
            is_limited = is_run or (method, path) in COUNTED
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


@pytest.mark.A91k
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
