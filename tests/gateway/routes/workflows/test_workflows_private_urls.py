"""Workflows that call private addresses, saved with and without permission."""

from typing import Any

import httpx2
import pytest

from engine.settings import Settings
from tests.support.factories import Graph


@pytest.fixture
def settings(redis_url: str, allow_private: bool) -> Settings:
    return Settings(redis_url=redis_url, allow_private_urls=allow_private)


def document(url: str, **more: Any) -> dict[str, Any]:
    graph = Graph().node("call", "httpRequest", url=url).node("out", "responseOutput")
    return graph.wire("call.response-out > out.result-in").body("Inward") | more


@pytest.mark.A37
@pytest.mark.parametrize("allow_private", [False])
async def test_a_private_url_is_a_problem_of_the_graph(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/api/workflows", json=document("http://10.0.0.1/"))

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_GRAPH")
    (problem,) = answer.json()["problems"]
    assert problem["nodeId"] == "call"
    assert "10.0.0.1" not in problem["reason"]


@pytest.mark.parametrize("allow_private", [False])
async def test_a_draft_may_hold_one(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/api/workflows", json=document("http://10.0.0.1/", draft=True))

    assert answer.status_code == 201


@pytest.mark.parametrize("allow_private", [True])
async def test_a_private_url_is_saved_where_it_is_allowed(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/api/workflows", json=document("http://10.0.0.1:9/"))

    assert answer.status_code == 201
