"""Drafts: one document beside the versions, guarded by its revision and counted in the quota."""

import asyncio
from dataclasses import replace

import pytest

from engine.access.capabilities import Tier
from engine.errors import DraftNotFound, QuotaExceeded, RevisionConflict, WorkflowNotFound
from engine.store import Account, Store
from engine.store.redis import keyspace
from tests.support.store.records import document, save

WRITES = 1_000
DRAFT_BYTES = 300_000
PROBLEM = {"nodeId": "t", "reason": "unfinished"}


async def counted(store: Store, account: Account) -> int:
    """Bytes of the account's documents as they are counted."""
    key = keyspace.stored_documents(account.id)
    return int(await store.client.send("HGET", key, "bytes") or 0)


async def test_a_draft_is_read_as_it_was_written(store: Store, account: Account) -> None:
    await save(store, account)

    written = await store.drafts.write(account.id, "echo", document(text="new"), [PROBLEM])

    assert (written.revision, written.based_on) == (1, 1)
    assert written.problems == (PROBLEM,)
    assert await store.drafts.get(account.id, "echo") == written


async def test_a_draft_makes_no_version_and_changes_no_plan(store: Store, account: Account) -> None:
    workflow, plan = await save(store, account)

    await store.drafts.write(account.id, "echo", document(text="new"), [])

    assert await store.workflows.get("echo") == workflow
    assert await store.workflows.plan("echo") == (workflow, plan)
    assert len((await store.versions.page(account.id, "echo", limit=10)).rows) == 1


async def test_a_draft_keeps_the_version_that_it_began_with(store: Store, account: Account) -> None:
    await save(store, account)
    await store.drafts.write(account.id, "echo", document(text="new"), [])
    await store.workflows.update(account.id, "echo", document(text="other"), [])

    behind = await store.drafts.write(account.id, "echo", document(text="newer"), [])
    await store.drafts.discard(account.id, "echo")
    anew = await store.drafts.write(account.id, "echo", document(text="newest"), [])

    assert (behind.revision, behind.based_on) == (2, 1)
    assert (anew.revision, anew.based_on) == (3, 2)


async def test_a_revision_is_never_given_twice(store: Store, account: Account) -> None:
    """An editor that was left open overwrites no draft that began after its own was discarded."""
    await save(store, account)
    left_open = await store.drafts.write(account.id, "echo", document(text="old"), [])
    await store.drafts.discard(account.id, "echo")
    await store.drafts.write(account.id, "echo", document(text="new"), [])

    with pytest.raises(RevisionConflict) as refused:
        await store.drafts.write(account.id, "echo", document(), [], {left_open.revision})

    assert refused.value.context == {"revision": 2}


@pytest.mark.parametrize(
    ("expected", "is_written"),
    [(None, True), ({1}, True), ({0}, False), ({2}, False), ({7, 1}, True), (set(), False)],
)
async def test_an_expected_revision_guards_a_draft(
    store: Store, account: Account, expected: set[int] | None, is_written: bool
) -> None:
    await save(store, account)
    await store.drafts.write(account.id, "echo", document(), [])

    if is_written:
        await store.drafts.write(account.id, "echo", document(text="new"), [], expected)
    else:
        with pytest.raises(RevisionConflict):
            await store.drafts.write(account.id, "echo", document(text="new"), [], expected)

    found = await store.drafts.get(account.id, "echo")
    assert found.revision == (2 if is_written else 1)


async def test_of_editors_that_begin_a_draft_together_one_does(
    store: Store, account: Account
) -> None:
    await save(store, account)

    writes = (store.drafts.write(account.id, "echo", document(), [], {0}) for _ in range(20))
    results = await asyncio.gather(*writes, return_exceptions=True)

    assert sum(isinstance(each, RevisionConflict) for each in results) == 19


async def test_a_draft_is_discarded_once_and_only_as_it_was_read(
    store: Store, account: Account
) -> None:
    await save(store, account)
    await store.drafts.write(account.id, "echo", document(), [])

    with pytest.raises(RevisionConflict):
        await store.drafts.discard(account.id, "echo", {2})
    await store.drafts.discard(account.id, "echo", {1})

    with pytest.raises(DraftNotFound):
        await store.drafts.get(account.id, "echo")
    with pytest.raises(DraftNotFound):
        await store.drafts.discard(account.id, "echo")


async def test_a_deleted_workflow_has_no_draft(store: Store, account: Account) -> None:
    await save(store, account)
    await store.drafts.write(account.id, "echo", document(), [])
    await store.workflows.delete(account.id, "echo")

    with pytest.raises(WorkflowNotFound):
        await store.drafts.get(account.id, "echo")
    with pytest.raises(WorkflowNotFound):
        await store.drafts.write(account.id, "echo", document(), [])
    with pytest.raises(WorkflowNotFound):
        await store.drafts.discard(account.id, "echo")


async def test_the_quota_counts_a_draft_once(store: Store, account: Account) -> None:
    await save(store, account)
    before = await counted(store, account)

    for text in ("x" * 9_000, "y" * 10_000):
        await store.drafts.write(account.id, "echo", document(text=text), [])
    during = await counted(store, account)
    await store.drafts.discard(account.id, "echo")

    assert 10_000 < during - before < 11_000
    assert await counted(store, account) == before


async def test_a_draft_that_the_tier_has_no_room_for_is_refused(
    store: Store, account: Account
) -> None:
    await save(store, account)
    terms = store.tiers.terms(Tier.PRO, account.role)
    stored, full = keyspace.stored_documents(account.id), terms.document_bytes or 0
    await store.drafts.write(account.id, "echo", document(text="xx"), [])
    await store.client.send("HSET", stored, "bytes", full)

    with pytest.raises(QuotaExceeded):
        await store.drafts.write(account.id, "echo", document(text="xxx"), [])
    smaller = await store.drafts.write(account.id, "echo", document(text="x"), [])

    assert smaller.revision == 2


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_writes_of_a_draft_leave_one_draft_and_no_memory_behind(
    store: Store, account: Account
) -> None:
    await save(store, account)
    large = document(text="x" * DRAFT_BYTES)
    await store.drafts.write(account.id, "echo", large, [])
    before = await used_memory(store)

    for number in range(WRITES):
        changed = replace(large, description=str(number))
        draft = await store.drafts.write(account.id, "echo", changed, [])

    assert draft.revision == WRITES + 1
    fields = await store.client.send("HKEYS", keyspace.workflow(account.id, "echo"))
    assert {name for name in fields if name[:1] == b"d" and b"_" not in name} == {b"draft", b"d1"}
    left = await used_memory(store) - before
    assert left < DRAFT_BYTES, left


async def used_memory(store: Store) -> int:
    """Bytes that Redis has allocated for data, without what connections take."""
    await store.client.send("PING")
    found = (await store.client.send("INFO", "memory")).decode()
    facts = dict(line.split(":", 1) for line in found.splitlines() if ":" in line)
    return int(facts["used_memory_dataset"])
