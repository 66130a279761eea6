"""The actors: each hands its hint over and returns at once."""

import dramatiq

from engine.queue import HintBroker
from engine.store.hints import BULK_QUEUE, WALK_ACTOR, WALK_QUEUE
from workers.walker import Walker


def declare(broker: HintBroker, walker: Walker) -> None:
    """Declare every actor on the broker."""

    def walk(reference: str) -> None:
        walker.take(reference)

    dramatiq.actor(broker=broker, actor_name=WALK_ACTOR, queue_name=WALK_QUEUE)(walk)
    broker.declare_queue(BULK_QUEUE)
