"""A consumer of hints whose primary dies while it waits for one."""

import asyncio

import pytest
import redis

from engine.store.redis import connection, sentinels
from tests.support.eventually import eventually
from tests.support.redis.sentinel import running_group
from tests.support.workers.hint_broker_bench import KEY, Open


@pytest.mark.parametrize("pauses", [False, pytest.param(True, marks=pytest.mark.thorough)])
async def test_a_waiting_consumer_takes_hints_at_the_new_primary(
    pauses: bool, open_bench: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SILENCE_SECONDS", 1_000.0)
    monkeypatch.setattr(sentinels, "LOOK_SECONDS", 0.1)
    with running_group(1, 3) as group:
        old = group.primary()
        bench = await open_bench(group.address(), client_url=f"redis://127.0.0.1:{old.port}")
        bench.send("first")
        await bench.wait_for(1)

        (old.pause if pauses else old.kill)()
        new = await asyncio.to_thread(group.await_failover, old)
        await asyncio.to_thread(new.command, "RPUSH", KEY, "walk|second")

        await bench.wait_for(1)
        assert bench.taken == ["first", "second"]
        await bench.stop()


async def test_a_consumer_leaves_a_primary_that_is_demoted_while_it_waits(
    open_bench: Open,
) -> None:
    with running_group(1, 3) as group:
        old = group.primary()
        bench = await open_bench(group.address(), client_url=f"redis://127.0.0.1:{old.port}")
        bench.send("first")
        await bench.wait_for(1)

        async def is_handed_over() -> bool:
            try:
                await asyncio.to_thread(
                    group.sentinels[0].command, "SENTINEL", "FAILOVER", group.service
                )
            except redis.ResponseError:  # no replica is fit yet, or a failover goes on
                return False
            return True

        await eventually(is_handed_over)
        new = await asyncio.to_thread(group.await_failover, old)
        await asyncio.to_thread(new.command, "RPUSH", KEY, "walk|second")

        await bench.wait_for(1)
        await bench.stop()
