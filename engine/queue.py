"""The hint broker: Dramatiq consumes disposable hints that it need not acknowledge.

An idle consumer blocks on the list instead of polling. A hint that is lost with a killed process
or with a lost reply is sent again by the sweeper, so there is nothing to acknowledge or to requeue
after a crash; the claim refuses doubles. The consumer never takes more than there are free slots.
"""

import contextlib
import threading
import time
from collections.abc import Iterable, Sequence
from queue import PriorityQueue
from typing import Any

import dramatiq
import redis
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.errors import ActorNotFound, ConnectionClosed, QueueNotFound
from dramatiq.worker import WorkerThread
from redis.backoff import NoBackoff
from redis.retry import Retry

from engine import keyspace
from engine.store.hints import BULK_QUEUE, make_hint, parse_carried, parse_hint

FETCHED_AT_ONCE = 64
BULK_AT_ONCE = 64
"""While that many executions compute, no further one of an account that has many is begun."""
BULK_BESIDE_OTHERS = 1
"""The same while others had executions begun a short while ago."""
OTHERS_SECONDS = 1.0
PATIENCE_SECONDS = 0.02
"""After this time one is begun all the same."""
BLOCK_SECONDS = 1.0
CLOSED_SECONDS = 0.05
"""How often a consumer without slots to come looks whether it is to stop."""
SILENCE_SECONDS = 5.0
"""A server that does not even answer that there is no hint is taken for gone."""


class Pace:
    """How many executions this process computes, rather than waits for, and whether for many."""

    def __init__(self) -> None:
        self._busy = 0
        self._others_until = 0.0
        self._lock = threading.Lock()
        self._quieter = threading.Condition(self._lock)
        self._is_awaited = False

    def begin(self) -> None:
        """An execution is taken up."""
        with self._lock:
            self._busy += 1

    def rest(self) -> None:
        """It needs no computing for now: it waits for others, or it is over."""
        with self._lock:
            self._busy -= 1
            if self._is_awaited:
                self._quieter.notify()

    def note_others(self) -> None:
        """There are executions of accounts that have few under way."""
        self._others_until = time.monotonic() + OTHERS_SECONDS

    def wait_quiet(self, timeout: float) -> int:
        """How many executions may be taken up beside what is computed, one at least.

        Waits up to `timeout` seconds while there is enough to compute.
        """
        with self._quieter:
            self._is_awaited = True
            self._quieter.wait_for(lambda: self._busy < self._at_once, timeout)
            self._is_awaited = False
            return max(1, self._at_once - self._busy)

    @property
    def _at_once(self) -> int:
        return BULK_BESIDE_OTHERS if time.monotonic() < self._others_until else BULK_AT_ONCE


class Slots:
    """How many executions this process may hold; taken by the consumer, freed by the walker."""

    def __init__(self, count: int) -> None:
        self.pace = Pace()
        self._free = count
        self._is_open = True
        self._condition = threading.Condition()

    @property
    def free(self) -> int:
        """Slots that are free now."""
        return self._free if self._is_open else 0

    def wait_free(self, timeout: float) -> int:
        """Free slots, after waiting up to `timeout` seconds for one."""
        with self._condition:
            was_open = self._is_open
            self._condition.wait_for(
                lambda: self.free > 0 or self._is_open is not was_open,
                timeout if was_open else min(timeout, CLOSED_SECONDS),
            )
            return self.free

    def take(self, count: int) -> None:
        """Take slots for hints that were fetched."""
        with self._condition:
            self._free -= count

    def release(self) -> None:
        """Give a slot back."""
        with self._condition:
            self._free += 1
            if self._free == 1:
                self._condition.notify_all()

    def close(self) -> None:
        """Take no more hints; who waits for a slot waits no longer."""
        with self._condition:
            self._is_open = False
            self._condition.notify_all()


