import asyncio
import time
from collections.abc import Sequence

import pytest

from engine.access.capabilities import Tier
from engine.errors import ModelNotFound, VersionConflict, WorkflowNotFound
from engine.graph.document import Document, RecordValues, parse_document
from engine.graph.plan import NodeName
from engine.models.registry import use_models
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis import keyspace
from engine.store.workflows.list import WorkflowFilter
from tests.support.factories import Graph
from tests.support.manifests import model
from tests.support.store.records import NotAccepted, accept, document, save

PROBLEM = {"reason": "A workflow needs a Response Output"}


@pytest.fixture
async def other(store: Store) -> Account:
    return await store.accounts.create(email="eve@example.com", tier=Tier.PRO)


async def test_a_workflow_is_read_as_it_was_saved(store: Store, account: Account) -> None:
    saved = document("Résumé écho!", description="d", tags=("a", "b"), folder_id="f")

    workflow = await store.workflows.create(account.id, saved, [])

    assert (workflow.slug, workflow.version) == ("resume-echo", 1)
    assert await store.workflows.get("resume-echo") == workflow
    assert workflow.document == saved
    assert workflow.account_id == account.id
    assert workflow.created_at == workflow.updated_at


async def test_twenty_creations_of_one_name_get_twenty_slugs(
    settings: Settings, store: Store, account: Account, other: Account
) -> None:
    second = Store.open(settings)
    pairs = [(store, account), (second, other)] * 10

    created = await asyncio.gather(
        *(each.workflows.create(owner.id, document("Echo"), []) for each, owner in pairs)
    )

    expected = {"echo", *(f"echo-{number}" for number in range(2, 21))}
    assert {workflow.slug for workflow in created} == expected
    for workflow in created:
        assert (await store.workflows.get(workflow.slug)).account_id == workflow.account_id
    await second.close()


async def test_slugs_go_on_beyond_the_first_look(store: Store, account: Account) -> None:
    taken = [("echo", 1), *((f"echo-{number}", number) for number in range(2, 131))]
    for slug, _ in taken:
        await store.client.send("HSET", keyspace.slugs(), slug, "someone")

    workflow = await store.workflows.create(account.id, document("Echo"), [])

    assert workflow.slug == "echo-131"


async def test_a_name_that_ten_thousand_have_costs_no_long_search(
    store: Store, account: Account
) -> None:
    taken = [f"echo-{number}" for number in range(2, 10_001)]
    pairs = [word for slug in ("echo", *taken) for word in (slug, "someone")]
    await store.client.send("HSET", keyspace.slugs(), *pairs)
    began = time.monotonic()

    made = await asyncio.gather(
        *(store.workflows.create(account.id, document("Echo"), []) for _ in range(2))
    )

    assert time.monotonic() - began < 10
    assert {workflow.slug for workflow in made} == {"echo-10001", "echo-10002"}


async def test_a_long_name_keeps_its_number(store: Store, account: Account) -> None:
    slugs = [
        (await store.workflows.create(account.id, document("x" * 200), [])).slug for _ in range(12)
    ]

    assert len(set(slugs)) == 12
    assert all(len(slug) <= 64 for slug in slugs)
    assert slugs[-1].endswith("-12")


async def test_a_slug_is_never_given_again(store: Store, account: Account) -> None:
    first = await store.workflows.create(account.id, document("Echo"), [])
    await store.workflows.delete(account.id, first.slug)

    second = await store.workflows.create(account.id, document("Echo"), [])

    assert second.slug == "echo-2"


async def test_a_slug_that_a_refused_workflow_had_is_found_under_its_next_owner(
    settings: Settings, store: Store, account: Account, other: Account
) -> None:
    await store.client.send("HSETNX", keyspace.slugs(), "echo", account.id)
    for find in (store.workflows.get("echo"), store.workflows.own_plan(account.id, "echo")):
        with pytest.raises(WorkflowNotFound):
            await find
    await store.client.send("HDEL", keyspace.slugs(), "echo")
    second = Store.open(settings)

    await second.workflows.create(other.id, document("Echo"), [])

    assert [each.slug for each in await store.workflow_list.own(other.id)] == ["echo"]
    assert (await store.workflows.get("echo")).account_id == other.id
    await second.close()


