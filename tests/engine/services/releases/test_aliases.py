"""Runs by aliases, and promotions."""

from dataclasses import replace
from typing import Any

import pytest

from engine.errors import (
    AliasNotFound,
    InvalidGraph,
    NoCanary,
    Unavailable,
    VersionNotFound,
    WorkflowNotFound,
)
from engine.executions.execution import Execution
from engine.ids.idempotency import IdempotencyKey
from engine.releases.aliases import LIVE, Canary
from engine.services.media import MediaService
from engine.services.releases import aliases
from engine.services.releases.aliases import (
    aliases_of,
    delete_alias,
    get_alias,
    promote_alias,
    set_alias,
)
from engine.services.runs.acceptance import Acceptance
from engine.services.runs.targets import SavedWorkflow
from engine.settings import Settings
from engine.store import Accepted, Account, NewRun, Store, Workflow
from engine.store.redis import keyspace
from engine.store.releases.keys import RELEASE
from tests.support.graphs.graph_checkers import ANY_URL
from tests.support.store.records import document


@pytest.fixture
async def workflow(store: Store, account: Account) -> Workflow:
    """Return an own workflow of two versions."""
    workflow = await store.workflows.create(account.id, document(name="Echo"), [])
    again = document(name="Echo", text="again")
    return await store.workflows.update(account.id, workflow.slug, again, [])


@pytest.fixture
def acceptance(settings: Settings, store: Store) -> Acceptance:
    return Acceptance(
        store=store, media_service=MediaService.from_settings(settings, store), allow_http=False
    )


async def run(
    acceptance: Acceptance,
    account: Account,
    version: int | str | None = None,
    idempotency_key: IdempotencyKey | None = None,
) -> Execution:
    store = acceptance.store
    terms = store.tiers.terms(account.tier, account.role)
    new = NewRun(
        account_id=account.id,
        terms=terms,
        source="api-workflow",
        key_id="",
        idempotency_key=idempotency_key,
    )
    accepted = await acceptance.accept(new, SavedWorkflow(store, "echo", version), {})
    assert isinstance(accepted, Accepted)
    return await store.executions.get(account.id, accepted.id)


async def release_of(store: Store, execution: Execution) -> str:
    key = keyspace.execution(execution.account_id, execution.id)
    return (await store.client.send("HGET", key, RELEASE) or b"").decode()


async def test_a_run_without_aliases_names_none(
    acceptance: Acceptance, account: Account, workflow: Workflow
) -> None:
    execution = await run(acceptance, account)

    assert (execution.workflow_version, execution.alias) == (2, None)


async def test_a_run_of_an_alias_has_its_version(
    acceptance: Acceptance, store: Store, account: Account, workflow: Workflow
) -> None:
    await set_alias(store, account.id, "echo", "stable", version=1, canary=None)

    execution = await run(acceptance, account, "stable")

    assert (execution.workflow_version, execution.alias) == (1, "stable")
    assert await release_of(store, execution) == ""


async def test_a_run_that_names_live_has_the_published_version(
    acceptance: Acceptance, account: Account, workflow: Workflow
) -> None:
    execution = await run(acceptance, account, LIVE)

    assert (execution.workflow_version, execution.alias) == (2, LIVE)


async def test_a_run_of_an_unknown_alias_is_refused(
    acceptance: Acceptance, account: Account, workflow: Workflow
) -> None:
    with pytest.raises(VersionNotFound):
        await run(acceptance, account, "stable")


async def test_an_alias_that_another_process_changes_counts_for_the_next_run(
    acceptance: Acceptance,
    store: Store,
    account: Account,
    workflow: Workflow,
    settings: Settings,
) -> None:
    other = Store.open(settings)
    await other.workflows.get("echo")  # the first command reads the schema
    await run(acceptance, account)
    versions = []

    for version in (1, 2, 1):
        await set_alias(other, account.id, "echo", "stable", version=version, canary=None)
        versions.append((await run(acceptance, account, "stable")).workflow_version)
    await delete_alias(other, account.id, "echo", "stable")

    with pytest.raises(VersionNotFound):
        await run(acceptance, account, "stable")
    assert versions == [1, 2, 1]
    await other.close()


async def test_a_canary_of_live_gets_its_share_of_runs_that_name_no_version(
    acceptance: Acceptance,
    store: Store,
    account: Account,
    workflow: Workflow,
    settings: Settings,
) -> None:
    await run(acceptance, account)
    other = Store.open(settings)
    await other.workflows.get("echo")  # the first command reads the schema
    rule = Canary(id="one", version=1, percent=50)
    await set_alias(other, account.id, "echo", LIVE, version=None, canary=rule)
    await other.close()

    executions = [await run(acceptance, account) for _ in range(40)]

    versions = [each.workflow_version for each in executions]
    assert 5 < versions.count(1) < 35
    assert {each.alias for each in executions} == {LIVE}
    sides = {
        (await release_of(store, each))[-2:] for each in executions if each.workflow_version == 1
    }
    assert sides == {":c"}


async def test_a_run_with_a_number_takes_no_part_in_a_canary(
    acceptance: Acceptance, store: Store, account: Account, workflow: Workflow
) -> None:
    rule = Canary(id="one", version=1, percent=99)
    await set_alias(store, account.id, "echo", LIVE, version=None, canary=rule)

    execution = await run(acceptance, account, 2)

    assert (execution.workflow_version, execution.alias) == (2, None)


