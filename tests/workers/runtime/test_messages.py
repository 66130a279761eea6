"""The broker of own actors over a real Redis, without a worker."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq.errors import ActorNotFound, ConnectionClosed, QueueNotFound

from engine.store import Store
from engine.store.redis import process_keys
from engine.store.redis.address import RedisAddress
from workers.runtime.messages import MessageBroker

QUEUE = process_keys.messages("default")


@pytest.fixture
def broker(redis_url: str) -> Iterator[MessageBroker]:
    broker = MessageBroker(RedisAddress.parse(redis_url))
    yield broker
    broker.close()


@pytest.fixture
def greet(broker: MessageBroker) -> "dramatiq.Actor[Any, Any]":
    def greet(*args: Any, **kwargs: Any) -> None: ...

    return dramatiq.actor(broker=broker)(greet)


def test_messages_come_in_order_and_once(
    broker: MessageBroker, greet: "dramatiq.Actor[Any, Any]"
) -> None:
    for number in range(3):
        greet.send(number, loud=True)
    consumer = broker.consume("default", prefetch=10, timeout=10)

    taken = [next(consumer) for _ in range(4)]

    assert [each and (each.args, each.kwargs) for each in taken] == [
        *(((number,), {"loud": True}) for number in range(3)),
        None,
    ]
    consumer.close()


def test_no_more_is_taken_than_is_asked_for_until_something_is_done(
    broker: MessageBroker, greet: "dramatiq.Actor[Any, Any]"
) -> None:
    for number in range(3):
        greet.send(number)
    consumer = broker.consume("default", prefetch=2, timeout=10)
    first, second = next(consumer), next(consumer)

    assert next(consumer) is None
    assert first is not None and second is not None
    consumer.ack(first)
    third = next(consumer)
    assert third is not None and third.args == (2,)
    consumer.nack(second)
    consumer.requeue([third])
    assert (again := next(consumer)) is not None and again.args == (2,)
    consumer.close()


def test_due_messages_come_before_messages_without_a_delay(
    broker: MessageBroker, greet: "dramatiq.Actor[Any, Any]"
) -> None:
    greet.send("now")
    greet.send_with_options(args=("due",), delay=0)
    greet.send_with_options(args=("in an hour",), delay=3_600_000)
    consumer = broker.consume("default", prefetch=10, timeout=10)

    taken = [next(consumer) for _ in range(3)]

    assert [each and each.args for each in taken] == [("due",), ("now",), None]
    consumer.close()


def test_an_unreadable_message_is_dropped_and_not_quoted(
    broker: MessageBroker,
    greet: "dramatiq.Actor[Any, Any]",
    redis_url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.rpush(QUEUE, b"a-canary{")
    greet.send("good")
    consumer = broker.consume("default", prefetch=1, timeout=10)

    with caplog.at_level(logging.DEBUG):
        taken = [next(consumer) for _ in range(2)]

    assert [each and each.args for each in taken] == [None, ("good",)]
    assert "a message of an own actor cannot be read" in caplog.text
    assert "a-canary" not in caplog.text
    consumer.close()


async def test_nothing_is_taken_from_a_redis_of_another_installation(
    unmarked_redis_url: str, store: Store
) -> None:
    broker = MessageBroker(RedisAddress.parse(unmarked_redis_url))
    broker.declare_queue("default")
    broker.guard = store.guard

    with pytest.raises(ConnectionClosed, match="holds no Headrace installation"):
        broker.consume("default")
    broker.close()


def test_a_redis_that_is_away_is_said_when_a_message_is_sent(tmp_path: Path) -> None:
    broker = MessageBroker(RedisAddress.parse(f"unix://{tmp_path}/nothing"))

    @dramatiq.actor(broker=broker)
    def greet() -> None: ...

    with pytest.raises(ConnectionClosed, match="the message was not sent"):
        greet.send()


def test_an_unknown_queue_or_actor_is_an_error(broker: MessageBroker) -> None:
    with pytest.raises(QueueNotFound):
        broker.consume("unknown")
    with pytest.raises(ActorNotFound):
        broker.get_actor("nobody")


def test_a_queue_is_emptied_with_its_delayed_messages(
    broker: MessageBroker, greet: "dramatiq.Actor[Any, Any]", redis_url: str
) -> None:
    greet.send()
    greet.send_with_options(delay=60_000)

    broker.flush_all()

    with redis.Redis.from_url(redis_url) as client:
        assert client.exists(QUEUE, process_keys.messages_due("default")) == 0
