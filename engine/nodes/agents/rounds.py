"""Rounds of an agent: its task and rules, children on record, and those of the next round."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from engine.errors.nodes import NodeFailed
from engine.executions.batches import ItemStatus
from engine.nodes.agents.parts import PartKind
from engine.nodes.agents.steps import AgentStep
from engine.nodes.agents.tool_names import KnownTool


class AgentTask(Struct, frozen=True, kw_only=True):
    """Work of an agent, fixed when it begins."""

    prompt: str
    system: str = ""
    files: tuple[str, ...] = ()
    """Links of media for the first message."""
    workflows: tuple[KnownTool, ...] = ()
    """Tools that are workflows; those of servers are listed by the first round."""


class ServerTools(Struct, frozen=True, kw_only=True):
    """Tools of a server that the model is offered."""

    position: int
    """Position in the list `tools`."""
    tool: str | None = None
    """The only tool; None: all."""


class AgentRules(Struct, frozen=True, kw_only=True):
    """Settings of an agent as the loop needs them."""

    model: str
    servers: tuple[ServerTools, ...] = ()
    approve: tuple[str, ...] = ()
    """Names of the tools before whose calls a person is asked."""
    max_steps: int
    max_credits: int | None = None
    schema: Mapping[str, Any] | None = None
    """JSON Schema of the answer."""


class EndedChild(Struct, frozen=True, kw_only=True):
    """Child of an agent on record, in the order of their indexes; it may not have ended yet."""

    status: ItemStatus
    value: Any = None
    """Plain result of a completed child."""
    error: Mapping[str, str] | None = None
    """`code` and `message` of a failed child."""
    credits_cost: int = 0
    duration_ms: int = 0


class AgentChild(Struct, frozen=True, kw_only=True):
    """Child of the next round."""

    inputs: Mapping[str, Any]
    part: PartKind | None = None
    """Part of the agent that the child runs; None: it runs a workflow."""
    server: int | None = None
    """Position in the list `tools` of the server, for parts of one."""
    workflow: str = ""
    version: int = 0


class NextRound(Struct, frozen=True):
    """Children that run side by side next."""

    children: Sequence[AgentChild]


class AgentEnd(Struct, frozen=True):
    """Outputs of an agent that has finished."""

    text: str
    value: Any = None
    """Parsed answer, with a schema."""


class Replay(Struct, frozen=True, kw_only=True):
    """State of the loop after the children on record."""

    steps: Sequence[AgentStep]
    """All steps that have been planned; those of a round that runs have no end."""
    next: NextRound | AgentEnd | NodeFailed | None
    """None: the round that has begun has not ended."""