async def test_runs_with_one_idempotency_key_have_one_version(
    acceptance: Acceptance, store: Store, account: Account, workflow: Workflow
) -> None:
    rule = Canary(id="one", version=1, percent=50)
    await set_alias(store, account.id, "echo", LIVE, version=None, canary=rule)
    target = SavedWorkflow(store, "echo")
    key = IdempotencyKey(digest="a" * 32, fingerprint="b")

    found = [
        await target.find(
            NewRun(account_id=account.id, source="s", key_id="", idempotency_key=key), fresh=False
        )
        for _ in range(8)
    ]

    assert len({each.workflow.version for each in found if each.workflow}) == 1


async def test_a_promoted_canary_is_live_under_its_number(
    acceptance: Acceptance,
    store: Store,
    account: Account,
    workflow: Workflow,
) -> None:
    rule = Canary(id="one", version=1, percent=5)
    await set_alias(store, account.id, "echo", LIVE, version=None, canary=rule)

    alias = await promote_alias(store, account.id, "echo", LIVE, checker=ANY_URL)

    assert (alias.name, alias.version, alias.canary) == (LIVE, 1, None)
    execution = await run(acceptance, account)
    assert (execution.workflow_version, execution.alias) == (1, None)
    live = await store.workflows.get("echo")
    assert (live.version, live.document) == (1, document(name="Echo"))
    assert (await store.workflows.update(account.id, "echo", live.document, [])).version == 3


async def test_a_promotion_makes_no_private_workflow_public(store: Store, account: Account) -> None:
    public = document(name="Echo", public_playground=True)
    await store.workflows.create(account.id, public, [])
    await store.workflows.update(account.id, "echo", document(name="Echo"), [])
    rule = Canary(id="one", version=1, percent=5)
    await set_alias(store, account.id, "echo", LIVE, version=None, canary=rule)

    await promote_alias(store, account.id, "echo", LIVE, checker=ANY_URL)

    assert not (await store.workflows.get("echo")).document.public_playground
    with pytest.raises(WorkflowNotFound):
        await store.workflows.get_public("echo")


async def test_a_workflow_made_private_during_a_promotion_stays_private(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = document(name="Echo", public_playground=True)
    await store.workflows.create(account.id, public, [])
    live = await store.workflows.update(account.id, "echo", replace(public, name="Again"), [])
    rule = Canary(id="one", version=1, percent=5)
    await set_alias(store, account.id, "echo", LIVE, version=None, canary=rule)
    check, private = aliases.check_document, replace(live.document, public_playground=False)

    async def check_as_it_is_made_private(*args: Any, **named: Any) -> None:
        await check(*args, **named)
        current = await store.workflows.get("echo")
        if current.document.public_playground:
            await store.workflows.revise(current, private)

    monkeypatch.setattr(aliases, "check_document", check_as_it_is_made_private)
    promoted = await promote_alias(store, account.id, "echo", LIVE, checker=ANY_URL)

    assert promoted.version == 1
    assert not (await store.workflows.get("echo")).document.public_playground
    with pytest.raises(WorkflowNotFound):
        await store.workflows.get_public("echo")


async def test_an_alias_without_a_canary_is_not_promoted(
    store: Store, account: Account, workflow: Workflow
) -> None:
    with pytest.raises(NoCanary):
        await promote_alias(store, account.id, "echo", LIVE, checker=ANY_URL)
    with pytest.raises(AliasNotFound):
        await promote_alias(store, account.id, "echo", "stable", checker=ANY_URL)


async def test_a_canary_that_cannot_run_any_more_is_not_published(
    store: Store, account: Account, workflow: Workflow
) -> None:
    broken = document(name="Echo", nodes=[{"id": "x", "type": "gone", "data": {}}], edges=[])
    await store.workflows.update(account.id, "echo", broken, [])
    await store.workflows.update(account.id, "echo", document(name="Echo"), [])
    rule = Canary(id="one", version=3, percent=5)
    await set_alias(store, account.id, "echo", LIVE, version=None, canary=rule)

    with pytest.raises(InvalidGraph):
        await promote_alias(store, account.id, "echo", LIVE, checker=ANY_URL)


async def test_aliases_are_listed_with_live_first(
    store: Store, account: Account, workflow: Workflow
) -> None:
    await set_alias(store, account.id, "echo", "beta", version=2, canary=None)
    await set_alias(store, account.id, "echo", "alpha", version=1, canary=None)

    listed = aliases_of(await store.workflows.get("echo"))

    assert [(each.name, each.version) for each in listed] == [(LIVE, 2), ("alpha", 1), ("beta", 2)]
    assert (await get_alias(store, account.id, "echo", "beta")).version == 2


async def test_no_alias_is_set_before_the_store_is_migrated(
    store: Store, account: Account, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.schema, "allows", lambda since: False)

    with pytest.raises(Unavailable, match="headrace migrate"):
        await set_alias(store, account.id, "echo", "stable", version=1, canary=None)
    with pytest.raises(Unavailable):
        await delete_alias(store, account.id, "echo", "stable")
    with pytest.raises(Unavailable):
        await promote_alias(store, account.id, "echo", LIVE, checker=ANY_URL)
