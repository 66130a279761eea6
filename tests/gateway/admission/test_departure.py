"""The departure of a process, from the first signal to the stop."""

import asyncio
import time

import pytest

from engine.settings import Settings
from gateway.admission import departure as module
from gateway.admission.departure import Departure


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.2)
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)


async def seconds_until_quiet(departure: Departure, *, has_connections: bool = True) -> float:
    departure.begin()
    began = time.monotonic()
    await departure.wait_quiet(lambda: has_connections)
    return time.monotonic() - began


async def ask(departure: Departure, target: bytes) -> None:
    """Send a request every few milliseconds until cancelled."""
    while True:
        departure.note_request(target)
        await asyncio.sleep(0.02)


async def test_it_begins_with_the_first_signal_and_is_over_with_the_second() -> None:
    departure = Departure()
    assert not departure.is_begun

    departure.begin()
    assert departure.is_begun
    assert not departure.stopping.is_set()

    departure.begin()
    assert departure.stopping.is_set()


async def test_a_stop_without_a_signal_is_one_too() -> None:
    stopping = asyncio.Event()
    departure = Departure(stopping)

    stopping.set()

    assert departure.is_begun


async def test_without_connections_nobody_is_waited_for() -> None:
    assert await seconds_until_quiet(Departure(), has_connections=False) < 0.1


async def test_peers_have_gone_when_no_request_comes_for_a_while() -> None:
    assert 0.2 <= await seconds_until_quiet(Departure()) < 0.9


async def test_requests_that_never_cease_are_waited_for_up_to_a_limit() -> None:
    departure = Departure(most_seconds=1.0)
    asking = asyncio.create_task(ask(departure, b"/api/workflows/greeting/run"))

    assert await seconds_until_quiet(departure) >= 1.0
    asking.cancel()


async def test_a_short_drain_has_a_shorter_departure() -> None:
    departure = Departure.of(Settings(drain_seconds=0.4), None)
    asking = asyncio.create_task(ask(departure, b"/api/whoami"))

    assert await seconds_until_quiet(departure) < 0.9
    asking.cancel()


async def test_probes_alone_are_not_waited_for() -> None:
    departure = Departure()
    asking = asyncio.create_task(ask(departure, b"/readyz"))

    assert await seconds_until_quiet(departure) < 0.9
    asking.cancel()
