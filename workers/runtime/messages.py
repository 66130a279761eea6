"""The broker of an operator's own actors: whole messages of Dramatiq, delivered at most once.

A message is taken out of Redis before its actor runs, so that it is lost with a worker that dies;
nothing is delivered twice. Hints of the engine's own actors have another broker
(`workers.runtime.broker`): they carry no arguments and may be lost without harm.
"""

import logging
import threading
from collections.abc import Iterable
from functools import cache
from typing import Any

import dramatiq
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.errors import ConnectionClosed, DecodeError
from dramatiq.middleware import (
    AgeLimit,
    Callbacks,
    Pipelines,
    Retries,
    ShutdownNotifications,
    TimeLimit,
)
from redis.exceptions import RedisError

from engine.errors import WrongStore
from engine.settings import load
from engine.store.redis import keyspace, process_keys
from engine.store.redis.address import RedisAddress
from engine.store.redis.blocking_client import BlockingClient
from engine.store.redis.installation import Guard, parse_marker
from engine.store.redis.scripts import SCRIPTS
from workers.runtime.list_broker import ListBroker, open_client

ACTOR_MODULE_FILE = dramatiq.Actor.__call__.__code__.co_filename
"""The file whose lines to an actor's logger contain its arguments."""

log = logging.getLogger(__name__)


@cache
def own_broker() -> "MessageBroker":
    """Return the broker of own actors in this process, on the Redis that the settings name.

    Raises SettingError.
    """
    settings = load()
    return MessageBroker(RedisAddress.of_queue(settings))


class MessageBroker(ListBroker):
    """A Dramatiq broker on lists of Redis, with Dramatiq's usual middleware.

    An actor that fails is not run again unless it declares `max_retries`.
    """

    def __init__(self, address: RedisAddress) -> None:
        super().__init__(
            address,
            middleware=(
                *(AgeLimit(), TimeLimit(), ShutdownNotifications()),
                *(Callbacks(), Pipelines(), Retries(max_retries=0)),
            ),
        )
        self.guard: Guard | None = None
        """With a guard nothing is taken from a Redis without this installation's data."""

    def declare_actor(self, actor: "dramatiq.Actor[Any, Any]") -> None:
        """Declare an actor; arguments are filtered from its logger at any level."""
        actor.logger.addFilter(_hides_arguments)
        super().declare_actor(actor)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 1000) -> Consumer:
        """Return a consumer with its own connection. Raises QueueNotFound or ConnectionClosed."""
        self.check_declared(queue_name)
        client = open_client(self.address)
        try:
            if self.guard is not None:
                marker = client.execute("HGETALL", keyspace.installation())
                self.guard.check(parse_marker(marker))
        except (RedisError, WrongStore) as error:
            client.close()
            reason = error.seen if isinstance(error, WrongStore) else str(error)
            raise ConnectionClosed(reason) from error
        return _Consumer(client, queue_name, prefetch, timeout / 1000)

    def enqueue(
        self, message: "dramatiq.Message[Any]", *, delay: int | None = None
    ) -> "dramatiq.Message[Any]":
        """Send a message, which is due after `delay` milliseconds.

        Raises TypeError for arguments that JSON does not know, and ConnectionClosed. The message
        may have been sent even so: a sender that tries again may have it delivered twice.
        """
        self.emit_before("enqueue", message, delay)
        data, queue = message.encode(), message.queue_name
        try:
            if delay is None:
                self._client.execute("RPUSH", process_keys.messages(queue), data)
            else:
                delayed = process_keys.messages_due(queue)
                command = SCRIPTS["delay_message"].command(
                    delayed=delayed, delay_ms=int(delay), message=data
                )
                self._client.execute(*command)
        except RedisError as error:
            raise ConnectionClosed(f"the message was not sent: {error}") from error
        self.emit_after("enqueue", message, delay)
        return message

    def flush(self, queue_name: str) -> None:
        """Drop all messages of a queue."""
        keys = (process_keys.messages(queue_name), process_keys.messages_due(queue_name))
        self._client.execute("DEL", *keys)


class _Received(MessageProxy):
    """A message whose text in logs has no arguments."""

    def __str__(self) -> str:
        return f"{self.actor_name} {self.message_id}"

    __repr__ = __str__


class _Consumer(Consumer):
    """Takes messages of one queue, at most `prefetch` more than are processed."""

    def __init__(
        self, client: BlockingClient, queue_name: str, prefetch: int, timeout: float
    ) -> None:
        self._client = client
        self._keys = (process_keys.messages(queue_name), process_keys.messages_due(queue_name))
        self._capacity = threading.Semaphore(prefetch)
        self._timeout = timeout

    def __next__(self) -> MessageProxy | None:
        """Return the next message, None after the time-out. Raises ConnectionClosed."""
        if not self._capacity.acquire(timeout=self._timeout):
            return None
        message = None
        try:
            data = self._take()
            message = None if data is None else _Received(dramatiq.Message.decode(data))
        except RedisError as error:
            raise ConnectionClosed(str(error)) from error
        except DecodeError:
            log.error("a message of an own actor cannot be read", extra={"key": self._keys[0]})
        finally:
            if message is None:
                self._capacity.release()
        return message

    def _take(self) -> bytes | None:
        queue, delayed = self._keys
        command = SCRIPTS["take_message"].command(queue=queue, delayed=delayed)
        data: bytes | None = self._client.execute(*command)
        if data is None:
            reply: Any = self._client.execute("BLPOP", queue, self._timeout)
            data = reply and reply[1]
        return data

    def ack(self, message: MessageProxy) -> None:
        """Free the capacity of a processed message: it is not in Redis any more."""
        self._capacity.release()

    def nack(self, message: MessageProxy) -> None:
        """Drop a message that has failed for good."""
        self._capacity.release()

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Put messages back that no actor has received, in their order."""
        data = [message.encode() for message in messages]
        try:
            if data:
                self._client.execute("LPUSH", self._keys[0], *reversed(data))
        except RedisError as error:
            raise ConnectionClosed(str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _hides_arguments(record: logging.LogRecord) -> bool:
    return bool(record.pathname != ACTOR_MODULE_FILE)
