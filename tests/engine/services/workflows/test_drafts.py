"""Drafts are checked like saves, and saved with their problems."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from engine.errors import DraftNotFound, InvalidBody, InvalidGraph
from engine.graph.document import parse_document
from engine.models.registry import use_models
from engine.services.workflows.drafts import publish_draft, save_draft
from engine.store import Account, Draft, Drafts, Store, Workflow
from engine.store.redis import keyspace
from tests.support.factories import Graph
from tests.support.gateway.documents import broken, greeting
from tests.support.graphs.graph_checkers import ANY_URL
from tests.support.manifests import model
from tests.support.store.records import document, save

TERMS: Any = {"markup": Decimal(1), "checker": ANY_URL}


async def test_a_draft_is_saved_with_the_problems_of_its_graph(
    store: Store, account: Account
) -> None:
    await save(store, account)

    first = await save_draft(
        store,
        account.id,
        "echo",
        parse_document(broken()),
        None,
        markup=Decimal(1),
        checker=ANY_URL,
    )
    second = await save_draft(
        store,
        account.id,
        "echo",
        parse_document(greeting()),
        None,
        markup=Decimal(1),
        checker=ANY_URL,
    )

    assert len(first.draft.problems) == 2
    assert second.draft.problems == ()
    assert (await store.drafts.get(account.id, "echo")).problems == ()


async def test_a_cover_that_is_no_asset_of_the_account_is_refused(
    store: Store, account: Account
) -> None:
    await save(store, account)
    document = parse_document(greeting(cover="0" * 24))

    with pytest.raises(InvalidBody) as refused:
        await save_draft(store, account.id, "echo", document, None, **TERMS)

    assert refused.value.context == {"field": "cover"}


async def publish(store: Store, account: Account, *, force: bool = False) -> Workflow:
    return await publish_draft(store, account.id, "echo", note=None, force=force, checker=ANY_URL)


async def test_a_draft_that_is_written_meanwhile_is_published_as_it_is_then(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await save(store, account)
    await store.drafts.write(account.id, "echo", document(text="read"), [])
    read = type(store.drafts).get
    texts = iter(["written meanwhile"])

    async def read_late(self: Drafts, account_id: str, slug: str) -> Draft:
        draft = await read(self, account_id, slug)
        for text in texts:
            await store.drafts.write(account.id, "echo", document(text=text), [])
        return draft

    monkeypatch.setattr(type(store.drafts), "get", read_late)
    published = await publish(store, account)

    assert published.document == document(text="written meanwhile")
    assert published.version == 2


async def test_of_two_that_publish_one_draft_one_does(store: Store, account: Account) -> None:
    await save(store, account)
    await store.drafts.write(account.id, "echo", document(text="new"), [])

    results = await asyncio.gather(
        *(publish(store, account) for _ in range(5)), return_exceptions=True
    )

    assert sum(isinstance(each, Workflow) for each in results) == 1
    assert sum(isinstance(each, DraftNotFound) for each in results) == 4
    assert (await store.workflows.get("echo")).version == 2


async def test_problems_that_a_draft_has_by_now_are_found_when_it_is_published(
    store: Store, account: Account
) -> None:
    await save(store, account)
    graph = Graph().node("m", "customModel", model="mine", prompt="x").node("out", "responseOutput")
    body = graph.wire("m.text-out > out.result-in").body()
    with use_models([model("mine")]):
        saved = await save_draft(
            store,
            account.id,
            "echo",
            parse_document(body),
            None,
            markup=Decimal(1),
            checker=ANY_URL,
        )

    with use_models([]), pytest.raises(InvalidGraph):
        await publish(store, account, force=True)

    assert saved.draft.problems == ()
    assert (await store.workflows.get("echo")).version == 1


async def test_publishing_gives_back_what_the_draft_took(store: Store, account: Account) -> None:
    await save(store, account)
    key = keyspace.stored_documents(account.id)
    await store.drafts.write(account.id, "echo", document(text="new"), [])
    drafted = int(await store.client.send("HGET", key, "bytes"))

    await publish(store, account)

    workflow = keyspace.workflow(account.id, "echo")
    facts = await store.client.send("HSTRLEN", workflow, "m2")
    assert int(await store.client.send("HGET", key, "bytes")) - drafted == facts
