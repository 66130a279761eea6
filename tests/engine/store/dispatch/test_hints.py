import asyncio
import gc

import pytest
from msgspec.structs import replace

from engine.settings import Settings
from engine.store import Store
from engine.store.dispatch.hints import (
    BULK_QUEUE,
    InlineRun,
    UnknownHint,
    add_inline_run,
    make_hint,
    parse_hint,
    parse_inline_run,
)
from engine.store.redis import keyspace, process_keys
from tests.support.eventually import eventually


async def test_hints_wait_in_the_order_they_were_sent(store: Store) -> None:
    await store.hints.send(["acc/1", "acc/2"])
    store.hints.send_soon("acc/3")
    await eventually(store.hints.depth, lambda depth: depth == 3)

    hints = await store.client.send("LRANGE", process_keys.hints("walk"), 0, -1)

    assert [parse_hint(hint) for hint in hints] == [("walk", f"acc/{i}") for i in (1, 2, 3)]


async def test_the_depth_counts_hints_of_both_queues_and_no_deliveries(store: Store) -> None:
    await store.hints.send(["acc/1"])
    await store.hints.send(["acc/2", "acc/3"], BULK_QUEUE)
    await store.hints.send_deliveries(["acc/4"])

    assert await store.hints.depth() == 3


async def test_no_hints_cost_nothing(store: Store) -> None:
    await store.hints.send([])

    assert await store.hints.depth() == 0


async def test_a_full_redis_accepts_hints_of_recorded_work(store: Store) -> None:
    await store.client.send("CONFIG", "SET", "maxmemory", 1)

    store.hints.send_soon("acc/1")
    await store.hints.send(["acc/2", "acc/3"])

    hints = await store.client.send("LRANGE", process_keys.hints("walk"), 0, -1)
    assert hints == [b"walk|acc/2", b"walk|acc/3"]


async def test_any_number_of_hints_can_be_sent(store: Store) -> None:
    await store.hints.send(f"acc/{number}" for number in range(20_001))

    assert await store.hints.depth() == 20_001
    last = await store.client.send("LINDEX", process_keys.hints("walk"), -1)
    assert last == b"walk|acc/20000"


async def test_hints_may_live_in_another_database(redis_url: str) -> None:
    store = Store.open(Settings(redis_url=redis_url, queue_url=redis_url + "?db=5"))

    await store.hints.send(["acc/1"])

    assert await store.hints.depth() == 1
    assert await store.client.send("KEYS", "*") == [keyspace.installation().encode()]
    await store.close()


@pytest.mark.parametrize("data", [b"\x00", b"\x02walk|acc/1", b"\x1fanything\n\xff"])
def test_a_hint_of_a_later_version_begins_with_that_version(data: bytes) -> None:
    with pytest.raises(UnknownHint, match=f"a hint of version {data[0]}"):
        parse_hint(data)


@pytest.mark.parametrize("argument", ["acc/1", "", "a|b", "ü"])
def test_a_hint_parses_into_its_parts(argument: str) -> None:
    assert parse_hint(make_hint("walk", argument).encode()) == ("walk", argument)


@pytest.mark.parametrize("data", [b"", b"walk", b"\xff|x"])
def test_a_malformed_hint_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        parse_hint(data)


CARRIED = InlineRun(slug="echo-2", version=12, inputs=b"\x81|\n\xff")


@pytest.mark.parametrize("inputs", [b"", b"\x81|\n\xff", b"\n|" * 2_048])
def test_an_inlined_run_is_read_back(inputs: bytes) -> None:
    inline_run = replace(CARRIED, inputs=inputs)

    hint = add_inline_run(make_hint("walk", "acc/1"), inline_run)

    assert parse_hint(hint) == ("walk", "acc/1")
    assert parse_inline_run(hint) == inline_run


def test_a_hint_that_carries_nothing_says_so() -> None:
    assert parse_inline_run(make_hint("walk", "acc/1").encode()) is None


@pytest.mark.parametrize(
    "inline_run",
    [
        *(b"", b"1", b"1|echo", b"x|echo|", b"|echo|", b"-1|echo|", b"+1|echo|", b" 1|echo|"),
        *(b"1_0|echo|", b"1" * 5_000 + b"|echo|", b"1||", b"1|Echo|", b"1|../x|", b"1|\xff|"),
        b"1|echo|" + b"x" * 4_097,
    ],
)
def test_a_malformed_inlined_run_is_a_value_error(inline_run: bytes) -> None:
    with pytest.raises(ValueError):
        parse_inline_run(b"walk|acc/1\n" + inline_run)


async def test_a_look_at_the_queue_that_is_cancelled_leaves_nothing_behind(redis_url: str) -> None:
    unheard: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unheard.append(context["message"]))
    store = Store.open(Settings(redis_url=redis_url))
    looking = asyncio.create_task(store.hints.depth())
    await asyncio.sleep(0)

    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    await store.close()
    del looking
    gc.collect()
    await asyncio.sleep(0)

    loop.set_exception_handler(None)
    assert unheard == []
