"""The actors: each is the method that takes a hint, and returns at once."""

import dramatiq

from engine.store.dispatch.hints import (
    BULK_QUEUE,
    COVER_ACTOR,
    DELIVER_ACTOR,
    DELIVER_QUEUE,
    WALK_ACTOR,
    WALK_QUEUE,
)
from workers.media.covers import CoverFetcher
from workers.runtime.broker import HintBroker
from workers.walk.walker import Walker
from workers.webhooks.sender import WebhookSender


def declare_walk(broker: HintBroker, walker: Walker) -> None:
    """Declare the actor that walks executions."""
    dramatiq.actor(broker=broker, actor_name=WALK_ACTOR, queue_name=WALK_QUEUE)(walker.take_hint)
    broker.declare_queue(BULK_QUEUE)


def declare_deliver(broker: HintBroker, sender: WebhookSender) -> None:
    """Declare the actor that delivers webhooks."""
    dramatiq.actor(broker=broker, actor_name=DELIVER_ACTOR, queue_name=DELIVER_QUEUE)(
        sender.take_hint
    )


def declare_cover(broker: HintBroker, fetcher: CoverFetcher) -> None:
    """Declare the actor that fetches covers."""
    dramatiq.actor(broker=broker, actor_name=COVER_ACTOR, queue_name=DELIVER_QUEUE)(
        fetcher.take_hint
    )
