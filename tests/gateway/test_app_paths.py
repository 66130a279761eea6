"""Paths and methods, in every spelling."""

import httpx2
import pytest

from tests.gateway.routes.workflows.test_workflows import FOREIGN, HERE, save
from tests.support.gateway.documents import greeting


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/api/workflows", "GET, HEAD, POST"),
        ("POST", HERE, "DELETE, GET, HEAD, PUT"),
        ("GET", f"{HERE}/run", "POST"),
        ("HEAD", f"{HERE}/run", "POST"),
        ("PUT", f"{HERE}/run", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("GET", "/api/executions/x/cancel", "POST"),
    ],
)
async def test_another_method_is_refused_and_the_right_ones_named(
    client: httpx2.AsyncClient, method: str, path: str, allowed: str
) -> None:
    await save(client, greeting())

    answer = await client.request(
        method, path, json={"inputs": {"name": "x"}}, headers={"x-http-method-override": "POST"}
    )

    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    if method != "HEAD":
        assert answer.json()["code"] == "METHOD_NOT_ALLOWED"
    assert (await client.get("/api/executions")).json()["rows"] == []


@pytest.mark.parametrize(
    "path",
    [f"{HERE}/", "//api/workflows", "/api//workflows", "/api/workflows/", "/API/workflows"]
    + ["/nothing", "/api", "/api/workflows/greeting/nothing", "/api/workflows/%2e%2e/workflows"],
)
async def test_an_unknown_path_is_not_found(client: httpx2.AsyncClient, path: str) -> None:
    await save(client, greeting())

    answer = await client.get(httpx2.URL(str(client.base_url)).copy_with(raw_path=path.encode()))

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_an_encoded_path_is_the_same_path(
    client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient
) -> None:
    await save(client, greeting())

    own = await client.get("/api/workflows/%67reeting")
    foreign = await strangers_client.get("/api/workflows/%67reeting")

    assert own.status_code == 200
    assert (foreign.status_code, foreign.content) == (404, FOREIGN)


async def test_a_head_is_answered_without_a_body(client: httpx2.AsyncClient) -> None:
    await save(client, greeting())

    answer = await client.head(HERE)

    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0
