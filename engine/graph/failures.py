"""Delivery of a failed node to the nodes after it. No I/O."""

from collections.abc import Mapping
from typing import Any

from engine.graph.plan import Node
from engine.nodes.support.base import Outputs
from engine.nodes.support.children import ALWAYS_FAILS
from engine.nodes.support.failures import ERROR_OUT


def has_error_out(node: Node) -> bool:
    """Return whether a failure of the node goes along an edge from `error-out`."""
    return ERROR_OUT in node.wired


def ends_run(node: Node, code: str) -> bool:
    """Return whether a failure of the node with this code ends the run."""
    if code in ALWAYS_FAILS:
        return True
    return node.policy.on_error == "fail" and not has_error_out(node)


def outputs_after(node: Node, error: Mapping[str, Any], attempts: int) -> Outputs | None:
    """Return the outputs of a failed node whose run goes on; None: null at each socket.

    `error` is the failure as records have it.
    """
    if has_error_out(node):
        about = {"code": error["code"], "message": error["message"]}
        return {ERROR_OUT: {**about, "nodeId": node.id, "attempts": attempts}}
    return fallback_of(node)


def fallback_of(node: Node) -> Outputs | None:
    """Return the outputs of a failed node whose run goes on, but for `error-out`; None: all null.

    They follow from the plan, so no record has them.
    """
    policy, ways = node.policy, node.type.ways
    if policy.on_error == "fail" or (policy.on_error == "continue" and not ways):
        return None
    names = node.wired.union(node.type.outputs(node.settings)) - ways
    return {**dict.fromkeys(sorted(names)), **policy.fallback}
