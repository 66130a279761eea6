"""Own actors whose primary dies."""

import asyncio
import contextlib

import dramatiq
import pytest
from dramatiq.errors import ConnectionClosed
from dramatiq.worker import Worker

from engine.store.redis.address import RedisAddress
from tests.support.eventually import eventually
from tests.support.redis.sentinel import running_group
from workers.runtime.messages import MessageBroker


@pytest.mark.thorough
async def test_own_actors_go_on_at_the_new_primary() -> None:
    with running_group(1, 3) as group:
        broker = MessageBroker(RedisAddress.parse(group.address()))
        received = set[str]()

        @dramatiq.actor(broker=broker)
        def note(text: str) -> None:
            received.add(text)

        worker = Worker(broker, worker_threads=1)
        await asyncio.to_thread(worker.start)
        try:
            await asyncio.to_thread(note.send, "first")
            await has_received(received, "first")
            old = await asyncio.to_thread(group.kill_primary)
            await asyncio.to_thread(group.await_failover, old)

            async def is_sent() -> bool:
                with contextlib.suppress(ConnectionClosed):
                    await asyncio.to_thread(note.send, "second")
                    return True
                return False

            assert await eventually(is_sent)
            await has_received(received, "second")
        finally:
            await asyncio.to_thread(worker.stop)
            broker.close()


async def has_received(received: set[str], text: str) -> None:
    async def is_there() -> bool:
        return text in received

    assert await eventually(is_there)
