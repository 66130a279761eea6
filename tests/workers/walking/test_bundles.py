"""Middling outputs that come while others are written are written together."""

import asyncio
from typing import cast

import pytest

from engine.errors import StorageFailed
from engine.store.asides import Asides, object_of, part_of
from tests.workers.claimed import CLAIMED
from workers.walking import bundles as bundling
from workers.walking.bundles import Bundles


class SlowAsides:
    """Stores when a test lets it, or fails."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.failures = 0
        self.objects: dict[str, bytes] = {}

    async def put(self, account_id: str, execution_id: str, name: str, data: bytes) -> None:
        assert (account_id, execution_id) == ("acc", "x")
        await self.opened.wait()
        if self.failures:
            self.failures -= 1
            raise StorageFailed
        self.objects[name] = data


@pytest.fixture
def asides() -> SlowAsides:
    return SlowAsides()


@pytest.fixture
def bundles(asides: SlowAsides) -> Bundles:
    return Bundles(cast(Asides, asides), CLAIMED)


async def putting(bundles: Bundles, count: int, seconds: float = 5) -> list[asyncio.Task[str]]:
    """Outputs on their way, the first of which has its turn."""
    tasks = [
        asyncio.create_task(bundles.put(index, b"%d" % index * 10, seconds))
        for index in range(count)
    ]
    await asyncio.sleep(0)
    return tasks


def value(asides: SlowAsides, name: str) -> bytes:
    return part_of(name, asides.objects[object_of(name)])


async def test_what_comes_while_one_is_written_is_written_together(
    asides: SlowAsides, bundles: Bundles
) -> None:
    tasks = await putting(bundles, 50)
    asides.opened.set()

    names = await asyncio.gather(*tasks)

    assert len(asides.objects) <= 2
    assert [value(asides, name) for name in names] == [b"%d" % n * 10 for n in range(50)]


async def test_an_object_has_a_bound(
    asides: SlowAsides, bundles: Bundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundling, "BUNDLE_BYTES", 35)
    tasks = await putting(bundles, 10)
    asides.opened.set()

    names = await asyncio.gather(*tasks)

    assert max(len(data) for data in asides.objects.values()) == 30
    assert [value(asides, name) for name in names] == [b"%d" % n * 10 for n in range(10)]


async def test_others_are_written_though_whoever_had_the_turn_is_cancelled(
    asides: SlowAsides, bundles: Bundles
) -> None:
    first, *others = await putting(bundles, 5)
    first.cancel()
    await asyncio.sleep(0)
    asides.opened.set()

    names = await asyncio.gather(*others)

    assert first.cancelled()
    assert not any(data.startswith(b"0") for data in asides.objects.values())
    assert [value(asides, name) for name in names] == [b"%d" % n * 10 for n in range(1, 5)]


async def test_what_cannot_be_stored_is_said_to_all_at_once_and_to_nobody_later(
    asides: SlowAsides, bundles: Bundles
) -> None:
    asides.failures = 2
    tasks = await putting(bundles, 5)
    asides.opened.set()

    failed = await asyncio.gather(*tasks, return_exceptions=True)
    later = await bundles.put(9, b"later", 5)

    assert [type(each) for each in failed] == [StorageFailed] * 5
    assert value(asides, later) == b"later"


async def test_what_was_given_up_is_not_written_later(asides: SlowAsides, bundles: Bundles) -> None:
    [first] = await putting(bundles, 1)
    with pytest.raises(StorageFailed):
        await bundles.put(1, b"late", 0.01)
    last = asyncio.create_task(bundles.put(2, b"last", 5))
    await asyncio.sleep(0)

    asides.opened.set()
    names = await asyncio.gather(first, last)

    assert [value(asides, name) for name in names] == [b"0" * 10, b"last"]
    assert not any(b"late" in data for data in asides.objects.values())


async def test_nobody_waits_longer_than_its_time(bundles: Bundles) -> None:
    tasks = await putting(bundles, 3, seconds=0.05)

    failed = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(each) for each in failed] == [StorageFailed] * 3
