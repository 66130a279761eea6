"""Releases and tests of others: every route answers as if there were none, and needs its rights."""

from typing import Any

import pytest

from tests.support.contract.installation import Administration, Caller
from tests.support.gateway.documents import greeting

NOTHING = "00000000-0000-4000-8000-000000000000"
ALIAS = {"version": 1}
TEST = {"inputs": {"name": "Ada"}, "expect": ["status == 'completed'"]}
REPLAY = {"last": 1, "against": 1, "calls": "recorded"}
OF_WORKFLOW: list[tuple[str, str, Any, tuple[str, ...]]] = [
    ("GET", "aliases", None, ("workflow:read",)),
    ("PUT", "aliases/stable", ALIAS, ("workflow:write",)),
    ("DELETE", "aliases/stable", None, ("workflow:write",)),
    ("POST", "aliases/stable/promote", None, ("workflow:write",)),
    ("GET", "aliases/stable/history", None, ("workflow:read",)),
    ("GET", "aliases/stable/canary", None, ("workflow:read",)),
    ("POST", "replay", REPLAY, ("workflow:write", "workflow:run")),
    ("GET", "tests", None, ("workflow:read",)),
    ("GET", "tests/greets", None, ("workflow:read",)),
    ("PUT", "tests/greets", TEST, ("workflow:write",)),
    ("DELETE", "tests/greets", None, ("workflow:write",)),
    ("POST", "tests/run", {"version": 1}, ("workflow:write", "workflow:run")),
]
"""Method, path below the workflow, body, and all capabilities that the call needs."""
OF_LISTS = [
    ("GET", "replays", "", "REPLAY_NOT_FOUND"),
    ("POST", "replays", "/cancel", "REPLAY_NOT_FOUND"),
    ("GET", "test-runs", "", "TEST_RUN_NOT_FOUND"),
    ("POST", "test-runs", "/cancel", "TEST_RUN_NOT_FOUND"),
]
EVERY = ("workflow:read", "workflow:write", "workflow:run")


@pytest.fixture(scope="module")
def owned(administration: Administration) -> dict[str, str]:
    """A workflow with an alias, a test, a replay and a test run; their ids."""
    owner = administration.caller("business")
    slug = owner.save(greeting("Of another"))
    assert owner.run(slug, {"name": "Ada"}).status_code == 200
    path = f"/api/workflows/{slug}"
    assert owner.put(f"{path}/aliases/stable", ALIAS).status_code == 200
    assert owner.put(f"{path}/tests/greets", TEST).status_code == 200
    replay = owner.post(f"{path}/replay", REPLAY)
    tested = owner.post(f"{path}/tests/run", {"version": 1})
    assert (replay.status_code, tested.status_code) == (202, 202), replay.text + tested.text
    return {
        "slug": slug,
        "replays": replay.json()["replayId"],
        "test-runs": tested.json()["testRunId"],
    }


@pytest.mark.A102
@pytest.mark.parametrize(("method", "path", "body", "_"), OF_WORKFLOW)
def test_a_workflow_of_others_is_as_one_that_is_not_there(
    stranger: Caller, owned: dict[str, str], method: str, path: str, body: Any, _: object
) -> None:
    foreign = stranger.request(method, f"/api/workflows/{owned['slug']}/{path}", json=body)
    unknown = stranger.request(method, f"/api/workflows/no-such/{path}", json=body)

    assert (foreign.status_code, foreign.json()["code"]) == (404, "WORKFLOW_NOT_FOUND")
    assert unknown.json() == foreign.json()


@pytest.mark.A102
@pytest.mark.parametrize(("method", "kind", "rest", "code"), OF_LISTS)
def test_a_list_of_runs_of_others_is_as_one_that_is_not_there(
    stranger: Caller, owned: dict[str, str], method: str, kind: str, rest: str, code: str
) -> None:
    foreign = stranger.request(method, f"/api/{kind}/{owned[kind]}{rest}")
    unknown = stranger.request(method, f"/api/{kind}/{NOTHING}{rest}")

    assert (foreign.status_code, foreign.json()["code"]) == (404, code)
    assert unknown.json() == foreign.json()


@pytest.mark.A102
@pytest.mark.parametrize("capability", EVERY)
@pytest.mark.parametrize(("method", "path", "body", "needed"), OF_WORKFLOW)
def test_each_capability_is_needed(
    administration: Administration,
    capability: str,
    method: str,
    path: str,
    body: Any,
    needed: tuple[str, ...],
) -> None:
    others = [each for each in EVERY if each != capability]
    caller = administration.caller("business", *others, "webhook:receive")

    answer = caller.request(method, f"/api/workflows/no-such/{path}", json=body)

    if capability in needed:
        assert (answer.status_code, answer.json()["required"]) == (403, capability)
    else:
        assert answer.status_code == 404, answer.text


@pytest.mark.A102
def test_lists_have_ones_own_alone(stranger: Caller, owned: dict[str, str]) -> None:
    rows = stranger.get("/api/replays").json()["rows"]

    assert owned["replays"] not in {each["replayId"] for each in rows}
