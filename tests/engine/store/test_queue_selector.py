from engine.store.hints import BULK_QUEUE, WALK_QUEUE
from engine.store.queue_selector import BULK_FROM, MAX_KNOWN, QueueSelector


def test_an_account_that_has_much_under_way_waits_behind_others() -> None:
    load = QueueSelector()
    load.ask("a")
    load.answer("a", BULK_FROM + 1)

    assert load.ask("a") == BULK_QUEUE
    assert load.ask("b") == WALK_QUEUE


def test_what_was_heard_last_counts() -> None:
    load = QueueSelector()
    for active in (BULK_FROM + 1, 1):
        load.ask("a")
        load.answer("a", active)

    assert load.ask("a") == WALK_QUEUE


def test_many_at_once_are_noticed_before_the_first_reply() -> None:
    load = QueueSelector()

    queues = [load.ask("a") for _ in range(BULK_FROM + 3)]

    assert queues == [WALK_QUEUE] * BULK_FROM + [BULK_QUEUE] * 3


def test_calls_that_end_and_begin_again_do_not_add_up() -> None:
    load = QueueSelector()
    for _ in range(5):
        assert {load.ask("a") for _ in range(BULK_FROM)} == {WALK_QUEUE}
        for _ in range(BULK_FROM):
            load.answer("a", BULK_FROM)


def test_a_call_that_failed_says_nothing_of_what_is_under_way() -> None:
    load = QueueSelector()
    load.ask("a")
    load.answer("a", BULK_FROM + 1)
    load.ask("a")
    load.answer("a", None)

    assert load.ask("a") == BULK_QUEUE


def test_who_was_refused_is_known_until_something_is_accepted() -> None:
    load = QueueSelector()
    known = [load.was_refused("a")]
    for active in (1, None, 1):
        load.ask("a")
        load.answer("a", active)
        known.append(load.was_refused("a"))

    assert known == [False, False, True, False]
    assert not load.was_refused("b")


def test_who_was_refused_is_remembered_within_bounds() -> None:
    load = QueueSelector()
    for number in range(MAX_KNOWN + 100):
        load.ask(str(number))
        load.answer(str(number), None)

    assert len(load._refused) <= MAX_KNOWN + 1


def test_what_is_remembered_is_bounded() -> None:
    load = QueueSelector()
    for number in range(MAX_KNOWN + 100):
        load.ask(str(number))
        load.answer(str(number), 1)

    assert len(load._heard) <= MAX_KNOWN + 1
    assert load._asked == {}
