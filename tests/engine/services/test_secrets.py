"""Secrets in workflows: checks at save, and the workflows that use each."""

from decimal import Decimal
from typing import Any

import pytest

from engine.access.capabilities import Tier
from engine.errors import InvalidGraph
from engine.graph.document import parse_document
from engine.ids.partitions import partition_of
from engine.services.secrets import list_secrets
from engine.services.workflows.check_workflow import check_workflow
from engine.services.workflows.drafts import discard_draft, publish_draft, save_draft
from engine.services.workflows.publish import create_workflow, update_workflow
from engine.services.workflows.restore_version import restore_version
from engine.store import Account, Store
from engine.store.redis import keyspace
from tests.support.gateway.documents import edge, greeting, node
from tests.support.graphs.graph_checkers import ANY_URL


def calling(name: str = "TOKEN", **members: Any) -> dict[str, Any]:
    """A workflow that calls with a secret."""
    data = {"url": "https://a.example/", "auth": {"type": "bearer", "secret": name}}
    nodes = [node("call", "httpRequest", **data), node("out", "responseOutput")]
    edges = [edge("call", "response-out", "out", "result-in")]
    return {"name": "Calling", "nodes": nodes, "edges": edges, **members}


async def create(store: Store, account: Account, body: dict[str, Any]) -> str:
    return (await create_workflow(store, account.id, body, checker=ANY_URL)).slug


async def write_draft(store: Store, account: Account, slug: str, body: dict[str, Any]) -> None:
    document = parse_document(body)
    await save_draft(store, account.id, slug, document, None, markup=Decimal(1), checker=ANY_URL)


async def users(store: Store, account: Account) -> dict[str, list[str]]:
    return {secret.name: slugs for secret, slugs in await list_secrets(store, account.id)}


async def test_a_name_without_a_secret_is_refused_at_save(store: Store, account: Account) -> None:
    with pytest.raises(InvalidGraph) as caught:
        await create(store, account, calling())

    reason = "auth.secret: the account has no secret 'TOKEN'"
    assert caught.value.context["problems"] == [{"nodeId": "call", "reason": reason}]
    await store.secrets.save(account.id, "TOKEN", "a value")
    await create(store, account, calling())


async def test_a_secret_of_another_account_is_none(store: Store, account: Account) -> None:
    stranger = await store.accounts.create(email="o@example.org", tier=Tier.PRO)
    await store.secrets.save(stranger.id, "TOKEN", "a value")

    with pytest.raises(InvalidGraph):
        await create(store, account, calling())


async def test_a_check_tells_the_setting(store: Store, account: Account) -> None:
    call = calling()["nodes"][0]
    call["data"] |= {"url": "https://a.example/?k={{ secret.KEY }}", "method": "FLY"}

    check = await check_workflow(store, account.id, [call], [], markup=Decimal(1), checker=ANY_URL)

    found = [(each.field, each.node_id) for each in check.problems]
    assert found == [("method", "call"), ("auth.secret", "call"), ("url", "call")]


async def test_a_draft_is_saved_with_the_problem(store: Store, account: Account) -> None:
    slug = await create(store, account, greeting())

    await write_draft(store, account, slug, calling())

    draft = await store.drafts.get(account.id, slug)
    assert [each["nodeId"] for each in draft.problems] == ["call"]
    with pytest.raises(InvalidGraph):
        await publish_draft(store, account.id, slug, note=None, force=True, checker=ANY_URL)


async def test_a_version_whose_secret_is_gone_is_not_restored(
    store: Store, account: Account
) -> None:
    await store.secrets.save(account.id, "TOKEN", "a value")
    slug = await create(store, account, calling())
    await update_workflow(store, account.id, slug, greeting(), checker=ANY_URL)
    await store.secrets.delete(account.id, "TOKEN")

    with pytest.raises(InvalidGraph):
        await restore_version(store, account.id, slug, 1, checker=ANY_URL)


async def test_live_versions_and_drafts_use_secrets(store: Store, account: Account) -> None:
    for name in ("TOKEN", "OTHER", "UNUSED"):
        await store.secrets.save(account.id, name, "a value")
    first = await create(store, account, calling())
    second = await create(store, account, calling("OTHER"))
    sketch = await create(store, account, calling(draft=True))
    await create(store, account, greeting())
    await write_draft(store, account, first, calling("OTHER"))

    assert await users(store, account) == {
        "TOKEN": sorted([first, sketch]),
        "OTHER": sorted([first, second]),
        "UNUSED": [],
    }


async def test_a_use_ends_with_the_version_the_draft_or_the_workflow(
    store: Store, account: Account
) -> None:
    await store.secrets.save(account.id, "TOKEN", "a value")
    changed, drafted, deleted = [await create(store, account, calling()) for _ in range(3)]
    await update_workflow(store, account.id, changed, greeting(), checker=ANY_URL)
    await update_workflow(store, account.id, drafted, greeting(), checker=ANY_URL)
    await write_draft(store, account, drafted, calling())
    await store.workflows.delete(account.id, deleted)

    assert await users(store, account) == {"TOKEN": [drafted]}
    await discard_draft(store, account.id, drafted, None)
    await store.workflows.restore(account.id, deleted)
    assert await users(store, account) == {"TOKEN": [deleted]}


async def test_a_workflow_that_is_gone_for_good_is_looked_at_no_more(
    store: Store, account: Account
) -> None:
    await store.secrets.save(account.id, "TOKEN", "a value")
    slug = await create(store, account, calling())
    await store.workflows.delete(account.id, slug)
    await store.versions.prune()
    assert await store.secrets.possible_users(account.id) == [slug]

    await store.client.send("HSET", keyspace.workflow(account.id, slug), "deleted", 1)
    await store.client.send(
        "ZADD", keyspace.workflows_due(partition_of(account.id)), 1, f"{account.id}/{slug}"
    )
    await store.versions.prune()

    assert await store.secrets.possible_users(account.id) == []


async def test_a_host_that_a_secret_is_not_sent_to_is_refused_at_save(
    store: Store, account: Account
) -> None:
    hosts = ["b.example", "*.c.example"]
    await store.secrets.save(account.id, "TOKEN", "a long value", hosts=hosts)

    with pytest.raises(InvalidGraph) as caught:
        await create(store, account, calling())

    [problem] = caught.value.context["problems"]
    assert problem["nodeId"] == "call"
    assert problem["reason"] == (
        "auth.secret: the secret 'TOKEN' is not sent to a.example, which is none of its hosts"
    )
    await store.secrets.save(account.id, "TOKEN", "a long value", hosts=["a.example"])
    await create(store, account, calling())


async def test_the_host_is_known_beside_placeholders_in_the_path(
    store: Store, account: Account
) -> None:
    await store.secrets.save(account.id, "TOKEN", "a long value", hosts=["b.example"])
    document = calling()
    text = node("text", "textBox", text="x")
    call = document["nodes"][0]
    call["data"]["url"] = "https://a.example/{{ p }}?k={{ secret.TOKEN }}"
    document["nodes"].append(text)
    document["edges"].append(edge("text", "text-out", "call", "p"))

    with pytest.raises(InvalidGraph) as caught:
        await create(store, account, document)

    assert len(caught.value.context["problems"]) == 2
    call["data"]["url"] = "https://B.example/{{ p }}?k={{ secret.TOKEN }}"
    await create(store, account, document)
