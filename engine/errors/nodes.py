"""Errors of nodes: wrong settings at save, and failures at run time."""

from typing import NamedTuple

BAD_RESPONSE = "PROVIDER_BAD_RESPONSE"
"""Code for a model's answer that is missing or malformed."""
STORAGE = "storage_error"
"""Code for media or large outputs that cannot be stored or read."""

DOCUMENT_UNREADABLE = "document_unreadable"
"""Code for a document that is encrypted, broken, over a limit, or takes too long."""
REPLAY_UNMATCHED = "replay_unmatched"
"""Code for a node of a replay without a recorded outcome, which must not be called."""
NO_WORKER_CAN_RUN = "no_worker_can_run"
"""Code for an execution, or its node, that no worker knew for too long."""


class NodeFailed(Exception):
    """Failure of a node. `code` and `message` go on record and to the caller.

    `retry_after`: seconds that the server requests before the next attempt.
    `may_have_arrived`: the server may have received a call that brought no answer.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        retry_after: float = 0.0,
        may_have_arrived: bool = False,
    ) -> None:
        super().__init__(code, message, retryable, retry_after)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after
        self.may_have_arrived = may_have_arrived

    def __str__(self) -> str:
        return self.message

    def with_message(self, message: str) -> "NodeFailed":
        """Return the failure with another message."""
        return NodeFailed(
            self.code,
            message,
            retryable=self.retryable,
            retry_after=self.retry_after,
            may_have_arrived=self.may_have_arrived,
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (self.code, self.message, self.retryable, self.retry_after)


def _restore(code: str, message: str, retryable: bool, retry_after: float) -> NodeFailed:
    return NodeFailed(code, message, retryable=retryable, retry_after=retry_after)


def invalid_output() -> NodeFailed:
    """Return the failure of a node whose outputs JSON cannot express."""
    return NodeFailed("invalid_output", "The node's output is not valid JSON")


class FilesMustWait(NodeFailed):
    """A document cannot be stored before the schema of the store is raised."""

    def __init__(self, message: str) -> None:
        super().__init__(STORAGE, message, retryable=True)

    def __reduce__(self) -> tuple[object, ...]:
        return FilesMustWait, (self.message,)


class SiblingFailed(NodeFailed):
    """A call was abandoned because another call of its node failed; the next attempt resumes it."""

    def __init__(self) -> None:
        message = "It was left when another call of its node had failed"
        super().__init__("left", message, retryable=True)

    def __reduce__(self) -> tuple[object, ...]:
        return SiblingFailed, ()


class SettingFault(NamedTuple):
    """A fault of a node's settings."""

    reason: str
    """A sentence for the author."""
    field: str = ""
    """Path of the setting within `data`; empty: no single one."""
    is_beyond_schema: bool = False
    """The JSON Schema of the node type does not state the rule."""


class SettingsError(ValueError):
    """Wrong settings of a node; `reasons` has one sentence for each fault."""

    def __init__(self, *faults: str | SettingFault) -> None:
        self.faults = tuple(
            each if isinstance(each, SettingFault) else SettingFault(each) for each in faults
        )
        self.reasons = tuple(each.reason for each in self.faults)
        super().__init__("; ".join(self.reasons))