async def test_every_save_makes_a_version_and_old_ones_stay(store: Store, account: Account) -> None:
    first = await store.workflows.create(account.id, document(text="one"), [])

    second = await store.workflows.update(account.id, first.slug, document(text="two"), [])

    assert (second.slug, second.version) == (first.slug, 2)
    assert second.created_at == first.created_at
    assert (await store.workflows.get(first.slug)).document == document(text="two")
    old, _ = await store.workflows.plan_of(account.id, first.slug, 1)
    assert old.document == document(text="one")


async def test_a_renamed_workflow_keeps_its_slug(store: Store, account: Account) -> None:
    first = await store.workflows.create(account.id, document("Echo"), [])

    second = await store.workflows.update(account.id, first.slug, document("Other"), [])

    assert second.slug == "echo"


async def test_an_expected_version_guards_against_lost_updates(
    store: Store, account: Account
) -> None:
    first = await store.workflows.create(account.id, document(), [])
    await store.workflows.update(account.id, first.slug, document(text="two"), [], 1)

    with pytest.raises(VersionConflict) as caught:
        await store.workflows.update(account.id, first.slug, document(text="three"), [], 1)

    assert caught.value.context == {"version": 2}
    assert (await store.workflows.get(first.slug)).document == document(text="two")


async def test_version_zero_is_a_conflict_and_creates_nothing(
    store: Store, account: Account
) -> None:
    first = await store.workflows.create(account.id, document(), [])

    with pytest.raises(VersionConflict):
        await store.workflows.update(account.id, first.slug, document(), [], 0)
    with pytest.raises(WorkflowNotFound):
        await store.workflows.update(account.id, "nothing", document(), [], 0)

    assert [workflow.slug for workflow in await store.workflow_list.own(account.id)] == ["echo"]


async def test_of_twenty_saves_of_one_version_one_wins(store: Store, account: Account) -> None:
    first = await store.workflows.create(account.id, document(), [])

    outcomes = await asyncio.gather(
        *(
            store.workflows.update(account.id, first.slug, document(text=str(i)), [], 1)
            for i in range(20)
        ),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, VersionConflict) for outcome in outcomes) == 19
    assert (await store.workflows.get(first.slug)).version == 2


async def test_a_foreign_workflow_can_neither_be_saved_nor_deleted(
    store: Store, account: Account, other: Account
) -> None:
    workflow = await store.workflows.create(account.id, document(is_template=True), [])

    with pytest.raises(WorkflowNotFound):
        await store.workflows.update(other.id, workflow.slug, document(text="evil"), [])
    with pytest.raises(WorkflowNotFound):
        await store.workflows.update(other.id, workflow.slug, document(text="evil"), [], 1)
    with pytest.raises(WorkflowNotFound):
        await store.workflows.delete(other.id, workflow.slug)

    assert await store.workflows.get(workflow.slug) == workflow
    (row,) = await store.workflow_list.templates_of_others(other.id)
    assert (row.slug, row.name) == (workflow.slug, workflow.document.name)


async def test_a_deleted_workflow_is_gone_but_its_documents_stay(
    store: Store, settings: Settings, account: Account
) -> None:
    workflow = await store.workflows.create(account.id, document(is_template=True), [])
    fresh = Store.open(settings)

    await store.workflows.delete(account.id, workflow.slug)

    for each in (store, fresh):
        with pytest.raises(WorkflowNotFound):
            await each.workflows.get(workflow.slug)
        with pytest.raises(WorkflowNotFound):
            await each.workflows.plan(workflow.slug)
        found, _ = await each.workflows.plan_of(account.id, workflow.slug, 1)
        assert found.document == workflow.document
    with pytest.raises(WorkflowNotFound):
        await store.workflows.delete(account.id, workflow.slug)
    with pytest.raises(WorkflowNotFound):
        await store.workflows.update(account.id, workflow.slug, document(), [])
    assert await store.workflow_list.own(account.id) == []
    assert await store.workflow_list.templates_of_others("acc_nobody") == []
    await store.versions.prune()
    assert await fresh.workflows.plan_of(account.id, workflow.slug, 1)
    await fresh.close()


