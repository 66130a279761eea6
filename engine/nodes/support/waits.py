"""Nodes that wait without a worker: for a time, or for an answer."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from engine.executions.node_waits import Answer, NewWait
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.settings import Faults

INVALID_INPUTS = "invalid_inputs"
"""Code of a node whose wired values, or the texts made of them, cannot be used for its wait."""
APPROVAL_TIMEOUT = "approval_timeout"
"""Code of an approval that nobody answered in time."""


class WaitingNode(NodeType):
    """Node type whose nodes wait on record; the worker never calls `run`."""

    kind = WorkKind.WAIT
    category = "Control"
    since_schema = 2
    takes_retry = False
    takes_timeout = False

    @abstractmethod
    def begin(self, settings: Any, inputs: Mapping[str, Any], now: int) -> NewWait | None:
        """Return the wait of a node that begins at `now` (milliseconds); None: it goes on at once.

        `inputs` are the values of the wired sockets. Raises NodeFailed.
        """

    @abstractmethod
    def collect(
        self, settings: Any, inputs: Mapping[str, Any], answer: Answer | None = None
    ) -> Outputs:
        """Return the outputs of a node whose wait is over, given the answer to an approval.

        An approval without an answer has timed out. Raises NodeFailed (approval_timeout).
        """

    async def run(self, settings: Any, inputs: Mapping[str, Any], context: Context) -> Outputs:
        raise AssertionError("a node that waits is walked by its wait")


def refuse_retry(data: Mapping[str, Any], faults: Faults) -> None:
    """Add a fault for the setting `retry`, which has no effect on a wait."""
    if data.get("retry") is not None:
        faults.add_rule("retry: a node that waits has one attempt", "retry")
