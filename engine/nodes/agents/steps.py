"""Steps of an agent: its model calls and tool calls, in their order."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct


class StepKind(StrEnum):
    """Kind of a step."""

    MODEL = "model"
    """One call of the model."""
    TOOL = "tool"
    """One call of a tool."""


class StepStatus(StrEnum):
    """Status of a step; a refused tool call counts as completed with an error."""

    WAITING = "waiting"
    """A person has been asked, or the step has not begun."""
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StepApproval(Struct, frozen=True, kw_only=True, rename="camel"):
    """Approval before a tool call."""

    decision: str | None = None
    """`approve` or `refuse`; None: nobody has answered yet."""
    note: str | None = None
    by: Mapping[str, Any] | None = None
    """`kind` and `id` of the person or key that answered."""
    at: str | None = None
    child_execution_id: str = ""
    """Execution that has the node `approval`."""


class AgentStep(Struct, frozen=True, kw_only=True, rename="camel"):
    """One step of an agent, as `steps-out` and the API have it."""

    number: int
    """From 1, in the order in which the steps were planned."""
    kind: StepKind
    name: str
    """Model, or name of the tool as the model knows it."""
    input: Any = None
    """Model: the messages that are new since the model's last call. Tool: its arguments."""
    output: Any = None
    """Model: `{text, calls}`. Tool: its result. None before the end."""
    credits_cost: int = 0
    duration_ms: int | None = None
    """None before the end."""
    status: StepStatus = StepStatus.WAITING
    error: Mapping[str, str] | None = None
    """`code` and `message` of a failed or refused step."""
    child_execution_id: str = ""
    """Execution of the step; empty: it has none, or not yet."""
    approval: StepApproval | None = None
    """Approval that the step needs; None: it needs none."""