async def test_documents_outlive_a_retention_of_nothing(redis_url: str) -> None:
    store = Store.open(Settings(redis_url=redis_url, retention_days=0))
    account = await store.accounts.create(email="a@example.com", tier=Tier.PRO)
    workflow, plan = await save(store, account)
    accepted = await accept(store, account, workflow, plan)

    await store.workflows.delete(account.id, workflow.slug)

    claimed = await store.walks.claim(keyspace.reference(account.id, accepted.id), "w1")
    other = Store.open(Settings(redis_url=redis_url))
    assert claimed is not None
    assert await other.workflows.plan_of(account.id, claimed.slug, claimed.version)
    await other.close()
    await store.close()


async def test_a_plan_is_kept_and_a_later_version_is_found_by_accepting(
    store: Store, settings: Settings, account: Account
) -> None:
    workflow = await store.workflows.create(account.id, document(text="one"), [])
    other = Store.open(settings)
    known, plan = await other.workflows.plan(workflow.slug)
    assert plan is not None
    assert (await other.workflows.plan(workflow.slug))[1] is plan
    await accept(other, account, known, plan)
    await store.workflows.update(account.id, workflow.slug, document(text="two"), [])

    old, old_plan = await other.workflows.plan(workflow.slug)
    assert old.version == 1
    assert old_plan is not None
    with pytest.raises(NotAccepted, match="StaleWorkflow"):
        await accept(other, account, old, old_plan)
    new, new_plan = await other.workflows.plan(workflow.slug, fresh=True)
    assert new_plan is not None
    await accept(other, account, new, new_plan)

    assert new.version == 2
    assert new.document == document(text="two")
    assert (await other.workflows.plan(workflow.slug))[0].version == 2
    await other.close()


async def test_a_deletion_elsewhere_is_found_by_accepting(
    store: Store, settings: Settings, account: Account
) -> None:
    other = Store.open(settings)
    workflow = await store.workflows.create(account.id, document(), [])
    known, plan = await other.workflows.plan(workflow.slug)
    assert plan is not None
    await store.workflows.delete(account.id, workflow.slug)

    with pytest.raises(WorkflowNotFound):
        await accept(other, account, known, plan)
    with pytest.raises(WorkflowNotFound):
        await other.workflows.plan(workflow.slug, fresh=True)
    await other.close()


async def test_a_draft_has_problems_and_no_plan(store: Store, account: Account) -> None:
    workflow = await store.workflows.create_draft(account.id, Document(name="Draft"), [PROBLEM])

    found, plan = await store.workflows.plan(workflow.slug, fresh=True)
    assert plan is None
    assert found.problems == (PROBLEM,)
    with pytest.raises(WorkflowNotFound):
        await store.workflows.plan_of(account.id, workflow.slug, 1)


async def test_a_graph_that_cannot_run_is_not_remembered_as_one_that_can(
    store: Store, account: Account
) -> None:
    broken = document(edges=[{"id": "e", "source": "t", "target": "no"}])
    workflow = await store.workflows.create(account.id, broken, [])

    for _ in range(2):
        found, plan = await store.workflows.plan(workflow.slug)
        assert plan is None
        assert [problem["edgeId"] for problem in found.problems] == ["e"]


async def test_a_model_that_changes_is_compiled_into_the_plans_that_have_it(
    store: Store, account: Account
) -> None:
    before, after = model("mine"), model("mine", tier="pro")
    graph = Graph().node("m", "customModel", model="mine", prompt="x").node("out", "responseOutput")
    saved = parse_document(graph.wire("m.text-out > out.result-in").body())

    with use_models([before]):
        workflow = await store.workflows.create(account.id, saved, [])
        first, again = [(await store.workflows.plan(workflow.slug))[1] for _ in range(2)]
    with use_models([after]):
        _, second = await store.workflows.plan_of(account.id, workflow.slug, 1)

    assert first is not None and first is again
    assert [plan.nodes[0].settings.model for plan in (first, second)] == [before, after]


