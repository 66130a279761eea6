"""Facts of versions."""

import pytest

from engine.errors import InvalidCursor
from engine.store import Account, Store
from engine.store.workflows.version_facts import pack_facts, parse_facts
from tests.support.store.records import document


def test_facts_are_read_as_they_were_recorded() -> None:
    data = b"1700000000000:" + pack_facts("first: of many", "acc", document())

    facts = parse_facts(3, data, is_live=True)

    assert (facts.version, facts.note, facts.created_by) == (3, "first: of many", "acc")
    assert (facts.created_at, facts.node_count, facts.is_live) == (1700000000000, 2, True)


@pytest.mark.parametrize("cursor", ["", "0", "-3", "x", "1x"])
async def test_a_cursor_of_another_list_is_refused(
    store: Store, account: Account, cursor: str
) -> None:
    with pytest.raises(InvalidCursor):
        await store.versions.page(account.id, "echo", limit=1, cursor=cursor)
