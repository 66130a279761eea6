"""Agents without a worker: tasks, rules, and ends of children, for replays of the loop."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from engine.executions.batches import ItemStatus
from engine.nodes.agents.rounds import AgentRules, AgentTask, EndedChild
from engine.nodes.agents.tool_names import KnownTool

TASK = AgentTask(
    prompt="Where is order 7?",
    workflows=(
        KnownTool(name="find-order", workflow="find-order", version=3),
        KnownTool(name="refund-order", workflow="refund-order", version=1),
    ),
)
RULES = AgentRules(model="demo", max_steps=12)


def rules(**members: Any) -> AgentRules:
    """Return rules with other members."""
    return replace(RULES, **members)


def ended(value: Any, *, cost: int = 0) -> EndedChild:
    """Return a completed child."""
    status = ItemStatus.COMPLETED
    return EndedChild(status=status, value=value, credits_cost=cost, duration_ms=5)


def failed(code: str, message: str = "It failed") -> EndedChild:
    """Return a failed child."""
    return EndedChild(status=ItemStatus.FAILED, error={"code": code, "message": message})


def turn(text: str = "", *calls: tuple[str, Mapping[str, Any]], cost: int = 0) -> EndedChild:
    """Return a turn of the model, with calls by name and arguments."""
    listed = [
        {"id": f"call-{number}", "name": name, "arguments": dict(given)}
        for number, (name, given) in enumerate(calls)
    ]
    return ended({"text": text, "calls": listed}, cost=cost)


def texts_of(messages: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return role and text of plain messages."""
    return [(each["role"], each.get("text", "")) for each in messages]
