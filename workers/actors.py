"""The actors: each passes its hint on and returns."""

import dramatiq

from engine.store.dispatch.hints import (
    BULK_QUEUE,
    COVER_ACTOR,
    DELIVER_ACTOR,
    DELIVER_QUEUE,
    WALK_ACTOR,
    WALK_QUEUE,
    InlineRun,
)
from workers.media.covers import CoverFetcher
from workers.runtime.broker import HintBroker
from workers.walk.walker import Walker
from workers.webhooks.sender import WebhookSender


def declare_walk(broker: HintBroker, walker: Walker) -> None:
    """Declare the actor that walks executions."""

    def walk(reference: str, inline_run: InlineRun | None = None) -> None:
        walker.take(reference, inline_run)

    dramatiq.actor(broker=broker, actor_name=WALK_ACTOR, queue_name=WALK_QUEUE)(walk)
    broker.declare_queue(BULK_QUEUE)


def declare_deliver(broker: HintBroker, sender: WebhookSender) -> None:
    """Declare the actor that delivers webhooks."""

    def deliver(reference: str) -> None:
        sender.take(reference)

    dramatiq.actor(broker=broker, actor_name=DELIVER_ACTOR, queue_name=DELIVER_QUEUE)(deliver)


def declare_cover(broker: HintBroker, fetcher: CoverFetcher) -> None:
    """Declare the actor that fetches covers."""

    def cover(reference: str) -> None:
        fetcher.take(reference)

    dramatiq.actor(broker=broker, actor_name=COVER_ACTOR, queue_name=DELIVER_QUEUE)(cover)
