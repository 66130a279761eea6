"""Redis keys of waits of nodes, all in the partition of their account."""

from engine.store.redis.keyspace import account_tag


def waits(account_id: str) -> str:
    """Hash: execution id → number of its open waits, for those that have some."""
    return f"{account_tag(account_id)}:account:{account_id}:waits"


def approvals(account_id: str) -> str:
    """Sorted set: execution/node index of open approvals by the time in ms of their begin."""
    return f"{account_tag(account_id)}:account:{account_id}:approvals"


def child_waits(account_id: str, root_id: str) -> str:
    """Sorted set: execution/node index of the open waits of a root's children, by their begin."""
    return f"{account_tag(account_id)}:child_waits:{account_id}:{root_id}"


def only_waiting(account_id: str) -> str:
    """Set: ids of executions that have not ended and do nothing but wait, children left out.

    They are not among the active ones. A claim moves them back.
    """
    return f"{account_tag(account_id)}:account:{account_id}:only_waiting"


def wait_name(execution_id: str, node_index: int) -> str:
    """Return the member of `approvals` and `child_waits`."""
    return f"{execution_id}/{node_index}"
