"""A Dramatiq broker whose queues are lists in Redis: base of the brokers of hints and messages."""

from collections.abc import Iterable

import dramatiq
from dramatiq.errors import QueueNotFound

from engine.store.redis.address import RedisAddress
from engine.store.redis.blocking_client import BlockingClient

ANSWER_SECONDS = 5.0


class ListBroker(dramatiq.Broker):
    """Declares queues without queues for delays, and sends over one connection."""

    def __init__(self, address: RedisAddress, middleware: "Iterable[dramatiq.Middleware]") -> None:
        super().__init__(middleware=[*middleware])
        self.address = address
        self._client = open_client(address)

    def close(self) -> None:
        """Close the sending connections."""
        self._client.close()

    def declare_queue(self, queue_name: str) -> None:
        """Consume a queue; there is no delay queue, since due times are kept in Redis."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def check_declared(self, queue_name: str) -> None:
        """Raise QueueNotFound for a queue that is not declared."""
        if queue_name not in self.queues:
            raise QueueNotFound(queue_name)

    def flush_all(self) -> None:
        """Drop everything in all declared queues."""
        for queue_name in self.queues:
            self.flush(queue_name)


def open_client(address: RedisAddress) -> BlockingClient:
    """Return a client that waits `ANSWER_SECONDS` for a reply."""
    return BlockingClient(address, reply_seconds=ANSWER_SECONDS)
