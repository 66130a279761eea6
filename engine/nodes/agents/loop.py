"""Loop of an agent, replayed over the ends of its children: no other state is kept.

The same settings, inputs and ends always give the same next round, so that any worker goes on
where another one stopped.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from engine.executions.batches import ItemStatus
from engine.nodes.agents.parts import PartKind
from engine.nodes.agents.steps import AgentStep


class KnownTool(Struct, frozen=True, kw_only=True):
    """Tool that a model is offered."""

    name: str
    """Name for the model, `[a-zA-Z0-9_-]{1,64}`."""
    description: str = ""
    parameters: Mapping[str, Any] = {}
    """JSON Schema of the arguments, an object."""
    workflow: str = ""
    """Slug of the workflow that is called; empty: a server has the tool."""
    version: int = 0
    """Version of the workflow, the live one when the agent began."""
    server: int | None = None
    """Position in the list `tools` of the server that has the tool."""
    remote_name: str = ""
    """Name of the tool on its server."""


class AgentTask(Struct, frozen=True, kw_only=True):
    """Work of an agent, fixed when it begins."""

    prompt: str
    system: str = ""
    files: Sequence[Any] = ()
    """Links of media and files for the first message."""
    workflows: Sequence[KnownTool] = ()
    """Tools that are workflows; those of servers are listed by the first round."""


class EndedChild(Struct, frozen=True, kw_only=True):
    """End of a child of an agent, in the order of their indexes."""

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

    outputs: Mapping[str, Any]


class Replay(Struct, frozen=True, kw_only=True):
    """State of the loop after the ends on record."""

    steps: Sequence[AgentStep]
    """All steps that have been planned; those of a round that runs have no end."""
    next: NextRound | AgentEnd | None
    """None: the ends of a round that has begun are missing."""
