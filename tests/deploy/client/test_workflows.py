"""The workflow that a document is pushed to."""

from typing import Any

import pytest

from deploy.client.workflows import (
    AccountWorkflows,
    called_documents,
    find_slug,
    push_together,
)
from deploy.output.problems import ApiRefused, CommandFailed
from tests.support.gateway.documents import node

OWN = [
    {"slug": "hello", "name": "Hello"},
    {"slug": "hello-2", "name": "Hello, again"},
    {"slug": "twin", "name": "Twin"},
    {"slug": "twin-2", "name": "Twin"},
]


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({"slug": "hello-2", "name": "Hello"}, "hello-2"),
        ({"slug": "of-another-server", "name": "Hello"}, "hello"),
        ({"slug": None, "name": "Hello"}, "hello"),
        ({"name": "Hello"}, "hello"),
        ({"slug": "twin", "name": "Twin"}, "twin"),
        ({"name": "hello"}, None),
        ({}, None),
    ],
)
def test_the_slug_counts_before_the_name(body: dict[str, Any], slug: str | None) -> None:
    assert find_slug(OWN, body) == slug


def test_one_name_of_several_workflows_names_none() -> None:
    with pytest.raises(CommandFailed, match=r"are called 'Twin' \(twin, twin-2\): .* --new"):
        find_slug(OWN, {"name": "Twin"})


async def test_a_template_of_another_account_is_not_ones_own() -> None:
    class Templates:
        async def get(self, path: str) -> Any:
            return [
                {"slug": "mine", "name": "Letter", "createdBy": "acc_1"},
                {"slug": "theirs", "name": "Letter", "createdBy": None},
            ]

    own = await AccountWorkflows(Templates()).own()

    assert [row["slug"] for row in own] == ["mine"]


class Server:
    """Workflows of an account on a server that gives slugs of its own."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = {row["slug"]: row for row in rows}
        self.saved: list[dict[str, Any]] = []

    async def get(self, path: str) -> Any:
        slug = path.removeprefix("/api/workflows").strip("/")
        if not slug:
            return list(self.rows.values())
        if slug not in self.rows:
            raise ApiRefused(404, {"code": "WORKFLOW_NOT_FOUND", "error": "There is none"})
        return self.rows[slug]

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        self.saved.append(body)
        row = {"slug": f"{body['slug']}-2", "name": body["name"], "createdBy": "acc_1"}
        self.rows[row["slug"]] = row
        return row | {"version": 1, "updatedAt": "2026"}


def calling(slug: str, *callees: str) -> dict[str, Any]:
    nodes = [node(each, "subWorkflow", workflow=each) for each in callees]
    return {"slug": slug, "name": slug.upper(), "nodes": nodes, "edges": []}


def calls_of(document: dict[str, Any]) -> list[str]:
    return [each["data"]["workflow"] for each in document["nodes"]]


async def test_documents_are_pushed_after_those_that_they_call_and_call_these_there() -> None:
    server = Server()
    bodies = [calling("a", "b", "elsewhere"), calling("c"), calling("b", "c")]

    rows = await push_together(AccountWorkflows(server), bodies)

    assert [row["slug"] for row in rows] == ["c-2", "b-2", "a-2"]
    assert {each["slug"]: calls_of(each) for each in server.saved} == {
        "c": [],
        "b": ["c-2"],
        "a": ["b-2", "elsewhere"],
    }


async def test_documents_that_call_each_other_are_pushed_once_each() -> None:
    server = Server()

    await push_together(AccountWorkflows(server), [calling("a", "b"), calling("b", "a")])

    assert sorted(each["slug"] for each in server.saved) == ["a", "b"]


async def test_the_called_workflows_of_a_document_are_found_over_steps() -> None:
    server = Server(calling("b", "c", "gone"), calling("c", "b"), calling("other"))

    found = await called_documents(AccountWorkflows(server), calling("a", "b", "a"))

    assert [each["slug"] for each in found] == ["b", "c"]
