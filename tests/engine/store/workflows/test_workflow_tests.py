"""Tests of workflows: kept beside the workflow, bounded, and counted in the quota."""

import pytest

from engine.access.capabilities import Tier
from engine.errors import QuotaExceeded, Unavailable, WorkflowNotFound, WorkflowTestNotFound
from engine.store import Account, Store
from engine.store.redis import keyspace
from engine.store.workflows.versions import UNDO_MS
from engine.store.workflows.workflow_test_keys import workflow_tests
from engine.store.workflows.workflow_test_records import (
    DraftVerdict,
    Judge,
    LastResult,
    WorkflowTest,
)
from engine.store.workflows.workflow_tests import MOST_TESTS
from tests.support.store.records import save

GREETS = WorkflowTest(inputs={"name": "Ada"}, expect=('result == "Hello Ada"',))
JUDGED = WorkflowTest(
    inputs={"name": "Ada"},
    expect=("judge >= 4.0",),
    pinned={"m": {"text-out": "Hi"}},
    judge=Judge(workflow="rate", inputs={"text": "result"}),
)


async def counted(store: Store, account: Account) -> int:
    key = keyspace.stored_documents(account.id)
    return int(await store.client.send("HGET", key, "bytes") or 0)


async def test_tests_are_read_as_they_were_written(store: Store, account: Account) -> None:
    await save(store, account)

    revision = await store.workflow_tests.write(
        account.id, "echo", {"greets": GREETS, "judged": JUDGED}
    )

    saved, found = await store.workflow_tests.read(account.id, "echo")
    assert [(each.name, each.test, each.last) for each in saved] == [
        ("greets", GREETS, None),
        ("judged", JUDGED, None),
    ]
    assert revision == found == await store.workflow_tests.revision(account.id, "echo") == 1
    assert (await store.workflow_tests.get(account.id, "echo", "judged")).test == JUDGED


async def test_the_revision_grows_with_each_change_and_with_nothing_else(
    store: Store, account: Account
) -> None:
    await save(store, account)
    write, read = store.workflow_tests.write, store.workflow_tests.revision
    first = await write(account.id, "echo", {"greets": GREETS})

    same = await write(account.id, "echo", {"greets": GREETS})
    other = await write(account.id, "echo", {"greets": JUDGED})
    whole = await write(account.id, "echo", {"another": GREETS}, replaces=True)
    await store.workflow_tests.delete(account.id, "echo", "another")

    assert [first, same, other, whole, await read(account.id, "echo")] == [1, 1, 2, 3, 4]
    assert await store.workflow_tests.list(account.id, "echo") == []


async def test_their_bytes_count_until_they_are_gone(store: Store, account: Account) -> None:
    await save(store, account)
    before, size = await counted(store, account), len(GREETS.as_record())

    await store.workflow_tests.write(account.id, "echo", {"a": GREETS, "b": GREETS})
    two = await counted(store, account)
    await store.workflow_tests.delete(account.id, "echo", "a")
    one = await counted(store, account)
    await store.workflow_tests.write(account.id, "echo", {}, replaces=True)

    assert (two - before, one - before) == (2 * size, size)
    assert await counted(store, account) == before
    with pytest.raises(WorkflowTestNotFound):
        await store.workflow_tests.delete(account.id, "echo", "a")


async def test_a_workflow_has_at_most_200(store: Store, account: Account) -> None:
    await save(store, account)
    many = {f"t{number}": GREETS for number in range(MOST_TESTS)}
    await store.workflow_tests.write(account.id, "echo", many)

    with pytest.raises(QuotaExceeded) as refusal:
        await store.workflow_tests.write(account.id, "echo", {"one-more": GREETS})

    assert refusal.value.context == {"quota": "tests", "used": 200, "limit": 200}
    await store.workflow_tests.write(account.id, "echo", {"t7": JUDGED})
    await store.workflow_tests.write(account.id, "echo", {"one-more": GREETS}, replaces=True)


