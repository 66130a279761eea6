"""Queue of accounts: its bound, the share of each account, and their turns."""

import threading

from engine.telemetry.traces.account_queue import AccountQueue, AccountSpace


def test_items_of_accounts_come_in_turn() -> None:
    queue: AccountQueue[str] = AccountQueue(100)
    for name in ("a1", "a2", "a3", "b1", "c1", "c2"):
        queue.add(name[0], name)

    assert queue.take(4) == ["a1", "b1", "c1", "a2"]
    assert queue.take(10) == ["c2", "a3"]
    assert queue.take(10) == []
    assert len(queue) == 0


def test_an_account_alone_gets_half_and_others_find_space() -> None:
    queue: AccountQueue[int] = AccountQueue(100)

    greedy = sum(queue.add("greedy", number) for number in range(1_000))
    modest = sum(queue.add("modest", number) for number in range(20))

    assert greedy == 50
    assert modest == 20
    assert queue.take(4) == [0, 0, 1, 1]


def test_many_greedy_accounts_leave_space_for_one_more() -> None:
    queue: AccountQueue[int] = AccountQueue(100)
    for number in range(1_000):
        for account in range(9):
            queue.add(str(account), number)

    assert queue.add("late", 0)


def test_weights_count_and_an_item_is_taken_whole() -> None:
    queue: AccountQueue[str] = AccountQueue(10)

    assert queue.add("a", "five", 5)
    assert not queue.add("a", "more", 1)
    assert queue.add("b", "two", 2)
    assert len(queue) == 7
    assert queue.take(1) == ["five"]
    assert queue.add("a", "again", 4)
    assert not queue.add("c", "too heavy for a queue", 11)


def test_threads_add_and_take_without_losing_any() -> None:
    queue: AccountQueue[int] = AccountQueue(100_000)
    taken: list[int] = []

    def fill(account: str) -> None:
        for number in range(2_000):
            assert queue.add(account, number)

    def drain() -> None:
        while len(taken) < 8_000:
            taken.extend(queue.take(64))

    threads = [threading.Thread(target=fill, args=(str(each),)) for each in range(4)]
    threads.append(threading.Thread(target=drain))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(taken) == sorted(list(range(2_000)) * 4)
    assert len(queue) == 0


def test_places_are_left_to_others_and_are_free_again() -> None:
    space = AccountSpace(100)

    assert sum(space.take("greedy") for _ in range(1_000)) == 50
    assert sum(space.take("modest") for _ in range(20)) == 20
    assert not space.take("greedy")
    space.give_back("greedy", 50)
    space.give_back("modest", 20)
    assert sum(space.take("greedy") for _ in range(1_000)) == 50
