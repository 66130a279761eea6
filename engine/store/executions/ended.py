"""Facts of ended executions, told once to the subscribers of the process that has ended them.

The script that ends an execution returns them when somebody has subscribed, and costs nothing
else. A process that is killed between the end and the script's answer tells nothing.
"""

import logging
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Self

from msgspec import Struct

from engine.executions.statuses import ExecutionStatus
from engine.store.redis.record_packing import unpack
from engine.telemetry.traces.context import recorded_trace

logger = logging.getLogger(__name__)


class EndedExecution(Struct, frozen=True, kw_only=True):
    """Execution that has ended: no inputs, no result and no text of its error.

    Times are in milliseconds since the epoch. A text is empty, and a number None, where the
    execution has no such thing.
    """

    account_id: str
    execution_id: str
    status: ExecutionStatus
    slug: str
    version: int
    """0 for a draft and for the run of a model."""
    source: str
    created_at: int
    started_at: int | None
    completed_at: int
    request_id: str
    trace: str
    """Header of the parent of its span."""
    key_id: str
    """API key of the caller; empty for a session."""
    credits: int
    models: str
    """Internal names of its models, with commas between them."""
    error_code: str
    node_id: str
    """Node whose failure has failed it."""
    node_type: str
    node_code: str
    batch_id: str
    batch_index: int | None
    trigger_id: str
    occurrence_id: str
    parent_id: str
    """Execution whose node has begun it."""
    parent_node_id: str
    child_index: int | None
    root_id: str
    owner_id: str
    """Account of the workflow, if it is another one's."""
    retry_of: str

    @property
    def trace_id(self) -> str:
        """Return the id of its trace; empty: it belongs to none."""
        trace = recorded_trace(self.trace)
        return "" if trace is None else trace.trace_id

    @property
    def is_sampled(self) -> bool:
        """Return whether its trace is recorded."""
        trace = recorded_trace(self.trace)
        return trace is not None and trace.is_sampled

    @classmethod
    def parse(cls, account_id: str, execution_id: str, facts: Sequence[bytes | None]) -> Self:
        """Return the execution with the facts that `ended_facts.lua` returns."""
        texts = [b"" if each is None else each for each in facts]
        (status, slug, version, source, created, started, completed, request, trace, key, spent) = (
            texts[:11]
        )
        (error, models, batch, item, trigger, occurrence, parent, node, child, root, owner, of) = (
            texts[11:]
        )
        failure: dict[str, Any] = unpack(error) if error else {}
        return cls(
            account_id=account_id,
            execution_id=execution_id,
            status=ExecutionStatus(status.decode()),
            slug=slug.decode(),
            version=int(version or 0),
            source=source.decode(),
            created_at=int(created),
            started_at=int(started) if started else None,
            completed_at=int(completed),
            request_id=request.decode(),
            trace=trace.decode(),
            key_id=key.decode(),
            credits=int(spent or 0),
            models=models.decode(),
            error_code=failure.get("code", ""),
            node_id=failure.get("nodeId", ""),
            node_type=failure.get("nodeType", ""),
            node_code=failure.get("nodeCode", ""),
            batch_id=batch.decode(),
            batch_index=int(item) if batch and item else None,
            trigger_id=trigger.decode(),
            occurrence_id=occurrence.decode(),
            parent_id=parent.decode(),
            parent_node_id=node.decode(),
            child_index=int(child) if parent and child else None,
            root_id=root.decode(),
            owner_id=owner.decode(),
            retry_of=of.decode(),
        )


class Wanted(StrEnum):
    """Executions of which a subscriber wants to be told, from none to all."""

    NONE = ""
    FAILED = "failed"
    SAMPLED = "sampled"
    """Those that failed, and those whose trace is recorded."""
    ALL = "all"

    def covers(self, ended: EndedExecution) -> bool:
        """Return whether the execution is one of them."""
        if self is Wanted.ALL or ended.status is ExecutionStatus.FAILED:
            return True
        return self is Wanted.SAMPLED and ended.is_sampled


EndSubscriber = Callable[[EndedExecution], None]


class Ends:
    """Ends of executions in this process, for subscribers in it."""

    def __init__(self) -> None:
        self._subscribers: list[tuple[EndSubscriber, Wanted]] = []
        self.wanted = Wanted.NONE
        """`tells` of a script that ends executions."""
        self.wanted_of_completed = Wanted.NONE
        """The same for a script that ends completed ones alone."""

    def subscribe(
        self, callback: EndSubscriber, *, only_failed: bool = False, only_sampled: bool = False
    ) -> None:
        """Call back with each execution that ends here from now on.

        `only_sampled`: only with one that has failed, or whose trace is recorded. The callback must
        be quick, as the walk of the execution goes on after it.
        """
        wanted = Wanted.FAILED if only_failed else Wanted.SAMPLED if only_sampled else Wanted.ALL
        self._subscribers.append((callback, wanted))
        self.wanted = max((each for _, each in self._subscribers), key=[*Wanted].index)
        if self.wanted is not Wanted.FAILED:
            self.wanted_of_completed = self.wanted

    def tell(self, account_id: str, execution_id: str, facts: Sequence[bytes | None]) -> None:
        """Tell the subscribers of an end; without facts, it is none of theirs."""
        if not facts:
            return
        ended = EndedExecution.parse(account_id, execution_id, facts)
        for callback, wanted in self._subscribers:
            if wanted.covers(ended):
                _call(callback, ended)


def _call(callback: EndSubscriber, ended: EndedExecution) -> None:
    """Call a subscriber, whose failure must not stop the walk."""
    try:
        callback(ended)
    except Exception:
        logger.exception("a subscriber of ended executions has failed")
