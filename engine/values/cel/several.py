"""Evaluation of several expressions over the same variables, by one call of a child process."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, field

from engine.errors.nodes import NodeFailed
from engine.values.cel import (
    MAX_RESULT_BYTES,
    check_size,
    evaluate_read,
    not_a_verdict,
    read_values,
)

MAX_VALUES_BYTES = 8_388_608
"""Size in JSON of all variables: a text of 1 MiB takes six times that in the worst case."""
CONDITION = "when"
"""Name of the condition in problems."""
ALL = ""
"""Name of a problem that no single expression has."""


class ExpressionProblem(Struct, frozen=True, kw_only=True):
    """Reason why an expression has no result."""

    name: str
    reason: str


class Evaluations(Struct, frozen=True, kw_only=True):
    """Results of expressions by name."""

    is_true: bool = True
    """Whether the condition holds; without a condition, or where that has a problem, True."""
    results: dict[str, Any] = field(default_factory=dict)
    problems: list[ExpressionProblem] = field(default_factory=list)


class SeveralCall(NamedTuple):
    """A condition and named expressions to evaluate over the same values."""

    condition: str | None
    expressions: Sequence[tuple[str, str]]
    values: Mapping[str, Any]
    is_thorough: bool = False
    """Evaluate the expressions although the condition is false, or has a problem."""


_decoder = msgspec.json.Decoder(Evaluations)


def decode_evaluations(encoded: bytes) -> Evaluations:
    """Return the evaluations that `evaluate_several` gave."""
    return _decoder.decode(encoded)


def evaluate_calls(calls: Sequence[SeveralCall]) -> list[bytes]:
    """Return the evaluations of each call."""
    return [evaluate_several(each) for each in calls]


def evaluate_several(call: SeveralCall) -> bytes:
    """Return the evaluations of a call, as JSON."""
    condition, expressions, values, is_thorough = call
    problems: list[ExpressionProblem] = []
    results: dict[str, Any] = {}
    is_true = True
    try:
        check_size(values, MAX_VALUES_BYTES)
        data = read_values(values)
    except NodeFailed as error:
        return _encode(is_true, results, [ExpressionProblem(name=ALL, reason=str(error))])
    if condition is not None:
        try:
            is_true = _decide(condition, data)
        except NodeFailed as error:
            problems.append(ExpressionProblem(name=CONDITION, reason=str(error)))
        if not is_thorough and (problems or not is_true):
            return _encode(is_true, results, problems)
    size = 0
    for name, text in expressions:
        try:
            results[name] = evaluate_read(text, data)
        except NodeFailed as error:
            problems.append(ExpressionProblem(name=name, reason=str(error)))
            continue
        size += len(msgspec.json.encode(results[name]))
        if size > MAX_RESULT_BYTES:
            reason = f"The results are over the limit of {MAX_RESULT_BYTES} bytes as JSON"
            return _encode(is_true, {}, [ExpressionProblem(name=ALL, reason=reason)])
    return _encode(is_true, results, problems)


def _decide(condition: str, data: Mapping[str, Any]) -> bool:
    verdict = evaluate_read(condition, data)
    if not isinstance(verdict, bool):
        raise not_a_verdict(verdict)
    return verdict


def _encode(is_true: bool, results: dict[str, Any], problems: list[ExpressionProblem]) -> bytes:
    return msgspec.json.encode(Evaluations(is_true=is_true, results=results, problems=problems))
