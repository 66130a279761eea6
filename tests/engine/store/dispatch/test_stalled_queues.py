"""Detection of queues that no worker reads."""

from engine.settings import Settings
from engine.store import Store
from engine.store.dispatch.hints import QUEUES
from engine.store.dispatch.stalled_queues import STALLED_SECONDS, StalledQueues

LATER = STALLED_SECONDS + 0.1


def test_a_first_hint_that_stays_is_one_that_nobody_takes() -> None:
    queues = StalledQueues()

    queues.observe({"walk": b"a", "bulk": b"x", "deliver": None}, 10)
    queues.observe({"walk": b"a", "bulk": b"y", "deliver": None}, 10 + LATER)

    assert queues.waiting() == ["walk", "bulk"]
    assert queues.stalled(10 + LATER) == ["walk"]
    assert queues.stalled(10 + STALLED_SECONDS) == []


def test_a_queue_that_moves_or_is_empty_is_not_stalled() -> None:
    queues = StalledQueues()

    for second in range(20):
        queues.observe({"walk": f"hint {second // 4}".encode()}, second)
        assert queues.stalled(second) == []
    queues.observe({"walk": None}, 20)
    queues.observe({"walk": b"hint 4"}, 20)

    assert queues.stalled(20 + STALLED_SECONDS) == []
    assert queues.stalled(20 + LATER) == ["walk"]


def test_after_a_look_that_failed_the_time_begins_anew() -> None:
    queues = StalledQueues()
    queues.observe({"walk": b"a"}, 0)

    queues.forget()
    queues.observe({"walk": b"a"}, LATER)

    assert queues.stalled(LATER) == []
    assert queues.stalled(2 * LATER) == ["walk"]


async def test_the_first_hints_are_read_where_the_queues_are(
    settings: Settings, store: Store
) -> None:
    assert await store.hints.heads() == dict.fromkeys(QUEUES)

    await store.hints.send(["acc/1", "acc/2"])
    await store.hints.send(["acc/3"], "bulk")
    await store.hints.send_deliveries(["acc/4"])

    assert await store.hints.heads() == {
        "walk": b"walk|acc/1",
        "bulk": b"walk|acc/3",
        "deliver": b"deliver|acc/4",
    }
