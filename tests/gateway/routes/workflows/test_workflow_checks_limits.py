"""Rate windows of checks of graphs and of trials of expressions."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.settings import Settings
from tests.support.gateway.documents import greeting, node

pytestmark = [pytest.mark.A91l, pytest.mark.usefixtures("young_window")]

CHECKS, TRIALS = 7, 3
CHECK, TRY = "/api/workflows/check", "/api/expressions/try"
TRIAL = {"expression": "1 + 1"}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    path = tmp_path / "tiers.toml"
    limits = f"checks_per_minute = {CHECKS}\nexpression_trials_per_minute = {TRIALS}\n"
    path.write_text(f"[pro]\n{limits}")
    return replace(settings, tiers_file=str(path))


def notes(count: int) -> dict[str, Any]:
    return {"nodes": [node(f"n{at}", "note") for at in range(count)], "edges": []}


def left(answer: httpx2.Response) -> int:
    return int(answer.headers["x-ratelimit-remaining"])


@pytest.mark.parametrize(
    ("nodes", "cost"), [(0, 1), (1, 1), (99, 1), (100, 2), (199, 2), (200, 3), (1_001, 11)]
)
async def test_a_check_counts_once_and_once_more_for_every_hundred_nodes(
    client: httpx2.AsyncClient, nodes: int, cost: int
) -> None:
    answer = await client.post(CHECK, json=notes(nodes))

    if cost > CHECKS:
        assert (answer.status_code, left(answer)) == (429, 0)
    else:
        assert (answer.status_code, left(answer)) == (200, CHECKS - cost)


async def test_nodes_of_bodies_count(client: httpx2.AsyncClient) -> None:
    inner = node("inner", "forEach", body=notes(150))
    outer = node("each", "forEach", body={"nodes": [inner], "edges": []})

    answer = await client.post(CHECK, json={"nodes": [outer, 1, *notes(46)["nodes"]], "edges": []})

    assert (answer.status_code, left(answer)) == (400, CHECKS - 2)
    answer = await client.post(CHECK, json={"nodes": [outer, *notes(48)["nodes"]], "edges": []})
    assert (answer.status_code, left(answer)) == (200, CHECKS - 2 - 3)


async def test_a_check_that_costs_more_than_is_left_is_refused_and_a_small_one_is_not(
    client: httpx2.AsyncClient,
) -> None:
    assert left(await client.post(CHECK, json=notes(500))) == 1

    large, small = [await client.post(CHECK, json=notes(count)) for count in (100, 1)]

    assert large.status_code == 429
    assert large.json()["code"] == "RATE_LIMIT_EXCEEDED"
    assert int(large.headers["retry-after"]) >= 1
    assert (small.status_code, left(small)) == (200, 0)


async def test_bodies_that_are_none_count_once(client: httpx2.AsyncClient) -> None:
    answers = [await client.post(CHECK, json={"nodes": "x"}) for _ in range(CHECKS + 1)]

    assert [each.status_code for each in answers] == [400] * CHECKS + [429]


async def test_trials_have_a_window_of_their_own(client: httpx2.AsyncClient) -> None:
    answers = [await client.post(TRY, json=TRIAL) for _ in range(TRIALS + 1)]

    assert [each.status_code for each in answers] == [200] * TRIALS + [429]
    assert answers[-1].json()["limit"] == TRIALS
    document = greeting()
    check = {"nodes": document["nodes"], "edges": document["edges"]}
    assert left(await client.post(CHECK, json=check)) == CHECKS - 1
