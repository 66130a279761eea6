"""State of the installation in the browsers of admins."""

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.store import Store
from engine.store.archive.state import ArchiverStates
from engine.store.redis import keyspace, process_keys
from engine.telemetry import metrics
from tests.gateway.conftest import MakeBrowser
from tests.support.eventually import eventually

INSTALLATION = "/api/admin/installation"
WORKER = "host-7-1a2b3c"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a gateway notice soon that it lacks the database of the history."""
    monkeypatch.setattr("engine.history.database.own_database.LOOK_SECONDS", 0.02)


@pytest.fixture
async def admins(make_browser: MakeBrowser, store: Store) -> httpx2.AsyncClient:
    admin = await store.accounts.create(email="r@e.com", tier=Tier.ENTERPRISE, role=Role.ADMIN)
    return await make_browser(admin)


async def test_an_idle_installation_has_its_queues_and_nothing_degraded(
    admins: httpx2.AsyncClient,
) -> None:
    found = (await admins.get(INSTALLATION)).json()

    assert found["degraded"] == []
    assert found["queues"] == [
        {"name": name, "waiting": 0, "oldestAt": None} for name in ("walk", "bulk", "deliver")
    ]
    assert found["redis"]["usedBytes"] > 0
    assert (found["workers"], found["executionsDue"], found["deliveriesDue"]) == ([], 0, 0)
    assert found["history"]["problem"] is None


async def test_workers_are_shown_alive_and_dead_with_what_they_hold(
    admins: httpx2.AsyncClient, store: Store
) -> None:
    now = await store.leases.now()
    await store.client.send(
        "ZADD", process_keys.workers(), now + 60_000, WORKER, now - 1, "gone-8-x"
    )
    await store.client.send("HSET", keyspace.held(0, WORKER), "acc/1", "1:a", "acc/2", "1:b")
    metrics.EXECUTION_MEMORY.set_function(lambda: 4_096)
    await store.snapshots.put(WORKER, metrics.snapshot())
    metrics.EXECUTION_MEMORY.set_function(lambda: 0)

    dead, alive = (await admins.get(INSTALLATION)).json()["workers"]

    assert (alive["id"], alive["alive"], alive["executions"]) == (WORKER, True, 2)
    assert alive["memoryBytes"] == 4_096
    assert (dead["id"], dead["alive"], dead["executions"]) == ("gone-8-x", False, 0)
    assert dead["memoryBytes"] is None


@pytest.mark.parametrize("hint", [b"\x02walk|acc/1", b"walk|", b"nothing"])
async def test_a_queue_whose_first_hint_is_of_a_later_release_has_no_age(
    hint: bytes, admins: httpx2.AsyncClient, store: Store
) -> None:
    await store.client.send("RPUSH", process_keys.hints("walk"), hint)

    queues = (await admins.get(INSTALLATION)).json()["queues"]

    assert {"name": "walk", "waiting": 1, "oldestAt": None} in queues


async def test_a_queue_has_its_depth_and_the_age_of_its_first_execution(
    admins: httpx2.AsyncClient, store: Store
) -> None:
    first = str(uuid4())
    await store.client.send("HSET", keyspace.execution("acc", first), "created", 1_767_268_800_000)
    await store.hints.send([keyspace.reference("acc", first), keyspace.reference("acc", "gone")])

    [walk] = [
        each for each in (await admins.get(INSTALLATION)).json()["queues"] if each["name"] == "walk"
    ]

    assert walk == {"name": "walk", "waiting": 2, "oldestAt": "2026-01-01T12:00:00.000Z"}


async def test_a_history_that_cannot_archive_says_why(
    admins: httpx2.AsyncClient, store: Store
) -> None:
    states = ArchiverStates(store.client)
    await states.claim_database("another part has one")
    await states.write(seen_at=0, error="", refused=dict.fromkeys("abc", "why"))

    async def read() -> dict[str, Any]:
        found: dict[str, Any] = (await admins.get(INSTALLATION)).json()["history"]
        return found

    # Each process compares the databases at a pace of its own.
    history = await eventually(read, lambda found: "HEADRACE_DATABASE_URL" in found["problem"])
    assert (history["configured"], history["refused"]) == (False, 3)


async def test_where_counting_is_dear_the_workers_own_figures_are_shown(
    admins: httpx2.AsyncClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.services.installation_state.MOST_READS", 31)
    now = await store.leases.now()
    workers = (now + 60_000, WORKER, now + 60_000, "new-8-x")
    await store.client.send("ZADD", process_keys.workers(), *workers)
    await store.client.send("HSET", keyspace.held(0, "new-8-x"), "acc/1", "1:a")
    metrics.EXECUTIONS_HELD.set(7)
    await store.snapshots.put(WORKER, metrics.snapshot())
    metrics.EXECUTIONS_HELD.set(0)

    rows = (await admins.get(INSTALLATION)).json()["workers"]

    assert [(row["id"], row["executions"]) for row in rows] == [(WORKER, 7), ("new-8-x", 0)]
