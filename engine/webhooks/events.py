"""Events of executions that a webhook may ask for."""

from collections.abc import Sequence

from engine.errors import InvalidWebhook

STARTED = "execution.started"
WAITING = "execution.waiting"
NODE_FINISHED = "node.finished"
ENDS = ("execution.completed", "execution.failed", "execution.cancelled")
"""Events of a webhook that names none."""
BATCH_ENDS = ("batch.completed", "batch.cancelled")
"""Events that no webhook asks for: they are always sent."""
EVENTS = (STARTED, WAITING, NODE_FINISHED, *ENDS)
OF_NODES = (WAITING, NODE_FINISHED)
"""Events that tell of nodes: nobody is told of those of another account's workflow."""


def check_events(value: object, field: str = "events") -> tuple[str, ...]:
    """Return events that a webhook asks for, each once, in their order here.

    Raises InvalidWebhook.
    """
    if not isinstance(value, list) or not value:
        raise InvalidWebhook(field, f"The events must be a list of some of: {', '.join(EVENTS)}")
    for each in value:
        if each not in EVENTS:
            raise InvalidWebhook(field, f"An event must be one of: {', '.join(EVENTS)}")
    return tuple(each for each in EVENTS if each in value)


def parse_events(packed: bytes | None) -> Sequence[str] | None:
    """Return the events of a record; None: the three ends."""
    return None if packed is None else packed.decode().split(",")