class HintBroker(dramatiq.Broker):
    """A Dramatiq broker over lists of hints; `slots` bounds what a consumer takes."""

    def __init__(self, url: str, slots: Slots) -> None:
        super().__init__(middleware=[])
        self._url = url
        self._slots = slots
        self._client = _connect(url)
        self._consumers: dict[str, HintConsumer] = {}

    def unblock(self) -> None:
        """Let consumers that wait for a hint return at once, so that they can stop."""
        for consumer in list(self._consumers.values()):
            with contextlib.suppress(redis.RedisError):
                self._client.client_unblock(consumer.connection_id)

    def close(self) -> None:
        """Close the sending connection."""
        self._client.close()

    def declare_queue(self, queue_name: str) -> None:
        """Consume a queue; there is no delay queue, since due times live in the store."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 1000) -> "HintConsumer":
        """A consumer of the queue. Raises QueueNotFound when it was not declared."""
        if queue_name not in self.queues:
            raise QueueNotFound(queue_name)
        consumer = HintConsumer(self._url, queue_name, self._slots)
        self._consumers[queue_name] = consumer
        return consumer

    def enqueue(
        self, message: "dramatiq.Message[Any]", *, delay: int | None = None
    ) -> "dramatiq.Message[Any]":
        """Send a hint. Raises ValueError for a delay: due times live in the store."""
        if delay is not None:
            raise ValueError("hints have no delay")
        hint = make_hint(message.actor_name, str(message.args[0]))
        self._client.rpush(keyspace.hints(message.queue_name), hint)
        return message

    def get_actor(self, actor_name: str) -> "dramatiq.Actor[Any, Any]":
        """The actor of that name. Raises ActorNotFound."""
        try:
            return self.actors[actor_name]
        except KeyError:
            raise ActorNotFound(actor_name) from None

    def flush(self, queue_name: str) -> None:
        """Drop all hints of a queue; the sweeper sends those that matter again."""
        self._client.delete(keyspace.hints(queue_name))

    def flush_all(self) -> None:
        """Drop all hints."""
        for queue_name in self.queues:
            self.flush(queue_name)


class HintConsumer(Consumer):
    """Blocks on a list and hands out its hints as messages, as many as there are free slots."""

    def __init__(self, url: str, queue_name: str, slots: Slots) -> None:
        try:
            self._client = _connect(url, single_connection_client=True)
            self.connection_id = self._client.client_id()
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None
        self._queue_name = queue_name
        self._key = keyspace.hints(queue_name)
        self._slots = slots
        self._fetched: list[bytes] = []

    def __next__(self) -> MessageProxy | None:
        if not self._fetched:
            self._fetch()
        while self._fetched:
            message = self._make_message(self._fetched.pop())
            if message is not None:
                return message
        return None

    def _fetch(self) -> None:
        free = self._slots.wait_free(BLOCK_SECONDS)
        if free < 1:
            return
        count = min(free, self._at_once())
        try:
            reply = self._client.execute_command(
                "BLMPOP", BLOCK_SECONDS, 1, self._key, "LEFT", "COUNT", count
            )
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None
        if reply:
            self._fetched = reply[1][::-1]
            self._slots.take(len(self._fetched))
            if self._queue_name != BULK_QUEUE:
                self._slots.pace.note_others()

    def _at_once(self) -> int:
        is_bulk = self._queue_name == BULK_QUEUE
        return self._slots.pace.wait_quiet(PATIENCE_SECONDS) if is_bulk else FETCHED_AT_ONCE

    def _make_message(self, data: bytes) -> MessageProxy | None:
        try:
            actor, argument = parse_hint(data)
            carried = parse_carried(data)
        except (ValueError, UnicodeDecodeError):
            self._slots.release()
            return None
        return MessageProxy(
            dramatiq.Message(
                queue_name=self._queue_name,
                actor_name=actor,
                args=(argument,) if carried is None else (argument, carried),
                kwargs={},
                options={},
                message_id=argument,
                message_timestamp=0,
            )
        )

    def ack(self, message: MessageProxy) -> None:
        """Nothing to do: a hint is gone once fetched, and its slot is the walker's to free."""
        if not self._fetched:
            time.sleep(0)  # the walker's thread needs the interpreter now more than this one

    def nack(self, message: MessageProxy) -> None:
        """The actor did not take the hint: its slot is free; the sweeper sends it again."""
        self._slots.release()

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Send back the hints that a stopping worker has in memory. Raises ConnectionClosed."""
        self._send_back([make_hint(each.actor_name, each.args[0]) for each in messages])

    def close(self) -> None:
        """Send back what was fetched and not handed out, then close the connection."""
        fetched, self._fetched = self._fetched, []
        with contextlib.suppress(ConnectionClosed):  # the sweeper sends them again
            self._send_back(fetched)
        self._client.close()

    def _send_back(self, hints: Sequence[str | bytes]) -> None:
        try:
            if hints:
                self._client.rpush(self._key, *hints)
        except redis.RedisError as error:
            raise ConnectionClosed(error) from None


class HandingWorker(dramatiq.Worker):
    """A Dramatiq worker whose actors run in the thread that consumes their queue.

    Ours only hand a hint over and return, so threads of their own would add nothing but the time
    until they wake (a tenth of the time of a short run).
    """

    def __init__(self, broker: HintBroker) -> None:
        super().__init__(broker, worker_threads=0)
        self.work_queue = _NoQueue(self)


class _NoQueue(PriorityQueue[Any]):
    """Hands each message to its actor at once, so it is always empty."""

    def __init__(self, worker: HandingWorker) -> None:
        super().__init__()
        self._hands = WorkerThread(
            broker=worker.broker, consumers=worker.consumers, work_queue=self, worker_timeout=0
        )

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        self._hands.process_message(item.message)

    def task_done(self) -> None:
        """Nothing was ever queued."""


def _connect(url: str, **options: Any) -> "redis.Redis":
    return redis.Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=SILENCE_SECONDS,
        socket_connect_timeout=1,
        protocol=3,
        **options,
    )
