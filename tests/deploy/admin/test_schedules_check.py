"""`headrace doctor` reports schedules that no worker begins."""

from deploy.admin.schedules_check import check_schedules
from engine.settings import Settings
from engine.store import Account, Store
from tests.support.triggers.records import save_schedule


async def test_without_overdue_times_all_is_well(store: Store, account: Account) -> None:
    assert (await check_schedules(store)).is_well
    now = await store.leases.now()
    await save_schedule(store, account, next_at=now + 3_600_000)
    await save_schedule(store, account, next_at=now - 5_000)

    check = await check_schedules(store)

    assert (check.name, check.is_well, check.seen) == ("schedules", True, "no due time waits")


async def test_a_due_time_that_nobody_begins_is_told_with_its_age(
    store: Store, account: Account
) -> None:
    await save_schedule(store, account, next_at=await store.leases.now() - 3_600_000)

    check = await check_schedules(store)

    assert not check.is_well
    assert check.seen.startswith("the oldest due time has waited for 36")
    assert "Start a worker" in check.as_dict()["fix"]


async def test_a_store_out_of_reach_is_not_well() -> None:
    silent = Store.open(Settings(redis_url="unix:///nowhere/at/all.sock"))

    check = await check_schedules(silent)

    assert not check.is_well
    assert "cannot be read" in check.seen
