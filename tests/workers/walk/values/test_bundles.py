"""Medium-sized outputs that come during a write are written together."""

import asyncio
from typing import cast

import pytest

from engine.errors import StorageFailed
from engine.store.executions.offload import OffloadedValues, object_of, part_of
from tests.support.workers.claimed_execution import CLAIMED
from workers.walk.values import bundles as bundling
from workers.walk.values.bundles import OutputBundles


class SlowValues:
    """A store of values that waits for a test, or fails."""

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
def offloaded() -> SlowValues:
    return SlowValues()


@pytest.fixture
def output_bundles(offloaded: SlowValues) -> OutputBundles:
    return OutputBundles(cast(OffloadedValues, offloaded), CLAIMED)


async def putting(
    output_bundles: OutputBundles, count: int, seconds: float = 5
) -> list[asyncio.Task[str]]:
    """Start outputs, the first of which is being written."""
    tasks = [
        asyncio.create_task(output_bundles.put_output(index, b"%d" % index * 10, seconds))
        for index in range(count)
    ]
    await asyncio.sleep(0)
    return tasks


def value(offloaded: SlowValues, name: str) -> bytes:
    return part_of(name, offloaded.objects[object_of(name)])


async def test_outputs_that_come_during_a_write_are_written_together(
    offloaded: SlowValues, output_bundles: OutputBundles
) -> None:
    tasks = await putting(output_bundles, 50)
    offloaded.opened.set()

    names = await asyncio.gather(*tasks)

    assert len(offloaded.objects) <= 2
    assert [value(offloaded, name) for name in names] == [b"%d" % n * 10 for n in range(50)]


async def test_an_object_has_a_bound(
    offloaded: SlowValues, output_bundles: OutputBundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundling, "BUNDLE_BYTES", 35)
    tasks = await putting(output_bundles, 10)
    offloaded.opened.set()

    names = await asyncio.gather(*tasks)

    assert max(len(data) for data in offloaded.objects.values()) == 30
    assert [value(offloaded, name) for name in names] == [b"%d" % n * 10 for n in range(10)]


async def test_others_are_written_though_the_writer_is_cancelled(
    offloaded: SlowValues, output_bundles: OutputBundles
) -> None:
    first, *others = await putting(output_bundles, 5)
    first.cancel()
    await asyncio.sleep(0)
    offloaded.opened.set()

    names = await asyncio.gather(*others)

    assert first.cancelled()
    assert not any(data.startswith(b"0") for data in offloaded.objects.values())
    assert [value(offloaded, name) for name in names] == [b"%d" % n * 10 for n in range(1, 5)]


async def test_a_failed_write_fails_all_its_outputs_and_no_later_one(
    offloaded: SlowValues, output_bundles: OutputBundles
) -> None:
    offloaded.failures = 2
    tasks = await putting(output_bundles, 5)
    offloaded.opened.set()

    failed = await asyncio.gather(*tasks, return_exceptions=True)
    later = await output_bundles.put_output(9, b"later", 5)

    assert [type(each) for each in failed] == [StorageFailed] * 5
    assert value(offloaded, later) == b"later"


async def test_an_abandoned_output_is_not_written_later(
    offloaded: SlowValues, output_bundles: OutputBundles
) -> None:
    [first] = await putting(output_bundles, 1)
    with pytest.raises(StorageFailed):
        await output_bundles.put_output(1, b"late", 0.01)
    last = asyncio.create_task(output_bundles.put_output(2, b"last", 5))
    await asyncio.sleep(0)

    offloaded.opened.set()
    names = await asyncio.gather(first, last)

    assert [value(offloaded, name) for name in names] == [b"0" * 10, b"last"]
    assert not any(b"late" in data for data in offloaded.objects.values())


async def test_no_output_waits_longer_than_its_time(output_bundles: OutputBundles) -> None:
    tasks = await putting(output_bundles, 3, seconds=0.05)

    failed = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(each) for each in failed] == [StorageFailed] * 3
