"""How many lanes a process keeps."""

import math
from collections.abc import AsyncIterator

import pytest

from engine.models.limits import Limits
from engine.store import Store
from tests.eventually import eventually
from workers.models import Governor, governing
from workers.models.governing import Ticket
from workers.models.lane import Lane


@pytest.fixture
async def governor(
    store: Store, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Governor]:
    monkeypatch.setattr(governing, "LANES", 4)
    governor = Governor(store.governor, "one")
    async with governor.running(redis_url):
        yield governor


def ticket(number: int, **limits: int) -> Ticket:
    return Ticket(
        provider=f"host-{number}", label="hosts", limits=Limits(**limits), patience=math.inf
    )


async def all_idle(lanes: dict[str, Lane]) -> bool:
    return all(lane.is_like_new for lane in lanes.values())


async def test_lanes_whose_calls_have_ended_are_dropped(governor: Governor) -> None:
    for number in range(50):
        async with governor.turn(ticket(number, concurrency=1), "acc", 0, math.inf):
            pass
        await eventually(lambda: all_idle(governor.lanes))

    assert len(governor.lanes) <= 5


async def test_lanes_with_calls_and_those_that_have_learned_something_are_kept(
    governor: Governor,
) -> None:
    async with governor.turn(ticket(0), "acc", 0, math.inf) as turn:
        turn.told(200, {"x-ratelimit-limit-requests": "60"})
    async with governor.turn(ticket(1, concurrency=1), "acc", 0, math.inf):
        for number in range(2, 50):
            async with governor.turn(ticket(number, concurrency=1), "acc", 0, math.inf):
                pass
            await eventually(lambda: all_but_two_idle(governor.lanes))

        assert {"host-0", "host-1"} <= governor.lanes.keys()
        assert len(governor.lanes) <= 8


async def all_but_two_idle(lanes: dict[str, Lane]) -> bool:
    idle = [lane for name, lane in lanes.items() if name not in ("host-0", "host-1")]
    return all(lane.is_like_new for lane in idle)
