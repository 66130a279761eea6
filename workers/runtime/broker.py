"""The hint broker: Dramatiq's actors, fed with disposable hints that need no acknowledgement.

An idle consumer blocks on the list instead of polling. A hint that is lost with a killed process or
with a lost reply is sent again by the sweeper, so there is nothing to acknowledge or to requeue
after a crash; the claim refuses duplicates. The consumer never takes more than there are free
slots. Consumers are tasks of the event loop, and actors run on it, where the walks are that they
begin: waking threads and the loop would add a sixth to the time of a short run. Only the public
interface of Dramatiq is used: its Worker is made of threads.
"""

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import dramatiq
import hiredis
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.middleware import SkipMessage

from engine.errors import WrongStore
from engine.executions.retry import jittered
from engine.store.dispatch.hints import (
    BULK_QUEUE,
    UnknownHint,
    make_hint,
    parse_hint,
    parse_inline_run,
)
from engine.store.redis import process_keys
from engine.store.redis.address import RedisAddress
from engine.store.redis.connection import Connection, connect, pack
from engine.store.redis.installation import Guard
from engine.telemetry import metrics
from workers.runtime.limits import ConcurrencyLimit
from workers.runtime.list_broker import ListBroker

FETCH_BATCH = 8
"""Hints that are taken at once: a larger batch makes all of its callers wait for the last."""
BULK_WAIT_SECONDS = 0.02
"""After this wait one bulk execution is started all the same."""
BLOCK_SECONDS = 1.0
RESTART_SECONDS = 0.1
"""Pause of a consumer after an error; it doubles with each further one."""
MAX_RECONNECT_SECONDS = 0.5
"""Longest pause while Redis cannot be reached: after a failover hints must soon be taken again."""
MAX_RESTART_SECONDS = 30.0
"""Longest pause of a consumer that fails unexpectedly again and again."""
LOG_SECONDS = 5.0
"""Time between two lines on the same connection errors of a consumer."""

logger = logging.getLogger(__name__)


class HintBroker(ListBroker):
    """A Dramatiq broker over lists of hints; `slots` bounds the hints that a consumer takes.

    With a guard no hint is taken from a Redis without this installation's data.
    """

    def __init__(
        self, address: RedisAddress, slots: ConcurrencyLimit, guard: Guard | None = None
    ) -> None:
        super().__init__(address, middleware=())
        self.slots = slots
        self.guard = guard

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 1000) -> Consumer:
        """Return a consumer that is notified of processed messages. Raises QueueNotFound."""
        self.check_declared(queue_name)
        return _FetchedHint(self.slots)

    def enqueue(
        self, message: "dramatiq.Message[Any]", *, delay: int | None = None
    ) -> "dramatiq.Message[Any]":
        """Send a hint.

        Raises ValueError for a message that a hint cannot carry: with a delay, since due times live
        in the store, with options, or with arguments other than one line of text.
        """
        if delay is not None:
            raise ValueError("hints have no delay")
        hint = make_hint(message.actor_name, _only_argument(message))
        self._client.execute("RPUSH", process_keys.hints(message.queue_name), hint)
        return message

    def flush(self, queue_name: str) -> None:
        """Drop all hints of a queue; the sweeper sends those that matter again."""
        self._client.execute("DEL", process_keys.hints(queue_name))


class _FetchedHint(Consumer):
    """Consumer side of a fetched hint: it is gone from the list, and the walker frees its slot."""

    def __init__(self, slots: ConcurrencyLimit) -> None:
        self._slots = slots

    def ack(self, message: MessageProxy) -> None:
        """Do nothing."""

    def nack(self, message: MessageProxy) -> None:
        """Free the slot of a hint that its actor did not take; the sweeper sends it again."""
        self._slots.release_slot()


def call(broker: HintBroker, actor: str, args: tuple[Any, ...]) -> Any:
    """Call an actor's function. Raises ActorNotFound, and what the actor raises."""
    # Not the actor itself, which would log its arguments, and with them inputs of a run.
    return broker.get_actor(actor).fn(*args)


def log_failure(actor: str) -> None:
    """Log the current exception of an actor."""
    logger.exception("an actor failed", extra={"actor": actor})


def process(broker: HintBroker, consumer: Consumer, message: MessageProxy) -> None:
    """Call the actor of a message between the signals that middleware expects, if there is any.

    A message that is skipped, or whose actor fails, is rejected; the failure is logged.
    """
    try:
        broker.emit_before("process_message", message)
        result = None
        if not message.failed:
            result = call(broker, message.actor_name, message.args)
        broker.emit_after("process_message", message, result=result)
    except SkipMessage:
        message.fail()
        broker.emit_after("skip_message", message)
    except Exception as error:
        log_failure(message.actor_name)
        message.fail()
        broker.emit_after("process_message", message, exception=error)
    outcome = "nack" if message.failed else "ack"
    broker.emit_before(outcome, message)
    (consumer.nack if message.failed else consumer.ack)(message)
    broker.emit_after(outcome, message)


