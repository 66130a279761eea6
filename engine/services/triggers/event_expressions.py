"""Expressions of inbound webhooks: their check at save, and their evaluation over an event."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from engine.services.expressions import Expressions
from engine.triggers.trigger import HookSettings
from engine.values.cel import Expression
from engine.values.cel.several import ALL, CONDITION, ExpressionProblem, SeveralCall
from engine.values.plain import kind_of

VARIABLES = ("body", "headers", "method", "query")
EVENT_ID = "eventId"
INPUTS = "inputs"
MAX_EVENT_ID = 1_024
"""Characters of an event's id."""


class EventVerdict(Struct, frozen=True, kw_only=True):
    """Outcome of the expressions of an inbound webhook for an event."""

    is_wanted: bool
    """Whether `when` holds, or there is none."""
    inputs: dict[str, Any]
    event_id: str | None
    problems: list[ExpressionProblem]
    """Reasons by the field of the settings: `when`, `eventId` or `inputs.<name>`."""


def expressions_of(hook: HookSettings) -> list[tuple[str, Expression]]:
    """Return the expressions of an inbound webhook, each with its field in the settings."""
    found = [(CONDITION, Expression(hook.when, VARIABLES, True, False))] if hook.when else []
    others = _named(hook)
    return found + [(name, Expression(text, VARIABLES, False, False)) for name, text in others]


async def check_expressions(
    expressions: Expressions, account_id: str, hook: HookSettings
) -> list[tuple[str, str]]:
    """Return field and fault of each expression that is not valid. Raises Unavailable."""
    named = expressions_of(hook)
    if not named:
        return []
    faults = await expressions.check(account_id, [each for _, each in named])
    return [(name, fault) for name, each in named if (fault := faults[each]) is not None]


async def judge_event(
    expressions: Expressions,
    account_id: str,
    hook: HookSettings,
    values: Mapping[str, Any],
    default_id: str | None,
    *,
    size: int = 0,
    is_thorough: bool = False,
) -> EventVerdict:
    """Return the outcome of all expressions for an event, by one call of a child process.

    `size` is that of the event in bytes, about. With `is_thorough`, inputs are evaluated although
    `when` is false or fails. Raises Unavailable.
    """
    body = values["body"]
    inputs: dict[str, Any] = body if hook.inputs is None and isinstance(body, dict) else {}
    others = _named(hook)
    if not hook.when and not others:
        return EventVerdict(is_wanted=True, inputs=inputs, event_id=default_id, problems=[])
    call = SeveralCall(hook.when or None, others, values, is_thorough)
    found = await expressions.evaluate_several(account_id, call, size)
    problems = [each if each.name != ALL else _renamed(hook, each) for each in found.problems]
    event_id = default_id
    if hook.event_id and EVENT_ID in found.results:
        event_id, reason = _event_id(found.results.pop(EVENT_ID))
        if reason:
            problems.append(ExpressionProblem(name=EVENT_ID, reason=reason))
    if hook.inputs is not None:
        inputs = {name.removeprefix(f"{INPUTS}."): each for name, each in found.results.items()}
    return EventVerdict(
        is_wanted=found.is_true, inputs=inputs, event_id=event_id, problems=problems
    )


def _named(hook: HookSettings) -> list[tuple[str, str]]:
    found = [(EVENT_ID, hook.event_id)] if hook.event_id else []
    return found + [(f"{INPUTS}.{name}", text) for name, text in (hook.inputs or {}).items()]


def _renamed(hook: HookSettings, problem: ExpressionProblem) -> ExpressionProblem:
    """Return a problem of all expressions as one of the first field that has any."""
    first = next(name for name, _ in expressions_of(hook))
    return ExpressionProblem(name=first, reason=problem.reason)


def _event_id(value: Any) -> tuple[str | None, str | None]:
    """Return the id that an expression gave, and the fault of a wrong one.

    Null and an empty text mean that the event has none.
    """
    if value is None or value == "":
        return None, None
    if not isinstance(value, str):
        return None, f"The expression gave {kind_of(value)}; an id of an event is a text"
    if len(value) > MAX_EVENT_ID:
        return None, f"The id of the event has more than {MAX_EVENT_ID:,} characters"
    return value, None
