"""The loop of feeders: lists are fed in the background, again when asked, and accounts in turns."""

import asyncio
from collections.abc import Mapping

import pytest

from engine.errors import Unavailable
from workers.feeding.feeder import Feeder


class CountingFeeder(Feeder):
    """Feeds lists with so many lots each, and notes the order."""

    noun = "list"

    def __init__(self, lots: Mapping[str, int]) -> None:
        super().__init__()
        self.lots = dict(lots)
        self.begun: list[str] = []
        self.tokens: set[str] = set()
        self.at_once = self.most_at_once = 0
        self.gate = asyncio.Event()

    async def _feed_once(self, account_id: str, name: str, token: str) -> bool:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.tokens.add(token)
        await self.gate.wait()
        await asyncio.sleep(0)
        self.at_once -= 1
        self.begun.append(name)
        self.lots[name] -= 1
        if self.lots[name] < 0:
            raise Unavailable("Redis is away")
        return self.lots[name] > 0


async def test_a_list_is_fed_until_there_is_no_room_under_one_token() -> None:
    feeder = CountingFeeder({"one": 3})
    feeder.gate.set()

    await feeder.feed("account", "one")

    assert feeder.begun == ["one"] * 3
    assert len(feeder.tokens) == 1


async def test_a_feed_asked_for_meanwhile_comes_after_and_only_once() -> None:
    feeder = CountingFeeder({"one": 1})
    feeder.feed_soon("account", "one")
    await asyncio.sleep(0)
    for _ in range(3):
        feeder.feed_soon("account", "one")
    feeder.gate.set()
    for _ in range(100):
        await asyncio.sleep(0)
    await feeder.stop()

    assert feeder.begun == ["one"] * 2
    assert feeder.most_at_once == 1
    assert len(feeder.tokens) == 2


async def test_lists_of_an_account_leave_slots_to_others() -> None:
    feeder = CountingFeeder({**{f"many {i}": 1 for i in range(9)}, "other": 1})
    for name in feeder.lots:
        feeder.feed_soon("greedy" if name.startswith("many") else "modest", name)
    for _ in range(5):
        await asyncio.sleep(0)

    assert feeder.at_once == Feeder.feeds_of_account + 1
    feeder.gate.set()
    while any(feeder.lots.values()):
        await asyncio.sleep(0)
    assert feeder.begun.index("other") <= Feeder.feeds_of_account
    await feeder.stop()


async def test_a_feed_that_fails_is_logged_and_stops_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    feeder = CountingFeeder({"gone": 0, "one": 1})
    feeder.gate.set()

    feeder.feed_soon("account", "gone")
    feeder.feed_soon("account", "one")
    while feeder.lots["one"]:
        await asyncio.sleep(0)
    await feeder.stop()

    assert "cannot feed a list" in caplog.text


async def test_a_stopped_feeder_begins_nothing() -> None:
    feeder = CountingFeeder({"one": 1})
    feeder.gate.set()
    await feeder.stop()

    feeder.feed_soon("account", "one")
    await asyncio.sleep(0)
    await feeder.feed("account", "one")

    assert feeder.begun == []