class HintConsumer:
    """A task that blocks on the list of a queue and takes as many hints as there are free slots."""

    def __init__(self, broker: HintBroker, queue_name: str) -> None:
        self.queue_name = queue_name
        self._broker = broker
        self._consumer = broker.consume(queue_name)
        self._slots = broker.slots
        self._key = process_keys.hints(queue_name)
        self._is_running = False
        self._failures = 0
        """Errors since the last request for hints that succeeded."""
        self._logged_at = 0.0
        self._blocked = 0
        """Id of the connection that waits for a hint, 0 for none."""
        self._connection_id = 0
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Consume until `end`; reconnects by itself."""
        self._is_running = True
        self._task = asyncio.create_task(self._consume(), name=f"consumer {self.queue_name}")

    async def end(self) -> None:
        """Stop taking hints and wait until that is so. Fetched hints are handled."""
        self._is_running = False
        if self._task is None:
            return
        if self._blocked:
            with contextlib.suppress(OSError, TimeoutError, hiredis.HiredisError):
                await self._unblock(self._blocked)
        else:
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _unblock(self, connection_id: int) -> None:
        # A connection that is just closed may take a hint with it.
        connection = await connect(self._broker.address, slot_key=self._key)
        try:
            await connection.request("CLIENT", "UNBLOCK", connection_id)
        finally:
            connection.abort()

    async def _consume(self) -> None:
        while self._is_running:
            try:
                await self._take_hints()
                continue
            except (OSError, TimeoutError, hiredis.HiredisError, WrongStore) as error:
                # Any error reply counts: a demoted primary says READONLY until others are found.
                self._log_connection_error(error)
                longest = MAX_RECONNECT_SECONDS
            except Exception as error:
                self._log(logging.ERROR, "unexpected error", error)
                longest = MAX_RESTART_SECONDS
            pause = min(RESTART_SECONDS * 2.0 ** min(self._failures, 16), longest)
            self._failures += 1
            if self._is_running:
                await asyncio.sleep(jittered(pause))

    def _log_connection_error(self, error: Exception) -> None:
        """Log the first of several errors, and one every few seconds."""
        now = time.monotonic()
        if self._failures == 0 or now >= self._logged_at + LOG_SECONDS:
            self._logged_at = now
            self._log(logging.WARNING, "connection error", error)

    def _log(self, level: int, kind: str, error: Exception) -> None:
        logger.log(
            level,
            "a consumer of hints met a %s",
            kind,
            exc_info=error if level >= logging.ERROR else None,
            extra={"queue": self.queue_name, "reason": repr(error)},
        )

    async def _take_hints(self) -> None:
        connection = await connect(self._broker.address, slot_key=self._key)
        try:
            if self._broker.guard is not None:
                await self._broker.guard.admit(connection)
            self._connection_id = await connection.request("CLIENT", "ID")
            while self._is_running:
                count = await self._slots.wait_free()
                if self.queue_name == BULK_QUEUE:
                    count = min(count, await self._slots.load_gate.wait_quiet(BULK_WAIT_SECONDS))
                await self._request(connection, count)
        finally:
            self._blocked = 0
            connection.abort()

    def _request(self, connection: Connection, count: int) -> asyncio.Future[None]:
        """Request hints, and further ones after each reply, until a wait or an error ends that.

        Replies are handled where they are received: waking a task takes a tenth of a short run.
        """
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def ask(count: int) -> None:
            self._blocked = self._connection_id
            request = _pack_request(self._key, BLOCK_SECONDS, min(count, FETCH_BATCH))
            connection.write([request], [receive])

        def receive(reply: Any) -> None:
            self._blocked = 0
            try:
                if isinstance(reply, Exception):
                    raise reply
                if reply:
                    self._handle(reply[1])
                self._failures = 0
                may_go_on = self._is_running and self.queue_name != BULK_QUEUE
                if may_go_on and (free := self._slots.free) > 0:
                    ask(free)
                elif not ended.done():
                    ended.set_result(None)
            except Exception as error:
                if not ended.done():
                    ended.set_exception(error)

        ask(count)
        return ended

    def _handle(self, hints: Sequence[bytes]) -> None:
        self._slots.take_slots(len(hints))
        self._slots.load_gate.note_hints(self.queue_name)
        for data in hints:
            self._take(data)

    def _take(self, data: bytes) -> None:
        try:
            actor, argument = parse_hint(data)
            inline_run = parse_inline_run(data)
            if actor not in self._broker.actors and not self._broker.middleware:
                raise UnknownHint(f"a hint for '{actor}'")
        except ValueError as error:
            if isinstance(error, UnknownHint):
                metrics.HINTS_UNKNOWN.inc()
            self._slots.release_slot()
            return
        args = (argument,) if inline_run is None else (argument, inline_run)
        if self._broker.middleware:
            process(self._broker, self._consumer, self._make_message(actor, args))
            return
        try:
            call(self._broker, actor, args)
        except Exception:
            log_failure(actor)
            self._slots.release_slot()

    def _make_message(self, actor: str, args: tuple[Any, ...]) -> MessageProxy:
        return MessageProxy(
            dramatiq.Message(
                queue_name=self.queue_name,
                actor_name=actor,
                args=args,
                kwargs={},
                options={},
                message_id=args[0],
                message_timestamp=0,
            )
        )


class LoopWorker:
    """Consumes all declared queues of a broker on the event loop.

    Its actors only pass a hint on and return.
    """

    def __init__(self, broker: HintBroker) -> None:
        self._broker = broker

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Consume for as long as the context lasts."""
        consumers = [
            HintConsumer(self._broker, name) for name in self._broker.get_declared_queues()
        ]
        for consumer in consumers:
            consumer.begin()
        try:
            yield
        finally:
            await asyncio.gather(*(consumer.end() for consumer in consumers))


@functools.lru_cache(2 * FETCH_BATCH)
def _pack_request(key: str, seconds: float, count: int) -> bytes:
    return pack("BLMPOP", seconds, 1, key, "LEFT", "COUNT", count)


def _only_argument(message: "dramatiq.Message[Any]") -> str:
    match message.args:
        case (str() as argument,) if not (message.kwargs or message.options or "\n" in argument):
            return argument
    raise ValueError(
        f"The message to '{message.actor_name}' would lose its arguments: a hint carries one line "
        "of text and nothing else. Put actors of your own into a module that HEADRACE_ACTORS "
        "names and that sets workers.runtime.messages.own_broker() as its broker: their messages "
        "carry all."
    )
