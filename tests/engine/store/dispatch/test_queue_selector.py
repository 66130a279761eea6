from engine.store.dispatch.hints import BULK_QUEUE, WALK_QUEUE
from engine.store.dispatch.queue_selector import (
    BULK_FROM,
    MAX_KNOWN,
    REFUSED_UNTIL,
    QueueSelector,
)


def test_an_account_that_has_much_under_way_waits_behind_others() -> None:
    selector = QueueSelector()
    selector.select("a")
    selector.record("a", BULK_FROM + 1)

    assert selector.select("a") == BULK_QUEUE
    assert selector.select("b") == WALK_QUEUE


def test_the_last_reply_counts() -> None:
    selector = QueueSelector()
    for active in (BULK_FROM + 1, 1):
        selector.select("a")
        selector.record("a", active)

    assert selector.select("a") == WALK_QUEUE


def test_many_at_once_are_noticed_before_the_first_reply() -> None:
    selector = QueueSelector()

    queues = [selector.select("a") for _ in range(BULK_FROM + 3)]

    assert queues == [WALK_QUEUE] * BULK_FROM + [BULK_QUEUE] * 3


def test_calls_that_end_and_begin_again_do_not_add_up() -> None:
    selector = QueueSelector()
    for _ in range(5):
        assert {selector.select("a") for _ in range(BULK_FROM)} == {WALK_QUEUE}
        for _ in range(BULK_FROM):
            selector.record("a", BULK_FROM)


def test_a_failed_call_does_not_change_the_active_executions() -> None:
    selector = QueueSelector()
    selector.select("a")
    selector.record("a", BULK_FROM + 1)
    selector.select("a")
    selector.record("a", None)

    assert selector.select("a") == BULK_QUEUE


def test_a_refusal_is_remembered_until_many_acceptances_in_a_row() -> None:
    selector = QueueSelector()
    known = [selector.was_refused("a")]
    for active in (1, None, 1, None, *[1] * REFUSED_UNTIL):
        selector.select("a")
        selector.record("a", active)
        known.append(selector.was_refused("a"))

    assert known == [False, False, *[True] * (REFUSED_UNTIL + 2), False]
    assert not selector.was_refused("b")


def test_the_memory_of_refusals_is_bounded() -> None:
    selector = QueueSelector()
    for number in range(MAX_KNOWN + 100):
        selector.select(str(number))
        selector.record(str(number), None)

    assert len(selector._refused) <= MAX_KNOWN + 1


def test_the_cache_is_bounded() -> None:
    selector = QueueSelector()
    for number in range(MAX_KNOWN + 100):
        selector.select(str(number))
        selector.record(str(number), 1)

    assert len(selector._heard) <= MAX_KNOWN + 1
    assert selector._asked == {}
