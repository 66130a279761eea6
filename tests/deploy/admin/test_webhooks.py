import pytest

from deploy.admin.webhooks import set_webhook
from engine.errors import InvalidWebhook, Unavailable
from engine.store import Account, Store
from engine.store.redis import keyspace
from engine.webhooks.events import ENDS, WAITING

URL = "https://example.org/hooks"


@pytest.fixture
async def key_id(store: Store, account: Account) -> str:
    key, _ = await store.api_keys.create(account, name="k", capabilities=["webhook:receive"])
    return key.id


async def test_the_command_names_events_and_gives_no_links(
    store: Store, account: Account, key_id: str
) -> None:
    await store.webhooks.save(account.id, key_id, url=URL, may_approve=True)

    saved = await set_webhook(store, key_id, URL, None, [WAITING])
    again = await set_webhook(store, key_id, URL, None)

    assert list(saved.events or ()) == [WAITING] == list(again.events or ())
    record = keyspace.webhook(account.id, key_id)
    assert await store.client.send("HGET", record, "may_approve") == b""
    with pytest.raises(InvalidWebhook):
        await set_webhook(store, key_id, URL, None, ["execution.left"])


async def test_further_events_need_the_schema(
    store: Store, key_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.schema, "allows", lambda number: number < 2)

    assert (await set_webhook(store, key_id, URL, None, ENDS)).url == URL
    with pytest.raises(Unavailable, match="headrace migrate"):
        await set_webhook(store, key_id, URL, None, [WAITING])
