"""No public workflow comes to an approval, by its own nodes or by those that it calls."""

from decimal import Decimal
from typing import Any

import pytest

from engine.errors import InvalidGraph
from engine.graph.document import parse_document
from engine.services.workflows.drafts import publish_draft, save_draft
from engine.services.workflows.public_checks import OWN
from engine.services.workflows.publish import create_workflow, update_workflow
from engine.services.workflows.restore_version import restore_version
from engine.store import Account, Store
from tests.support.factories import Graph, greeting
from tests.support.graphs.graph_checkers import ANY_URL
from tests.support.graphs.nested import body_of, calling

PUBLIC = {"publicPlayground": True}


def asking() -> Graph:
    graph = Graph("who").node("ask", "approval", title="{{ a }}?").wire("in.who > ask.a")
    return graph.node("out", "responseOutput").wire("ask.approved-out > out.result-in")


def in_body() -> Graph:
    graph = Graph().node("rows", "list", items=[]).node("each", "forEach", body=body_of(asking()))
    graph.node("out", "responseOutput").wire("rows.items-out > each.who")
    return graph.wire("each.results-out > out.result-in")


async def create(store: Store, account: Account, name: str, graph: Graph, **more: Any) -> str:
    body = {**graph.body(name), **more}
    return (await create_workflow(store, account.id, body, checker=ANY_URL)).slug


async def update(store: Store, account: Account, slug: str, body: dict[str, Any]) -> None:
    await update_workflow(store, account.id, slug, body, checker=ANY_URL)


def problems_of(error: InvalidGraph) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = error.context["problems"]
    return found


def elements(graph: Graph) -> dict[str, Any]:
    return {"nodes": graph.nodes, "edges": graph.edges}


async def test_an_approval_in_a_public_workflow_is_a_problem_at_save(
    store: Store, account: Account
) -> None:
    with pytest.raises(InvalidGraph) as direct:
        await create(store, account, "Direct", asking(), **PUBLIC)
    with pytest.raises(InvalidGraph) as inner:
        await create(store, account, "Inner", in_body(), **PUBLIC)

    assert problems_of(direct.value) == [{"nodeId": "ask", "reason": OWN}]
    assert problems_of(inner.value) == [{"nodeId": "each", "path": ["each", "ask"], "reason": OWN}]


async def test_the_switch_is_refused_for_a_workflow_that_comes_to_one(
    store: Store, account: Account
) -> None:
    await create(store, account, "asks", in_body())
    middle = Graph().node("l", "list", items=[]).node("out", "responseOutput")
    middle.node("call", "subWorkflow", workflow="asks").wire("call.result-out > out.result-in")
    await create(store, account, "middle", middle)

    for slug in ("asks", "middle"):
        with pytest.raises(InvalidGraph):
            await update(store, account, slug, PUBLIC)
        assert not (await store.workflows.get(slug)).document.public_playground
    with pytest.raises(InvalidGraph) as made:
        top = Graph().node("call", "subWorkflow", workflow="middle").node("out", "responseOutput")
        top.wire("call.result-out > out.result-in")
        await create(store, account, "top", top, **PUBLIC)

    reason = "workflow: 'middle' comes to an approval, which a public workflow must not do"
    assert problems_of(made.value) == [{"nodeId": "call", "reason": reason}]


async def test_a_workflow_that_a_public_one_calls_gets_none(store: Store, account: Account) -> None:
    await create(store, account, "bottom", greeting())
    await create(store, account, "middle", calling("bottom"))
    await create(store, account, "top", calling("middle"), **PUBLIC)

    with pytest.raises(InvalidGraph) as raised:
        await update(store, account, "bottom", elements(asking()))
    await update(store, account, "top", {"publicPlayground": False})
    await update(store, account, "bottom", elements(asking()))

    reason = "The public workflow 'top' calls this one, and must not come to an approval"
    assert problems_of(raised.value) == [{"nodeId": "ask", "reason": reason}]
    with pytest.raises(InvalidGraph):
        await update(store, account, "top", PUBLIC)


async def test_callers_that_take_another_version_or_are_drafts_do_not_matter(
    store: Store, account: Account
) -> None:
    await create(store, account, "bottom", greeting())
    await create(store, account, "fixed", calling("bottom", version=1), **PUBLIC)
    newer = parse_document({**calling("bottom").body("fixed"), **PUBLIC})
    await save_draft(*(store, account.id, "fixed", newer, None), markup=Decimal(1), checker=ANY_URL)
    await create(store, account, "sketch", calling("bottom"), draft=True, **PUBLIC)

    await update(store, account, "bottom", elements(asking()))

    assert (await store.workflows.get("bottom")).version == 2
    with pytest.raises(InvalidGraph):
        await publish_draft(store, account.id, "sketch", note=None, force=True, checker=ANY_URL)


async def test_drafts_tell_it_and_former_versions_do_not_come_back(
    store: Store, account: Account
) -> None:
    await create(store, account, "asks", asking())
    await update(store, account, "asks", {**elements(greeting()), **PUBLIC})
    document = parse_document({**asking().body("asks"), **PUBLIC})

    saved = await save_draft(
        *(store, account.id, "asks", document, None), markup=Decimal(1), checker=ANY_URL
    )
    with pytest.raises(InvalidGraph):
        await restore_version(store, account.id, "asks", 1, checker=ANY_URL)

    assert [each.reason for each in saved.check.problems] == [OWN]
