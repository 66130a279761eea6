"""Drafts are checked like saves, and saved with their problems."""

import pytest

from engine.errors import InvalidBody
from engine.graph.document import parse_document
from engine.services.drafts import save_draft
from engine.store import Account, Store
from tests.support.gateway.documents import broken, greeting
from tests.support.store.records import save


async def test_a_draft_is_saved_with_the_problems_of_its_graph(
    store: Store, account: Account
) -> None:
    await save(store, account)

    first = await save_draft(
        store, account.id, "echo", parse_document(broken()), None, allow_private=True
    )
    second = await save_draft(
        store, account.id, "echo", parse_document(greeting()), None, allow_private=True
    )

    assert len(first.problems) == 2
    assert second.problems == ()
    assert (await store.drafts.get(account.id, "echo")).problems == ()


async def test_a_cover_that_is_no_asset_of_the_account_is_refused(
    store: Store, account: Account
) -> None:
    await save(store, account)
    document = parse_document(greeting(cover="0" * 24))

    with pytest.raises(InvalidBody) as refused:
        await save_draft(store, account.id, "echo", document, None, allow_private=True)

    assert refused.value.context == {"field": "cover"}
