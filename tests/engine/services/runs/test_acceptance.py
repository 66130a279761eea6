"""Acceptance of runs for the API and the command line."""

from dataclasses import replace
from typing import Any

import pytest

from engine.access.capabilities import Tier
from engine.errors import (
    InvalidInputs,
    Unavailable,
    VersionNotFound,
    WorkflowNotFound,
    WorkflowNotRunnable,
)
from engine.graph.document import Document
from engine.services.media import MediaService
from engine.services.runs.acceptance import MAX_STALE, Acceptance
from engine.services.runs.targets import Runnable, SavedWorkflow, find_workflow
from engine.settings import Settings
from engine.store import Accepted, Account, NewRun, Store, Workflow
from engine.store.redis import keyspace
from tests.support.store.records import edge


def greeting(**field: Any) -> Document:
    """Return a form with one field that becomes the result."""
    at = {"x": 0, "y": 0}
    fields = [{"name": "name", "label": "Name", "type": "text", **field}]
    nodes = [
        {"id": "form", "type": "requestInput", "position": at, "data": {"fields": fields}},
        {"id": "out", "type": "responseOutput", "position": at, "data": {}},
    ]
    return Document(name="Greeting", nodes=nodes, edges=[edge("form", "name", "out", "result-in")])


@pytest.fixture
async def workflow(store: Store, account: Account) -> Workflow:
    return await store.workflows.create(account.id, greeting(default="Ada"), [])


@pytest.fixture
def acceptance(settings: Settings, store: Store) -> Acceptance:
    return Acceptance(
        store=store, media_service=MediaService.from_settings(settings, store), allow_http=False
    )


def new_run(store: Store, account: Account) -> NewRun:
    return NewRun(
        account_id=account.id,
        execution_id="run-1",
        terms=store.tiers.terms(account.tier, account.role),
        source="api-workflow",
        key_id="",
    )


async def test_an_accepted_run_is_on_record_with_its_warnings(
    acceptance: Acceptance, store: Store, account: Account, workflow: Workflow
) -> None:
    target = SavedWorkflow(store, workflow.slug)

    accepted = await acceptance.accept(new_run(store, account), target, {"nam": "Bo"})

    execution = await store.executions.get(account.id, "run-1")
    assert (execution.workflow_slug, execution.workflow_version) == (workflow.slug, 1)
    assert isinstance(accepted, Accepted)
    assert execution.warnings == accepted.warnings
    assert "'nam'" in accepted.warnings[0]


@pytest.mark.parametrize(
    ("known", "saved"),
    [({"maxLength": 1}, {"maxLength": 9}), ({"default": "Ada"}, {"default": "Eve"})],
    ids=["whose known version refuses the inputs", "whose known version takes them"],
)
async def test_a_workflow_that_another_process_saved_runs_as_it_is_on_record(
    acceptance: Acceptance,
    store: Store,
    settings: Settings,
    account: Account,
    known: dict[str, Any],
    saved: dict[str, Any],
) -> None:
    workflow = await store.workflows.create(account.id, greeting(**known), [])
    target = SavedWorkflow(store, workflow.slug)
    await target.find(new_run(store, account), fresh=False)
    other = Store.open(settings)
    await other.workflows.update(account.id, workflow.slug, greeting(**saved), [])
    await other.close()

    await acceptance.accept(new_run(store, account), target, {"name": "Bo"})

    assert (await store.executions.get(account.id, "run-1")).workflow_version == 2


async def test_inputs_that_the_version_on_record_refuses_are_refused(
    acceptance: Acceptance, store: Store, account: Account, workflow: Workflow
) -> None:
    target = SavedWorkflow(store, workflow.slug)

    with pytest.raises(InvalidInputs):
        await acceptance.accept(new_run(store, account), target, {"name": 5})


async def test_a_workflow_that_is_saved_all_the_time_is_given_up(
    acceptance: Acceptance, store: Store, account: Account, workflow: Workflow
) -> None:
    found: list[Runnable] = []

    class SavedAgain(SavedWorkflow):
        async def find(self, run: NewRun, *, fresh: bool) -> Runnable:
            found.append(await super().find(run, fresh=fresh))
            await store.workflows.update(account.id, workflow.slug, greeting(), [])
            return found[-1]

    target = SavedAgain(store, workflow.slug)
    with pytest.raises(Unavailable):
        await acceptance.accept(new_run(store, account), target, {"name": "Bo"})

    assert len(found) == MAX_STALE


async def test_only_workflows_of_the_account_that_can_run_are_found(
    store: Store, account: Account, workflow: Workflow
) -> None:
    draft = await store.workflows.create_draft(
        account.id, replace(greeting(), name="Draft"), [{"reason": "unfinished"}]
    )

    with pytest.raises(WorkflowNotFound):
        await find_workflow(store, "acc_other", workflow.slug, fresh=True)
    with pytest.raises(WorkflowNotRunnable):
        await find_workflow(store, account.id, draft.slug, fresh=True)


async def test_a_named_version_runs_though_another_is_live(
    acceptance: Acceptance, store: Store, account: Account, workflow: Workflow
) -> None:
    await store.workflows.update(account.id, workflow.slug, greeting(required=True), [])
    target = SavedWorkflow(store, workflow.slug, version=1)

    await acceptance.accept(new_run(store, account), target, {})

    assert (await store.executions.get(account.id, "run-1")).workflow_version == 1


async def test_a_version_that_was_removed_while_it_was_known_is_not_run(
    acceptance: Acceptance, store: Store, account: Account, workflow: Workflow
) -> None:
    await store.workflows.update(account.id, workflow.slug, greeting(), [])
    target = SavedWorkflow(store, workflow.slug, version=1)
    await target.find(new_run(store, account), fresh=False)
    await store.client.send("HDEL", keyspace.workflow(account.id, workflow.slug), "d1")

    with pytest.raises(VersionNotFound):
        await acceptance.accept(new_run(store, account), target, {})


async def test_versions_of_other_accounts_are_not_found(
    store: Store, account: Account, workflow: Workflow
) -> None:
    other = await store.accounts.create(email="eve@example.org", tier=Tier.PRO)

    with pytest.raises(WorkflowNotFound):
        await find_workflow(store, other.id, workflow.slug, fresh=False, version=1)
