from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.dispatch.gateway_leases import GatewayLease, WaitedExecution
from engine.store.redis import keyspace
from tests.support.store.ended import Ending

CHANNEL = "hr:notifier:one"


async def test_a_lease_covers_its_time_by_redis_own_clock(store: Store) -> None:
    before = await store.leases.now()
    await store.gateway_leases.renew(CHANNEL, 5_000)
    after = await store.leases.now()

    (lease,) = await store.gateway_leases.all()

    assert lease.channel == CHANNEL
    assert before <= lease.renewed_at <= after
    assert lease.ends_at == lease.renewed_at + 5_000
    assert [lease.covers(lease.renewed_at + each) for each in (0, 4_999, 5_000)] == [
        *(True, True, False)
    ]


def test_a_gateway_lives_after_the_clock_was_set_back_by_less_than_its_lease() -> None:
    lease = GatewayLease(CHANNEL, 100_000, 115_000)

    assert lease.covers(90_000)
    assert not lease.covers(85_000)


async def test_a_lease_that_was_given_back_is_gone(store: Store) -> None:
    await store.gateway_leases.renew(CHANNEL, 5_000)
    await store.gateway_leases.renew("hr:notifier:two", 5_000)

    await store.gateway_leases.resign(CHANNEL)

    assert [each.channel for each in await store.gateway_leases.all()] == ["hr:notifier:two"]


async def test_a_lease_that_was_renewed_is_not_removed(store: Store) -> None:
    await store.gateway_leases.renew(CHANNEL, 1)
    (old,) = await store.gateway_leases.all()
    await store.gateway_leases.renew(CHANNEL, 5_000)
    (new,) = await store.gateway_leases.all()

    assert await store.gateway_leases.remove(old) is False
    assert await store.gateway_leases.all() == [new]
    assert await store.gateway_leases.remove(new) is True
    assert await store.gateway_leases.all() == []


async def test_executions_with_a_waiting_caller_are_found_by_channel(
    store: Store, account: Account
) -> None:
    ending = await Ending.of(store, account)
    active = await ending.accept(notifier=CHANNEL, key_id="key_1")
    ended = await ending.completed(notifier="hr:notifier:two", key_id="")
    others = [await ending.accept(), await ending.accept(notifier="hr:notifier:three")]
    completed = (await store.executions.facts(*keyspace.parse_reference(ended))).completed_at

    found = await store.gateway_leases.waited(
        [active, ended, *others, f"{account.id}/gone"], {CHANNEL, "hr:notifier:two"}
    )

    names = [keyspace.parse_reference(each)[1] for each in (active, ended)]
    assert found == [
        WaitedExecution(account.id, names[0], "key_1", CHANNEL, None),
        WaitedExecution(account.id, names[1], "", "hr:notifier:two", completed),
    ]


async def test_unfinished_executions_are_read_by_account_in_pages(
    store: Store, account: Account
) -> None:
    ending = await Ending.of(store, account)
    begun = {await ending.accept() for _ in range(300)}
    await ending.completed()
    found: set[str] = set()
    cursor, pages = b"0", 0

    [(account_id, key)] = await store.gateway_leases.unfinished([account.id, "acc_other"])
    while pages == 0 or cursor != b"0":
        cursor, some = await store.gateway_leases.page(account_id, key, cursor, 50)
        found.update(some)
        pages += 1

    assert found == begun
    assert pages > 1


async def test_ended_executions_are_read_by_time_in_pages(store: Store, account: Account) -> None:
    ending = await Ending.of(store, account)
    ended = [await ending.completed() for _ in range(5)]
    times = [
        (await store.executions.facts(*keyspace.parse_reference(each))).completed_at or 0
        for each in ended
    ]
    place = partition_of(account.id)

    first = await store.gateway_leases.ended(place, times[0], 0, 3)
    second = await store.gateway_leases.ended(place, times[0], 3, 3)

    assert sorted([*first, *second]) == sorted(ended)
    assert await store.gateway_leases.ended(place, times[-1] + 1, 0, 3) == []
