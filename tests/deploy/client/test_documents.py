import pytest

from deploy.client.documents import StoreWorkflows
from deploy.client.workflows import push
from engine.errors import InvalidGraph
from engine.store import Account, Store
from tests.support.factories import http_fan
from tests.support.graphs.graph_checkers import ANY_URL, PUBLIC_URLS

INWARD = http_fan("http://10.0.0.1:9/", 1).body()


async def test_a_private_url_is_pushed_only_where_it_is_allowed(
    store: Store, account: Account
) -> None:
    with pytest.raises(InvalidGraph):
        await push(StoreWorkflows(store, account.id, PUBLIC_URLS), INWARD)
    saved = await push(StoreWorkflows(store, account.id, ANY_URL), INWARD)

    assert (saved["version"], saved["problems"]) == (1, [])


async def test_a_push_changes_what_the_file_says_and_ends_a_draft(
    store: Store, account: Account
) -> None:
    own = StoreWorkflows(store, account.id, PUBLIC_URLS)
    draft = {"name": "Hello", "description": "Greets.", "draft": True, "nodes": [], "edges": []}
    first = await push(own, draft)

    second = await push(own, {"name": "Hello", "nodes": [], "edges": [], "tags": ["a"]})

    document = await own.get("hello")
    assert (first["version"], first["draft"]) == (None, True)
    assert (second["version"], second["draft"]) == (1, False)
    assert (document["description"], document["tags"]) == ("Greets.", ("a",))
