"""Workflows that a graph calls: their interfaces, and why some cannot be called."""

import pytest

from engine.access.capabilities import Tier
from engine.errors.nodes import SettingFault
from engine.graph.document import parse_document
from engine.nodes.support.children import Callee, CalleeInterface
from engine.services.workflows import callees
from engine.services.workflows.callees import resolve_callees
from engine.settings import Settings
from engine.store import Account, Store
from tests.support.factories import Graph, greeting
from tests.support.graphs.nested import calling, each_row


async def save(store: Store, account: Account, name: str, graph: Graph) -> str:
    document = parse_document(graph.body(name))
    return (await store.workflows.create(account.id, document, [])).slug


async def publish(store: Store, account: Account, slug: str, graph: Graph) -> None:
    await store.workflows.update(account.id, slug, parse_document(graph.body(slug)), [])


async def fault_of(
    store: Store, account: Account, graph: Graph, slug: str | None = None
) -> SettingFault:
    (found,) = (await resolve_callees(store, account.id, graph.nodes, slug)).values()
    assert isinstance(found, SettingFault)
    return found


async def test_the_interface_is_that_of_the_live_version_or_of_the_one_by_number(
    store: Store, account: Account
) -> None:
    await save(store, account, "other", greeting())
    named = Graph("name").node("out", "responseOutput", fields=[{"name": "title"}])
    await publish(store, account, "other", named.wire("in.name > out.title"))
    graph = each_row(
        calling("other", field="row").node("b", "forEach", workflow="other", version=1)
    )

    found = await resolve_callees(store, account.id, graph.nodes)

    live, first = found[Callee("other")], found[Callee("other", 1)]
    assert isinstance(live, CalleeInterface) and isinstance(first, CalleeInterface)
    assert ([each.name for each in live.fields], live.outputs) == (["name"], ("title",))
    assert ([each.name for each in first.fields], first.outputs) == (["who"], ())


async def test_a_graph_without_calls_reads_nothing(store: Store, account: Account) -> None:
    assert await resolve_callees(store, account.id, greeting().nodes, "any") == {}


async def test_workflows_that_are_not_there_cannot_be_called(
    store: Store, account: Account
) -> None:
    stranger = await store.accounts.create(email="b@example.com", tier=Tier.PRO)
    await save(store, stranger, "foreign", greeting())
    await save(store, account, "gone", greeting())
    await store.workflows.delete(account.id, "gone")
    await save(store, account, "other", greeting())

    for slug in ("foreign", "gone", "never"):
        assert await fault_of(store, account, calling(slug)) == SettingFault(
            f"workflow: the account has no workflow '{slug}'", "workflow"
        )
    assert await fault_of(store, account, calling("other", version=2)) == SettingFault(
        "version: 'other' has no version 2", "version"
    )


async def test_a_version_of_a_deleted_workflow_cannot_be_called_though_its_plan_is_cached(
    store: Store, account: Account
) -> None:
    await save(store, account, "other", greeting())
    graph = calling("other", version=1)
    await resolve_callees(store, account.id, graph.nodes)
    await store.workflows.delete(account.id, "other")

    found = await fault_of(store, account, graph)

    assert found.reason == "workflow: the account has no workflow 'other'"


async def test_a_version_that_another_process_has_published_is_seen(
    store: Store, settings: Settings, account: Account
) -> None:
    await save(store, account, "other", greeting())
    await resolve_callees(store, account.id, calling("other").nodes)
    named = Graph("name").node("out", "responseOutput")
    another = Store.open(settings)
    await publish(another, account, "other", named)
    await another.close()

    found = (await resolve_callees(store, account.id, calling("other").nodes))[Callee("other")]

    assert isinstance(found, CalleeInterface)
    assert [field.name for field in found.fields] == ["name"]


async def test_a_workflow_without_a_live_version_cannot_be_called(
    store: Store, account: Account
) -> None:
    await store.workflows.create_draft(account.id, parse_document(greeting().body("other")), [])

    found = await fault_of(store, account, calling("other"))

    assert found.reason == "workflow: 'other' has no live version; publish it first"


async def test_a_workflow_that_cannot_run_cannot_be_called(store: Store, account: Account) -> None:
    broken = parse_document(Graph("who").node("h", "httpRequest").body("other"))
    await store.workflows.create(account.id, broken, [{"reason": "url is missing"}])

    found = await fault_of(store, account, calling("other"))

    assert found.reason == "workflow: 'other' has problems and cannot run"


@pytest.mark.A96c
@pytest.mark.A54
async def test_a_workflow_cannot_call_itself_over_any_number_of_steps(
    store: Store, account: Account
) -> None:
    await save(store, account, "a", greeting())
    assert await fault_of(store, account, calling("a"), "a") == SettingFault(
        "workflow: a workflow cannot call itself", "workflow"
    )
    await save(store, account, "c", each_row(calling("a", field="row", version=1)))
    await save(store, account, "b", calling("c"))

    found = await fault_of(store, account, calling("b"), "a")

    assert found == SettingFault(
        "workflow: 'b' leads back to this workflow: a → b → c → a", "workflow"
    )
    others = await resolve_callees(store, account.id, calling("b").nodes, "d")
    assert all(isinstance(each, CalleeInterface) for each in others.values())


async def test_a_loop_that_does_not_lead_here_is_read_once(store: Store, account: Account) -> None:
    await save(store, account, "a", greeting())
    await save(store, account, "b", calling("a"))
    await publish(store, account, "a", calling("b"))

    found = await resolve_callees(store, account.id, calling("a").nodes, "c")

    assert isinstance(found[Callee("a")], CalleeInterface)


@pytest.mark.A54
async def test_a_call_that_leads_to_too_many_workflows_is_refused(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callees, "MAX_REACHED", 2)
    await save(store, account, "a", greeting())
    for name, called in (("b", "a"), ("c", "b")):
        await save(store, account, name, calling(called))
    assert isinstance(
        (await resolve_callees(store, account.id, calling("b").nodes, "x"))[Callee("b")],
        CalleeInterface,
    )

    found = await fault_of(store, account, calling("c"), "x")

    assert found.reason == "workflow: it leads to more than 2 workflows"
