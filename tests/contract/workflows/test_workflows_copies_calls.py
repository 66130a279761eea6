"""Copies of templates that call other workflows."""

from typing import Any

import pytest

from tests.support.contract.installation import Caller
from tests.support.gateway.documents import edge, greeting, node

LIST = "/api/workflows"


def letter(slug: str, **members: Any) -> dict[str, Any]:
    """A template whose body calls a workflow for each of two names."""
    body = {
        "nodes": [
            node("in", "requestInput", fields=[{"name": "name", "label": "N", "type": "text"}]),
            node("sub", "subWorkflow", workflow=slug),
            node("out", "responseOutput"),
        ],
        "edges": [
            edge("in", "name", "sub", "name"),
            edge("sub", "result-out", "out", "result-in"),
        ],
    }
    names = [{"value": each, "included": True} for each in ("Ada", "Grace")]
    return {
        "name": "Contract letters",
        "nodes": [
            {**node("names", "list"), "data": {"kind": "text", "items": names, "mode": "keep"}},
            node("each", "forEach", body=body),
            node("out", "responseOutput"),
        ],
        "edges": [
            edge("names", "items-out", "each", "name"),
            edge("each", "results-out", "out", "result-in"),
        ],
        "isTemplate": True,
        **members,
    }


def called(document: dict[str, Any]) -> str:
    """Return the slug that the body calls."""
    data: dict[str, Any] = document["nodes"][1]["data"]["body"]["nodes"][1]["data"]
    return str(data["workflow"])


def problems_of(caller: Caller, slug: str) -> list[dict[str, Any]]:
    document = caller.get(f"{LIST}/{slug}/draft").json()
    body = {"nodes": document["nodes"], "edges": document["edges"]}
    found: list[dict[str, Any]] = caller.post(f"{LIST}/check", body).json()["problems"]
    return found


def test_the_templates_that_a_template_calls_are_copied_with_it(
    caller: Caller, stranger: Caller
) -> None:
    inner = caller.save(greeting(isTemplate=True))
    slug = caller.save(letter(inner))

    answer = stranger.create({"copyOf": slug, "name": "My letters"})

    copy = answer.json()
    assert (answer.status_code, copy["version"]) == (201, 1), copy
    assert list(copy["copiedWorkflows"]) == [inner]
    own = copy["copiedWorkflows"][inner]
    assert called(copy) == own != inner
    assert "missingWorkflows" not in copy
    brought = stranger.get(f"{LIST}/{own}").json()
    assert (brought["name"], brought["isTemplate"], brought["version"]) == ("Greeting", False, 1)
    assert brought["createdBy"] == copy["createdBy"]
    assert stranger.delete(f"{LIST}/{own}").json()["usedBy"] == [copy["slug"]]
    stranger.clean()


def test_a_workflow_that_is_no_template_is_missing_and_the_copy_a_draft(
    caller: Caller, stranger: Caller
) -> None:
    inner = caller.save(greeting(publicPlayground=True))
    slug = caller.save(letter(inner))

    copy = stranger.create({"copyOf": slug}).json()

    assert (copy["version"], copy["missingWorkflows"]) == (None, [inner])
    assert "copiedWorkflows" not in copy
    assert called(copy) == inner
    stranger.clean()


def test_the_copy_of_an_own_workflow_calls_the_same_ones(caller: Caller) -> None:
    inner = caller.save(greeting())
    slug = caller.save(letter(inner, isTemplate=False))

    copy = caller.create({"copyOf": slug}).json()

    assert (copy["version"], called(copy)) == (1, inner)
    assert "copiedWorkflows" not in copy and "missingWorkflows" not in copy


@pytest.mark.parametrize("members", [{"name": ""}, {"nodes": "x"}])
def test_a_copy_that_is_refused_leaves_no_called_ones(
    caller: Caller, stranger: Caller, members: dict[str, Any]
) -> None:
    inner = caller.save(greeting(isTemplate=True))
    slug = caller.save(letter(inner))
    before = len(stranger.get(LIST).json())

    assert stranger.post(LIST, {"copyOf": slug, **members}).status_code == 400

    assert len(stranger.get(LIST).json()) == before


def test_a_copy_that_cannot_run_takes_the_called_ones_back(
    caller: Caller, stranger: Caller
) -> None:
    inner = caller.save(greeting(isTemplate=True))
    slug = caller.save(letter(inner))
    own = {row["slug"] for row in stranger.get(LIST).json() if row["createdBy"]}
    document = letter(inner)
    nodes = [*document["nodes"], node("extra", "nothing")]

    answer = stranger.post(LIST, {"copyOf": slug, "nodes": nodes, "edges": document["edges"]})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_GRAPH")
    assert {row["slug"] for row in stranger.get(LIST).json() if row["createdBy"]} == own