async def test_a_workflow_whose_model_is_gone_runs_again_when_it_is_back(
    store: Store, account: Account
) -> None:
    mine = model("mine")
    graph = Graph().node("m", "customModel", model="mine", prompt="hello")
    graph.node("out", "responseOutput").wire("m.text-out > out.result-in")
    workflow = await store.workflows.create(account.id, parse_document(graph.body()), [])

    with use_models([]):
        found, plan = await store.workflows.plan(workflow.slug)
        assert plan is None
        assert found.problems == ({"reason": "There is no model 'mine' here", "nodeId": "m"},)
        with pytest.raises(WorkflowNotFound):
            await store.workflows.plan_of_execution(account.id, workflow.slug, 1, ["mine"])
        with pytest.raises(ModelNotFound):
            await store.workflows.plan_of_execution(account.id, "", 0, ["mine"])
        assert await lost(store, account, workflow.slug) == [("m", "There is no model 'mine' here")]
        assert await lost(store, account) == [("model", "There is no model 'mine' here any more")]
        gone = await names(store, account, workflow.slug), await names(store, account)
    with use_models([mine]):
        found, plan = await store.workflows.plan(workflow.slug)
        assert found.problems == ()
        assert plan is not None
        assert await store.workflows.plan_of_execution(account.id, "", 0, ["mine"])
        assert await lost(store, account, workflow.slug) == []
        assert gone == (await names(store, account, workflow.slug), await names(store, account))
        assert [name.id for name in gone[0]] == ["m", "out"]
        assert [name.type for name in gone[1]] == ["requestInput", "customModel", "responseOutput"]


async def lost(store: Store, account: Account, slug: str = "") -> Sequence[tuple[str, str]]:
    return await store.workflows.lost_models(account.id, slug, 1 if slug else 0, ["mine"])


async def names(store: Store, account: Account, slug: str = "") -> Sequence[NodeName]:
    return await store.workflows.node_names(account.id, slug, 1 if slug else 0, ["mine"])


async def test_a_plan_is_not_shown_to_another_account(
    store: Store, account: Account, other: Account
) -> None:
    workflow, _ = await save(store, account)

    with pytest.raises(WorkflowNotFound):
        await store.workflows.plan_of(other.id, workflow.slug, 1)
    with pytest.raises(WorkflowNotFound):
        await store.workflows.plan_of(account.id, workflow.slug, 7)


async def test_templates_are_listed_while_they_are_templates(
    store: Store, account: Account, other: Account
) -> None:
    mine = await store.workflows.create(account.id, document("Mine", is_template=True), [])
    theirs = await store.workflows.create(other.id, document("Theirs", is_template=True), [])
    await store.workflows.create(other.id, document("Private"), [])

    async def slugs(account_id: str) -> list[str]:
        return [each.slug for each in await store.workflow_list.templates_of_others(account_id)]

    assert set(await slugs("acc_nobody")) == {mine.slug, theirs.slug}
    assert await slugs(account.id) == [theirs.slug]

    await store.workflows.update(other.id, theirs.slug, document("Theirs"), [])
    assert await slugs("acc_nobody") == [mine.slug]


async def test_workflows_are_listed_last_changed_first(store: Store, account: Account) -> None:
    names = ["A", "B", "C"]
    slugs = [(await store.workflows.create(account.id, document(name), [])).slug for name in names]
    await asyncio.sleep(0.002)
    await store.workflows.update(account.id, slugs[0], document("A"), [])

    listed = await store.workflow_list.own(account.id)

    assert listed[0].slug == "a"
    assert {workflow.slug for workflow in listed} == set(slugs)
    assert await store.workflow_list.own("acc_nobody") == []


async def test_an_unknown_slug_is_not_found(store: Store) -> None:
    for slug in ("nothing", "", "*", "a" * 64):
        with pytest.raises(WorkflowNotFound):
            await store.workflows.get(slug)


