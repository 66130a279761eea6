"""A gateway without the database that has the history."""

from uuid import uuid4

import httpx2
import pytest

from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.archive.state import ArchiverStates
from engine.store.redis import keyspace
from tests.support.eventually import eventually


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a gateway notice soon that it lacks the database."""
    monkeypatch.setattr("engine.history.database.own_database.LOOK_SECONDS", 0.02)
    monkeypatch.setattr("gateway.admission.readiness.HISTORY_SECONDS", 0.02)


@pytest.mark.F60
async def test_a_run_that_only_the_history_has_is_unavailable_and_not_unknown(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    forgotten = f"/api/executions/{uuid4()}"
    assert (await client.get(forgotten)).status_code == 404
    await ArchiverStates(store.client).claim_database("the history's")
    newest = keyspace.newest_forgotten(partition_of(account.id))
    await store.client.send("HSET", newest, account.id, await store.leases.now())

    answer = await client.get(forgotten)

    assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
    assert (await client.get("/api/executions")).status_code == 503

    async def readiness() -> object:
        return (await client.get("/readyz")).json()

    await eventually(readiness, {"status": "ready", "degraded": ["history"]}.__eq__)
