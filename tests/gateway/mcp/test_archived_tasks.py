"""Tasks that only the history has: the state and the result are those of before."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx2
import pytest

from engine.history.database.connections import Database
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis import keyspace
from tests.gateway.conftest import Gateway
from tests.support.gateway.documents import greeting
from tests.support.history.archived import History
from tests.support.mcp.task_client import Task, get_task, result_of, task_client
from workers.main import worker


@pytest.fixture
def settings(settings: Settings, database_url: str) -> Settings:
    return replace(settings, database_url=database_url)


@pytest.fixture
async def slug(settings: Settings, client: httpx2.AsyncClient) -> AsyncIterator[str]:
    saved = await client.post("/api/workflows", json=greeting())
    async with worker(settings):
        yield saved.json()["slug"]


async def test_a_task_is_the_same_once_it_has_left_redis(
    gateway: Gateway,
    slug: str,
    api_key: str,
    account: Account,
    store: Store,
    database: Database,
) -> None:
    async with task_client(gateway.url, api_key) as client:
        session = client.session
        task = await session.call_tool(
            slug, {"name": "Ada"}, allow_claimed=True, allow_input_required=True
        )
        assert isinstance(task, Task)
        await result_of(session, task)
        hot = await get_task(session, task.task_id)
        await History(store, database).move(keyspace.reference(account.id, task.task_id))
        archived = await get_task(session, task.task_id)

    assert await store.client.send("EXISTS", keyspace.execution(account.id, task.task_id)) == 0
    assert archived == hot
    assert archived.result is not None
    assert archived.result["structuredContent"] == {"text": "Hello Ada"}
