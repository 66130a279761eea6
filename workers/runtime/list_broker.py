"""A Dramatiq broker whose queues are lists in Redis: base of the brokers of hints and messages."""

from collections.abc import Iterable

import dramatiq
import redis
from dramatiq.errors import QueueNotFound
from redis.backoff import NoBackoff
from redis.retry import Retry

ANSWER_SECONDS = 5.0


class ListBroker(dramatiq.Broker):
    """Declares queues without queues for delays, and sends over one connection."""

    def __init__(self, url: str, middleware: "Iterable[dramatiq.Middleware]") -> None:
        super().__init__(middleware=[*middleware])
        self.url = url
        self._client = connect(url)

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


def connect(url: str) -> "redis.Redis":
    """Return a client that never repeats a command and waits `ANSWER_SECONDS` for a reply."""
    return redis.Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=1,
        protocol=3,
    )
