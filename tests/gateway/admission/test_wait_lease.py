import time

import pytest

from engine.errors import Unavailable
from engine.store import Store
from engine.store.dispatch.gateway_leases import GatewayLeases
from gateway.admission.wait_lease import WaitLease
from tests.gateway.conftest import Gateway
from tests.support.eventually import eventually

CHANNEL = "hr:notifier:mine"


@pytest.fixture
def lease(store: Store) -> WaitLease:
    return WaitLease(store, CHANNEL, 3.0)


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> float:
    """Let so much time go by; return the time then."""
    then = time.perf_counter() + seconds
    monkeypatch.setattr("gateway.admission.wait_lease.time.perf_counter", lambda: then)
    return then


async def test_waits_are_covered_before_the_first_renewal(lease: WaitLease) -> None:
    assert lease.covers(time.perf_counter())


async def test_a_lease_ends_for_the_gateway_before_it_ends_for_sweepers(
    store: Store, lease: WaitLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.perf_counter()
    await lease.renew()
    (stored,) = await store.gateway_leases.all()
    covered = lease.covers(began)
    later(monkeypatch, 14.0)

    assert stored.ends_at - stored.renewed_at == 15_000
    assert (covered, lease.covers(began)) == (True, False)


async def test_an_interruption_ends_the_cover_of_earlier_waits_alone(
    lease: WaitLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.perf_counter()
    await lease.renew()
    now = later(monkeypatch, 20.0)

    await lease.renew()

    assert not lease.covers(began)
    assert not lease.covers(now - 0.001)
    assert lease.covers(now)


async def test_a_renewal_in_time_keeps_all_waits_covered(
    lease: WaitLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.perf_counter()
    for _ in range(4):
        await lease.renew()
        later(monkeypatch, 10.0)
        monkeypatch.undo()

    assert lease.covers(began)


async def test_a_first_renewal_whose_answer_is_lost_counts(
    lease: WaitLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise Unavailable

    monkeypatch.setattr(GatewayLeases, "renew", fail)
    began = time.perf_counter()
    with pytest.raises(Unavailable):
        await lease.renew()
    later(monkeypatch, 20.0)

    assert not lease.covers(began)


async def test_a_lease_with_a_wait_that_is_left_is_not_given_back(
    store: Store, lease: WaitLease
) -> None:
    await lease.renew()
    lease.is_kept = True
    await lease.resign()
    kept = await store.gateway_leases.all()
    lease.is_kept = False
    await lease.resign()

    assert len(kept) == 1
    assert await store.gateway_leases.all() == []


async def test_a_serving_gateway_has_a_lease_and_gives_it_back(
    store: Store, gateway: Gateway
) -> None:
    (lease,) = await eventually(store.gateway_leases.all)
    gateway.stopping.set()
    await gateway.ended

    assert lease.channel.startswith("hr:notifier:")
    assert await store.gateway_leases.all() == []
