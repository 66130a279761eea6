"""Processes of an older version."""

from typing import Any

from engine.services.metrics.page import sum_page
from engine.services.metrics.publishing import GONE_SECONDS
from engine.services.old_processes import FAMILY, OldProcess, find_old_processes
from engine.store import Store
from engine.store.redis import process_keys
from engine.store.redis.installation import SCHEMA
from engine.store.redis.record_packing import pack
from engine.telemetry.metrics import VERSION, snapshot
from tests.support.workers.leases import beat


def of_before() -> list[Any]:
    """Return the samples of a process of release 0.1.0."""
    return [family for family in snapshot() if family[0] != FAMILY]


def of_schema(schema: int) -> list[Any]:
    labels = {"version": "0.1.7", "schema": str(schema)}
    return [*of_before(), [FAMILY, "gauge", "Processes.", [[FAMILY, labels, 1.0]]]]


async def test_processes_that_tell_the_newest_schema_are_not_old(store: Store) -> None:
    await store.snapshots.put("gateway-a", snapshot())
    await store.snapshots.put("worker", of_schema(SCHEMA + 1))
    await beat(store, "worker", 60_000)

    assert await find_old_processes(store) == []


async def test_old_gateways_and_workers_are_named_with_the_version_that_they_tell(
    store: Store,
) -> None:
    await store.snapshots.put("gateway-a", of_before())
    await store.snapshots.put("gateway-b", of_schema(SCHEMA - 1))
    await store.snapshots.put("worker-c", of_before())
    await beat(store, "worker-c", 60_000)
    await beat(store, "worker-d", 60_000)  # it has put no metrics yet

    assert await find_old_processes(store) == [
        OldProcess(name="gateway-a", version=""),
        OldProcess(name="gateway-b", version="0.1.7"),
        OldProcess(name="worker-c", version=""),
        OldProcess(name="worker-d", version=""),
    ]


async def test_processes_that_are_gone_do_not_count(store: Store) -> None:
    seconds, _ = await store.client.send("TIME")
    late = int(seconds) - GONE_SECONDS - 1
    stored = b"%d|1|" % late + pack(of_before())
    await store.client.send("HSET", process_keys.metrics(), "gateway-a", stored)
    await store.snapshots.put("gateway-b", of_before())
    await store.snapshots.retire(b"", of_before(), {"gateway-b": 1})
    await beat(store, "worker-c", -1_000)

    assert await find_old_processes(store) == []


async def test_the_page_of_metrics_counts_processes_by_version(store: Store) -> None:
    for name in ("gateway-a", "worker-b"):
        await store.snapshots.put(name, snapshot())

    page = await sum_page(store, "gateway-a")

    line = f'headrace_processes{{schema="{SCHEMA}",version="{VERSION}"}} 2.0'
    assert line in page.decode().splitlines()
