"""Waits of nodes: a delay goes on at its time, an approval when a person has answered."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

MAX_WAITING = 10_000
"""Most executions of an account with open waits; children count each."""
MAX_SECONDS = 2_592_000
"""Longest wait."""
MIN_TIMEOUT = 60
"""Shortest time to answer, in seconds."""
DEFAULT_TIMEOUT = 604_800
"""Time to answer where the node sets none, in seconds."""
MAX_NOTE = 2_000
"""Characters of the note of an answer."""
MAX_TITLE = 500
"""Characters of a title with its values put in."""
MAX_MESSAGE = 16_384
"""Characters of a message with its values put in."""
MAX_CHILD_WAITS = 100
"""Waits of children of which the root tells: those that began first."""
MAX_FORM_BYTES = 65_536
"""Most bytes in JSON that the form of an approval has: each waiting execution keeps its own."""


class WaitKind(StrEnum):
    """Kind of a wait."""

    DELAY = "delay"
    APPROVAL = "approval"


class Decision(StrEnum):
    """Decision of an answer."""

    APPROVE = "approve"
    REFUSE = "refuse"


class AnswererKind(StrEnum):
    """Kind of an answerer."""

    SESSION = "session"
    KEY = "key"
    LINK = "link"
    TIMEOUT = "timeout"


class OnTimeout(StrEnum):
    """Effect of an approval that nobody has answered in time."""

    FAIL = "fail"
    REFUSE = "refuse"
    APPROVE = "approve"

    @property
    def decision(self) -> Decision | None:
        """Decision of the answer; None: the node fails."""
        return None if self is OnTimeout.FAIL else Decision(self.value)


class Answerer(Struct, frozen=True):
    """Person or clock that answers."""

    kind: AnswererKind
    id: str | None = None
    """Public id of a session, or id of an API key; None for others."""


class Answer(Struct, frozen=True, kw_only=True):
    """Answer to an approval."""

    decision: Decision
    fields: Mapping[str, Any]
    """Values of the form, with its defaults."""
    note: str | None
    by: Answerer
    at: int = 0
    """Time in milliseconds, set by the store."""


class NewWait(Struct, frozen=True, kw_only=True):
    """Wait to open: it ends `duration_ms` after that, or at the moment `until`."""

    kind: WaitKind
    duration_ms: int | None = None
    until: int | None = None
    """Time in milliseconds."""
    title: str = ""
    message: str = ""
    fields: tuple[Mapping[str, Any], ...] = ()
    """Form of an approval, in the format of the API."""
    on_timeout: OnTimeout = OnTimeout.FAIL


class NodeWait(Struct, frozen=True, kw_only=True):
    """Wait of a node on record. Times are in milliseconds."""

    account_id: str
    execution_id: str
    root_id: str
    """Root of a child; the execution itself if it is none."""
    workflow_slug: str = ""
    node_index: int
    node_id: str
    kind: WaitKind
    since: int
    until: int
    title: str = ""
    message: str = ""
    fields: tuple[Mapping[str, Any], ...] = ()
    """Form of an approval, in the format of the API."""
    on_timeout: OnTimeout = OnTimeout.FAIL
    answer: Answer | None = None
    over_at: int | None = None
    """Time at which it ended without an answer, since its own time had come; None: it did not."""
    is_open: bool = True
    """Whether the node waits: it has neither an answer nor ended, and its run goes on."""
    has_values: bool = True
    """False where the end of the execution has removed title, message, form and answered values."""
