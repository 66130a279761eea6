"""`headrace doctor` reports hints that no worker takes."""

import asyncio

import pytest

from deploy.admin.queue_check import check_hints
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import process_keys


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.store.dispatch.stalled_queues.STALLED_SECONDS", 0.3)


async def test_empty_queues_are_well(store: Store) -> None:
    check = await check_hints(store)

    assert (check.name, check.is_well, check.seen) == (
        "hints",
        True,
        "none waits that no worker takes",
    )


async def test_hints_that_nobody_takes_are_told_with_their_queues(store: Store) -> None:
    await store.hints.send(["acc/1"], "bulk")
    await store.hints.send_deliveries(["acc/2"])

    check = await check_hints(store)

    assert not check.is_well
    assert check.seen == "wait in bulk, deliver, and no worker takes them"
    assert "HEADRACE_WORKER_SLOTS" in check.as_dict()["fix"]


async def test_a_long_queue_from_which_hints_are_taken_is_well(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.dispatch.stalled_queues.STALLED_SECONDS", 20)
    await store.hints.send(f"acc/{number}" for number in range(100))
    checking = asyncio.create_task(check_hints(store))

    while not checking.done():
        await store.client.send("LPOP", process_keys.hints("walk"))
        await asyncio.sleep(0.1)

    assert (await checking).is_well
    assert await store.client.send("LLEN", process_keys.hints("walk"))


async def test_queues_out_of_reach_are_not_well() -> None:
    silent = Store.open(Settings(redis_url="unix:///nowhere/at/all.sock"))

    check = await check_hints(silent)

    assert not check.is_well
    assert "cannot be read" in check.seen
    await silent.close()