async def test_they_take_no_more_than_the_quota_of_documents(store: Store) -> None:
    owner = await store.accounts.create(email="o@example.com", tier=Tier.FREE)
    await save(store, owner)
    limit = store.tiers.by_tier[Tier.FREE].document_bytes
    assert limit is not None
    key = keyspace.stored_documents(owner.id)
    await store.client.send("HSET", key, "bytes", limit)

    with pytest.raises(QuotaExceeded) as refusal:
        await store.workflow_tests.write(owner.id, "echo", {"greets": GREETS})

    assert refusal.value.context["quota"] == "documentBytes"
    assert await store.workflow_tests.list(owner.id, "echo") == []


async def test_they_go_with_their_workflow(store: Store, account: Account) -> None:
    await save(store, account)
    await store.workflow_tests.write(account.id, "echo", {"greets": GREETS})
    await store.workflows.delete(account.id, "echo")
    with pytest.raises(WorkflowNotFound):
        await store.workflow_tests.write(account.id, "echo", {"other": GREETS})
    assert len(await store.workflow_tests.list(account.id, "echo")) == 1  # may be restored

    deleted = keyspace.workflow(account.id, "echo")
    since = int(await store.client.send("HGET", deleted, "deleted")) - UNDO_MS - 1
    await store.client.send("HSET", deleted, "deleted", since)
    await store.versions.prune()

    assert await store.client.send("EXISTS", workflow_tests(account.id, "echo")) == 0
    assert await counted(store, account) == 0


async def test_they_wait_for_the_new_schema_of_the_store(store: Store, account: Account) -> None:
    await save(store, account)
    store.guard.schema = 2

    assert await store.workflow_tests.write(account.id, "echo", {}, replaces=True) == 0
    with pytest.raises(Unavailable, match="headrace migrate"):
        await store.workflow_tests.write(account.id, "echo", {"greets": GREETS})


def result(verdict: str, at: int) -> LastResult:
    return LastResult(test_run_id=f"run-{at}", verdict=verdict, version=0, at=at)


async def test_the_result_of_the_run_that_began_last_stands(store: Store, account: Account) -> None:
    await save(store, account)
    await store.workflow_tests.write(account.id, "echo", {"greets": GREETS})
    second, first = result("failed", 2_000), result("passed", 1_000)

    for each in (second, first):
        verdict = DraftVerdict(
            at=each.at,
            draft_revision=3,
            tests_revision=1,
            failed=each.at // 2_000,
            total=1,
            test_run_id=each.test_run_id,
        )
        await store.workflow_tests.record_run(
            account.id, "echo", each.at, [("greets", GREETS, each)], verdict
        )

    assert (await store.workflow_tests.get(account.id, "echo", "greets")).last == second
    newest = await store.workflow_tests.draft_verdict(account.id, "echo")
    assert newest is not None
    assert (newest.test_run_id, newest.failed, newest.at) == ("run-2000", 1, 2_000)


async def test_a_test_that_was_changed_meanwhile_has_no_result(
    store: Store, account: Account
) -> None:
    await save(store, account)
    both = {"greets": GREETS, "kept": GREETS}
    await store.workflow_tests.write(account.id, "echo", both)
    await store.workflow_tests.write(account.id, "echo", {"greets": JUDGED})

    results = [(name, GREETS, result("passed", 1_000)) for name in (*both, "deleted")]
    await store.workflow_tests.record_run(account.id, "echo", 1_000, results)

    lasts = {each.name: each.last for each in await store.workflow_tests.list(account.id, "echo")}
    assert lasts == {"greets": None, "kept": result("passed", 1_000)}
    assert await store.workflow_tests.draft_verdict(account.id, "echo") is None
    await store.workflow_tests.write(account.id, "echo", {"kept": JUDGED})
    assert (await store.workflow_tests.get(account.id, "echo", "kept")).last is None
