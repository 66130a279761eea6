"""Events of executions that a webhook may ask for."""

from collections.abc import Sequence

from engine.errors import InvalidWebhook

STARTED = "execution.started"
WAITING = "execution.waiting"
NODE_FINISHED = "node.finished"
ENDS = ("execution.completed", "execution.failed", "execution.cancelled")
"""Events of a webhook that names none."""
CANARY_ROLLED_BACK = "canary.rolled_back"
"""Event of a workflow that the webhook of an API key may ask for too."""
BATCH_ENDS = ("batch.completed", "batch.cancelled")
"""Events that no webhook asks for: they are always sent."""
EVENTS = (STARTED, WAITING, NODE_FINISHED, *ENDS)
KEY_EVENTS = (*EVENTS, CANARY_ROLLED_BACK)
"""Events that the webhook of an API key may ask for; others may ask for those of executions."""
OF_NODES = (WAITING, NODE_FINISHED)
"""Events that tell of nodes: nobody is told of those of another account's workflow."""


def check_events(
    value: object, field: str = "events", *, known: Sequence[str] = EVENTS
) -> tuple[str, ...]:
    """Return events that a webhook asks for, each once, in the order of those that it may ask for.

    Raises InvalidWebhook.
    """
    if not isinstance(value, list) or not value:
        raise InvalidWebhook(field, f"The events must be a list of some of: {', '.join(known)}")
    for each in value:
        if each not in known:
            raise InvalidWebhook(field, f"An event must be one of: {', '.join(known)}")
    return tuple(each for each in known if each in value)


def parse_events(packed: bytes | None) -> Sequence[str] | None:
    """Return the events of a record; None: the three ends."""
    return None if packed is None else packed.decode().split(",")
