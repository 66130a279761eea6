"""Facts of versions: those that were recorded, and those of versions from before."""

import pytest

from engine.graph.document import to_record
from engine.store import Account, Store
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from engine.store.workflows.version_facts import facts_of_document, pack_facts, parse_facts
from tests.support.store.records import document, save


def test_facts_are_read_as_they_were_recorded() -> None:
    data = b"1700000000000:" + pack_facts("first: of many", "acc", document())

    facts = parse_facts(3, data, is_live=True)

    assert (facts.version, facts.note, facts.created_by) == (3, "first: of many", "acc")
    assert (facts.created_at, facts.node_count, facts.is_live) == (1700000000000, 2, True)


def test_a_draft_of_before_is_no_version() -> None:
    data = pack({"document": to_record(document()), "problems": [{"reason": "unfinished"}]})

    assert facts_of_document(1, data, "acc", is_live=False) is None


async def test_versions_without_facts_are_listed_with_what_is_known(
    store: Store, account: Account
) -> None:
    await save(store, account)
    await store.workflows.update(account.id, "echo", document(), [])
    await store.client.send("HDEL", keyspace.workflow(account.id, "echo"), "m1")

    newest, oldest = (await store.versions.page(account.id, "echo", limit=10)).rows

    assert newest.created_at is not None
    assert (oldest.version, oldest.note, oldest.created_at) == (1, None, None)
    assert (oldest.created_by, oldest.node_count, oldest.is_live) == (account.id, 2, False)


@pytest.mark.parametrize("cursor", ["", "0", "-3", "x", "1x"])
async def test_a_cursor_of_another_list_is_refused(
    store: Store, account: Account, cursor: str
) -> None:
    with pytest.raises(ValueError, match="cursor"):
        await store.versions.page(account.id, "echo", limit=1, cursor=cursor)
