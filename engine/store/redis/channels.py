"""Channels of Redis on which processes are notified of changes."""


def access_changes() -> str:
    """Channel: ids of accounts of which a record, a key or a session has changed or is gone."""
    return "hr:access_changes"


def model_changes() -> str:
    """Channel: internal names of models saved or deleted over HTTP."""
    return "hr:model_changes"


def notifier(gateway_id: str, *, is_cluster: bool = False) -> str:
    """Channel: ids of ended executions with a waiting caller at this gateway process.

    The name tells scripts of a cluster that PUBLISH counts the subscribers of one node alone.
    """
    return f"hr:notifier:{'*' if is_cluster else ''}{gateway_id}"


def cancels() -> str:
    """Channel: account/execution of executions to cancel."""
    return "hr:cancels"
