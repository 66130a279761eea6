"""Upgrade in place: a current version that cannot run becomes the draft of its workflow."""

import pytest

from engine.errors import WorkflowNotFound
from engine.graph.document import to_record
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.support.store.records import document, save

PROBLEM = {"nodeId": "t", "reason": "unfinished"}


async def save_as_before(
    store: Store, account: Account, *versions: str, public: bool = False
) -> None:
    """Leave a workflow as it was saved before drafts: `!` begins the text of one with problems."""
    await save(store, account)
    await store.workflows.delete(account.id, "echo")
    key = keyspace.workflow(account.id, "echo")
    await store.client.send("DEL", key, keyspace.stored_documents(account.id))
    await store.client.send("SADD", keyspace.account_workflows(account.id), "echo")
    fields = ["version", len(versions), "state", "live", "created", 5, "updated", 7]
    for number, text in enumerate(versions, 1):
        is_draft = text.startswith("!")
        record = to_record(document(text=text, public_playground=public)) | {"draft": is_draft}
        problems = [PROBLEM] if is_draft else []
        fields += [f"d{number}", pack({"document": record, "problems": problems})]
    await store.client.send("HSET", key, *fields)


async def test_the_newest_version_that_can_run_is_live_and_the_current_one_the_draft(
    store: Store, settings: Settings, account: Account
) -> None:
    await save_as_before(store, account, "one", "two", "!three", "!four")
    other = Store.open(settings)

    workflow, plan = await other.workflows.plan("echo")
    draft = await other.drafts.get(account.id, "echo")

    assert plan is not None
    assert (workflow.version, workflow.document) == (2, document(text="two"))
    assert (draft.revision, draft.based_on, draft.saved_at) == (1, 2, 7)
    assert (draft.document, draft.problems) == (document(text="!four"), (PROBLEM,))
    rows = (await other.versions.page(account.id, "echo", limit=9)).rows
    assert [row.version for row in rows] == [2, 1]
    await other.close()


async def test_no_number_of_a_version_is_given_again(store: Store, account: Account) -> None:
    await save_as_before(store, account, "one", "!two", "!three")
    await store.workflows.get("echo")

    saved = await store.workflows.update(account.id, "echo", document(text="next"), [], 1)

    assert saved.version == 4
    assert (await store.drafts.get(account.id, "echo")).based_on == 1


async def test_what_has_never_been_able_to_run_has_only_a_draft(
    store: Store, account: Account
) -> None:
    await save_as_before(store, account, "!one", "!two", public=True)
    await store.client.send("SADD", keyspace.public_forms(), "echo")

    workflow = await store.workflows.get("echo")

    assert (workflow.version, workflow.problems) == (0, (PROBLEM,))
    assert workflow.document == document(text="!two", public_playground=True)
    assert (await store.drafts.get(account.id, "echo")).based_on is None
    assert not await store.client.send("SISMEMBER", keyspace.public_forms(), "echo")


async def test_what_is_counted_is_what_is_stored(store: Store, account: Account) -> None:
    await save_as_before(store, account, "one", "!two", "!three")

    await store.workflows.get("echo")

    key = keyspace.workflow(account.id, "echo")
    sizes = [await store.client.send("HSTRLEN", key, name) for name in ("d1", "draft")]
    stored = keyspace.stored_documents(account.id)
    counted = await store.client.send("HMGET", stored, "bytes", "workflows")
    assert [int(each) for each in counted] == [sum(sizes), 1]


async def test_a_version_that_runs_is_still_there(store: Store, account: Account) -> None:
    await save_as_before(store, account, "one", "!two")

    await store.workflows.get("echo")

    assert (await store.workflows.plan_of(account.id, "echo", 1))[0].version == 1
    with pytest.raises(WorkflowNotFound):
        await store.workflows.plan_of(account.id, "echo", 2)
