"""Evaluation of the expectations of a test over the outcome of its run."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from engine.services.expressions import Expressions
from engine.services.workflow_tests.seen_values import seen_values
from engine.values.cel.several import ALL, Evaluations, SeveralCall
from engine.values.plain import kind_of


class SeenExpectation(Struct, frozen=True, kw_only=True):
    """Expectation of a test, and what it saw."""

    expression: str
    met: bool | None
    """None: it could not be evaluated."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Values that it saw, by the path in the expression; long ones are cut."""
    reason: str | None = None
    """Reason why it could not be evaluated."""


async def see_expectations(
    expressions: Expressions, account_id: str, texts: Sequence[str], values: Mapping[str, Any]
) -> list[SeenExpectation]:
    """Return the expectations in order, evaluated over the values of their names.

    Raises Unavailable where too many expressions are evaluated at once.
    """
    found = await _evaluate(expressions, account_id, dict(enumerate(texts)), values)
    reasons = {each.name: each.reason for each in found.problems}
    seen = await asyncio.to_thread(lambda: [seen_values(text, values) for text in texts])
    expectations = []
    for index, text in enumerate(texts):
        name = str(index)
        verdict = found.results.get(name)
        reason = reasons.get(name) or reasons.get(ALL)
        if reason is None and not isinstance(verdict, bool):
            reason = f"The expression gave {kind_of(verdict)}; a condition needs true or false"
        expectations.append(
            SeenExpectation(
                expression=text,
                met=None if reason else verdict,
                values=seen[index],
                reason=reason,
            )
        )
    return expectations


async def evaluate_inputs(
    expressions: Expressions,
    account_id: str,
    texts: Mapping[str, str],
    values: Mapping[str, Any],
) -> Evaluations:
    """Return the results of a judge's inputs by name, and the problems of those without one.

    Raises Unavailable like `see_expectations`.
    """
    return await _evaluate(expressions, account_id, texts, values)


async def _evaluate(
    expressions: Expressions,
    account_id: str,
    texts: Mapping[int, str] | Mapping[str, str],
    values: Mapping[str, Any],
) -> Evaluations:
    if not texts:
        return Evaluations()
    named = [(str(name), text) for name, text in texts.items()]
    size = len(msgspec.json.encode(values))
    return await expressions.evaluate_several(account_id, SeveralCall(None, named, values), size)
