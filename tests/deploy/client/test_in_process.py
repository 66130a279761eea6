"""Calls of the gateway's application in this process, for an account or with a key."""

from pathlib import Path

import pytest

from deploy.client.callers import WorkflowCaller
from deploy.client.in_process import open_in_process
from deploy.client.workflows import AccountWorkflows, push
from deploy.output.problems import ApiRefused, CommandFailed
from deploy.stack.location import Stack
from engine.access.capabilities import Tier
from engine.errors import AccountNotFound
from engine.store import Account, Store, Workflow
from tests.deploy.client.conftest import OpenApi
from tests.support.factories import http_fan
from tests.support.media.files import png
from tests.support.store.records import document

INWARD = http_fan("http://10.0.0.1:9/", 1).body()


@pytest.fixture
async def workflow(store: Store, account: Account) -> Workflow:
    return await store.workflows.create(account.id, document(), [])


async def test_an_account_runs_its_workflow_and_is_told_of_unknown_inputs(
    store: Store, account: Account, workflow: Workflow, opened: OpenApi
) -> None:
    async with opened(account_id=account.id) as api:
        answer = await WorkflowCaller(api).start(workflow.slug, {"nam": "Bo"})

    execution = await store.executions.get(account.id, answer["executionId"])
    assert (execution.source, execution.workflow_slug) == ("api-workflow", workflow.slug)
    assert "'nam'" in answer["warnings"][0]


async def test_a_key_runs_only_workflows_that_it_names(
    store: Store, account: Account, workflow: Workflow, opened: OpenApi
) -> None:
    _, secret = await store.api_keys.create(
        account, name="one", capabilities=["workflow:other:run"]
    )

    async with opened(key=secret) as api:
        with pytest.raises(ApiRefused, match="lacks the capability"):
            await WorkflowCaller(api).start(workflow.slug, {})


async def test_a_key_of_an_account_whose_tier_has_sunk_runs_nothing(
    store: Store, account: Account, workflow: Workflow, api_key: str, opened: OpenApi
) -> None:
    await store.accounts.set_tier(account.id, Tier.FREE)

    async with opened(key=api_key) as api:
        with pytest.raises(ApiRefused, match="API"):
            await WorkflowCaller(api).start(workflow.slug, {})


async def test_an_account_that_is_not_approved_runs_nothing(store: Store, opened: OpenApi) -> None:
    waiting = await store.accounts.create(email="new@example.com", tier=Tier.PRO, approved=False)
    workflow = await store.workflows.create(waiting.id, document("Waiting"), [])

    async with opened(account_id=waiting.id) as api:
        with pytest.raises(ApiRefused, match="approved"):
            await WorkflowCaller(api).start(workflow.slug, {})


async def test_a_workflow_of_another_account_is_not_found(
    store: Store, workflow: Workflow, opened: OpenApi
) -> None:
    other = await store.accounts.create(email="other@example.com", tier=Tier.PRO)

    async with opened(account_id=other.id) as api:
        with pytest.raises(ApiRefused, match="Workflow not found"):
            await WorkflowCaller(api).start(workflow.slug, {})


async def test_there_is_no_account_of_that_name(opened: OpenApi) -> None:
    with pytest.raises(AccountNotFound):
        async with opened(account_id="acc_none"):
            raise AssertionError("opened")


async def test_events_come_while_the_execution_goes_on_and_the_reader_may_leave(
    store: Store, account: Account, workflow: Workflow, opened: OpenApi
) -> None:
    async with opened(account_id=account.id) as api:
        events = WorkflowCaller(api).watch(workflow.slug, {})
        first = await anext(events)
        await events.aclose()

        assert first.name == "execution.started"
        listed = await WorkflowCaller(api).executions(status="processing", slug=None, limit=5)
        assert [row["executionId"] for row in listed] == [first.data["executionId"]]
        with pytest.raises(ApiRefused, match="Execution not found"):
            await anext(WorkflowCaller(api).events("00000000-0000-4000-8000-000000000000", ""))


async def test_a_file_is_stored_as_an_asset(
    account: Account, opened: OpenApi, tmp_path: Path
) -> None:
    (tmp_path / "cat.png").write_bytes(png(4, 3))
    async with opened(account_id=account.id) as api:
        asset_id = await WorkflowCaller(api).upload(tmp_path / "cat.png")
        asset = await api.get(f"/api/assets/{asset_id}")

    assert (asset["contentType"], asset["width"]) == ("image/png", 4)


async def test_a_private_url_is_pushed_only_where_it_is_allowed(
    account: Account, opened: OpenApi
) -> None:
    async with opened(account_id=account.id, HEADRACE_ALLOW_PRIVATE_URLS="") as api:
        with pytest.raises(ApiRefused, match="problem"):
            await push(AccountWorkflows(api), INWARD)
    async with opened(account_id=account.id, HEADRACE_ALLOW_PRIVATE_URLS="1") as api:
        saved = await push(AccountWorkflows(api), INWARD)

    assert saved["version"] == 1


async def test_a_push_changes_what_the_file_says_and_ends_a_draft(own: AccountWorkflows) -> None:
    draft = {"name": "Hello", "description": "Greets.", "draft": True, "nodes": [], "edges": []}
    first = await push(own, draft)

    second = await push(own, {"name": "Hello", "nodes": [], "edges": [], "tags": ["a"]})

    document = await own.get("hello")
    assert (first["version"], first["draft"]) == (None, True)
    assert (second["version"], second["draft"]) == (1, False)
    assert (document["description"], document["tags"]) == ("Greets.", ["a"])


async def test_a_redis_that_is_away_is_told_before_anything_subscribes_to_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stack = Stack(data_dir=tmp_path, redis_url=f"unix://{tmp_path}/nowhere")

    with pytest.raises(CommandFailed, match="does not answer"):
        async with open_in_process(stack, "acc_1"):
            raise AssertionError("opened")

    assert not [record for record in caplog.records if "subscription" in record.message]
