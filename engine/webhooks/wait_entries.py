"""Entries of waits in events and webhooks, in the contract's names."""

from typing import Any

from engine.executions.node_waits import NodeWait, WaitKind
from engine.values.plain import moment


def wait_entry(wait: NodeWait, execution_id: str) -> dict[str, Any]:
    """Return the entry of a wait of an execution, or of a child of it.

    An approval whose values are no longer on record lacks title, message and form. The entry has no
    link.
    """
    entry: dict[str, Any] = {
        "nodeId": wait.node_id,
        "kind": wait.kind.value,
        "since": moment(wait.since),
        "until": moment(wait.until),
    }
    if wait.execution_id != execution_id:
        entry["executionId"] = wait.execution_id
    if wait.kind is WaitKind.APPROVAL and wait.has_values:
        entry |= {"title": wait.title, "message": wait.message, "fields": list(wait.fields)}
    return entry