async def test_no_more_plans_are_kept_than_are_useful(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.workflows.plan_cache.PLANS_KEPT", 4)
    slugs = [(await save(store, account, f"W{number}"))[0].slug for number in range(8)]

    plans = [await store.workflows.plan(slug) for slug in slugs * 2]

    assert all(plan is not None for _, plan in plans)


async def test_large_documents_take_no_more_memory_than_may_be(
    settings: Settings, store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.workflows.plan_cache.PLANS_BYTES", 10_000_000)
    small, _ = await save(store, account, "Small")
    body = document("Large", text="x" * 200_000)
    large = [(await store.workflows.create(account.id, body, [])).slug for _ in range(20)]
    other = Store.open(settings)

    for slug in large:
        await other.workflows.plan(slug)
        await other.workflows.plan(small.slug)

    plans = other.workflows.plans._plans
    assert plans.bytes <= 10_000_000
    assert 2 < len(plans) < 10
    assert (small.slug, 1) in plans
    for slug in large:
        assert (await other.workflows.plan(slug))[1] is not None
    await other.close()


async def test_owners_and_versions_of_a_few_workflows_are_kept_in_mind(
    settings: Settings, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.workflows.workflows.SLUGS_KEPT", 3)
    few = Store.open(settings)
    slugs = [(await save(few, account, f"W{number}"))[0].slug for number in range(8)]

    for slug in slugs:
        await few.workflows.own_plan(account.id, slug)

    assert (len(few.workflows._owners), len(few.workflows._current)) == (3, 3)
    for slug in slugs:
        assert (await few.workflows.own_plan(account.id, slug))[0].slug == slug
    await few.close()


async def test_a_draft_that_was_never_published_is_not_shared_by_a_restore(
    store: Store, account: Account, other: Account
) -> None:
    template = document("Idea", is_template=True, public_playground=True)
    draft = await store.workflows.create_draft(account.id, template, [])
    await store.workflows.delete(account.id, draft.slug)

    await store.workflows.restore(account.id, draft.slug)

    with pytest.raises(WorkflowNotFound):
        await store.workflows.get_readable(other.id, draft.slug)
    with pytest.raises(WorkflowNotFound):
        await store.workflows.get_public(draft.slug)
    assert await store.workflow_list.templates_of_others(other.id) == []
    assert (await store.workflows.get_readable(account.id, draft.slug)).slug == draft.slug


async def test_a_template_that_is_none_any_more_is_hidden_although_a_list_still_has_it(
    store: Store, account: Account, other: Account
) -> None:
    template = await store.workflows.create(account.id, document("Echo", is_template=True), [])
    await store.workflows.revise(template, document("Echo"))
    await store.client.send("SADD", keyspace.templates(), "echo")
    await store.client.send("ZADD", keyspace.templates_by_time(), 1, "echo")

    with pytest.raises(WorkflowNotFound):
        await store.workflows.get_readable(other.id, "echo")
    page = await store.workflow_list.page(other.id, WorkflowFilter(), limit=5)

    assert page.rows == await store.workflow_list.templates_of_others(other.id) == []


async def test_whether_values_are_recorded_is_known_whatever_another_process_saves(
    store: Store, settings: Settings, account: Account
) -> None:
    async def told(version: int | None = None, of: str = account.id) -> bool:
        return await store.workflows.records_values(of, "echo", version)

    stranger = await store.accounts.create(email="eve@example.com", tier=Tier.PRO)
    assert await told() is False
    await save(store, account)
    assert (await told(), await told(1), await told(2)) == (True, True, False)
    assert await told(of=stranger.id) is False

    other = Store.open(settings)
    unrecorded = document(record_values=RecordValues.NONE, public_playground=True)
    await other.workflows.update(account.id, "echo", unrecorded, [])
    assert (await told(), await told(1)) == (False, True)
    await other.workflows.update(account.id, "echo", document(public_playground=True), [])
    assert (await told(), await told(of=stranger.id)) == (True, True)
    await other.workflows.delete(account.id, "echo")
    assert (await told(), await told(1)) == (False, False)
    await other.close()
