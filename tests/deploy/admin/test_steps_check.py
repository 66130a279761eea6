"""`headrace doctor` reports executions that do not go on at their time."""

from deploy.admin.steps_check import check_steps
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace


async def test_steps_in_the_future_are_well(store: Store) -> None:
    now = await store.leases.now()
    await store.client.send("ZADD", keyspace.due(3), now + 2_592_000_000, "acc/x")
    await store.client.send("ZADD", keyspace.due(4), now - 5_000, "acc/y")

    check = await check_steps(store)

    assert (check.name, check.is_well, check.seen) == (
        "steps",
        True,
        "no step waits after its time",
    )


async def test_a_step_that_nobody_takes_is_told_with_its_age(store: Store) -> None:
    now = await store.leases.now()
    await store.client.send("ZADD", keyspace.due(4), now - 3_600_000, "acc/y")

    check = await check_steps(store)

    assert not check.is_well
    assert check.seen.startswith("the oldest step has waited for 36")
    assert "Start a worker" in check.as_dict()["fix"]


async def test_a_store_out_of_reach_is_not_well() -> None:
    silent = Store.open(Settings(redis_url="unix:///nowhere/at/all.sock"))

    check = await check_steps(silent)

    assert not check.is_well
    assert "cannot be read" in check.seen
