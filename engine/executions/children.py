"""Children: executions that a node of their parent starts and waits for."""

from enum import StrEnum

MAX_CHILDREN = 100_000
"""Most children of a root in all, those of its children included."""
MAX_RUNNING = 200
"""Most children of a root that run at once; those that wait for their own do not count."""


class GroupStatus(StrEnum):
    """Status of a group: the children of one node of one execution."""

    OPEN = "open"
    CANCELLING = "cancelling"
    """No further child begins, and those that run are cancelled."""
    DONE = "done"
    """No child waits or runs."""
