"""CEL: check of expressions at save, and their evaluation. Both run in child processes alone:
compiling a short text may take minutes and gigabytes.
"""

import re
import signal
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from engine.errors.nodes import NodeFailed
from engine.values.cel.environment import environment
from engine.values.cel.expansion import expanded_size
from engine.values.cel.names import IDENTIFIER, VALUE, is_variable
from engine.values.cel.values import to_doubles, to_plain
from engine.values.plain import fault, has_nul, is_text, kind_of

MAX_EXPRESSION_BYTES = 4_096
MAX_VALUE_BYTES = 1_048_576
MAX_RESULT_BYTES = 10_485_760
MAX_MESSAGE = 300
ERROR = "expression_error"

MAX_EXPANDED = 8_192
"""Tokens of an expression after the expansion of macros; the longest text has 4,096 before."""
CHECK_CPU_SECONDS = 0.25
"""Processor time for the check of one expression. Ordinary ones take 10 ms at most."""
CHECK_SLICE_SECONDS = 0.02
"""Processor time after which `check_some` returns before it begins another expression."""

PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")
STATUS = re.compile(r"^(?:[A-Z_]+: )+(?:<input>:-1:-1: )?| \[[A-Z_]+\]$")
MIXED_NUMBERS = re.compile(r"\((double, u?int\d*|u?int\d*, double)\)")
OPTIONAL = "The expression gives an optional value; take what it holds with orValue(…)"
COPIED = (
    f"The expression is over the limit of {MAX_EXPANDED} tokens, because each optMap and optFlatMap"
    " repeats the expression before it; bind that to a name with cel.bind(…)"
)
UNCONVERTED = "returned a result with an exception set"
"""Message of the library for an optional value in a list passed to an added function."""
MEMBERLESS = "Applying SELECT to non-message type"
"""Message of the library for a member of a text, a number, a list or null."""
NO_MEMBERS = "a member is read of a value that has none, such as a text or null"
HINT = "; JSON numbers are doubles here: write 1.0 instead of 1, or use int(…)"


__all__ = ["IDENTIFIER", "VALUE", "is_variable"]


class Expression(NamedTuple):
    """An expression of a node, as its check needs it."""

    text: str
    variables: tuple[str, ...] = ()
    """Names of variables beside `value`, sorted."""
    is_condition: bool = False
    has_value: bool = True
    """Whether there is a variable `value`."""


def check_some(expressions: Sequence[Expression]) -> tuple[list[str | None], float]:
    """Check expressions for a short while, at least the first; return faults and processor time.

    Call it in a child process, which a check over CHECK_CPU_SECONDS ends.
    """
    began, faults = time.process_time(), list[str | None]()
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    try:
        for each in expressions:
            signal.setitimer(signal.ITIMER_PROF, CHECK_CPU_SECONDS)
            faults.append(
                check(
                    each.text,
                    each.variables,
                    is_condition=each.is_condition,
                    has_value=each.has_value,
                )
            )
            if time.process_time() - began > CHECK_SLICE_SECONDS:
                break
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return faults, time.process_time() - began


def check(
    expression: str,
    variables: Sequence[str] = (),
    *,
    is_condition: bool = False,
    has_value: bool = True,
) -> str | None:
    """Return the fault of an expression as a sentence with its position, or None."""
    if not is_text(expression) or len(expression.encode()) > MAX_EXPRESSION_BYTES:
        return f"The expression must be valid text of at most {MAX_EXPRESSION_BYTES} bytes"
    if not expression.strip():
        return "The expression is empty"
    if expanded_size(expression) > MAX_EXPANDED:
        return COPIED
    try:
        names = _names(variables) if has_value else tuple(sorted(variables))
        compiled = environment(names).compile(expression)
        # Raises for some types that compile, such as a map with maps as keys.
        result_type = compiled.return_type().name().lower()
    except RuntimeError as error:
        return _explain(error)
    if result_type.startswith("optional"):
        return OPTIONAL
    if is_condition and result_type not in ("bool", "dyn"):
        return f"The expression gives {result_type}; a condition needs true or false"
    return None


def check_size(values: Mapping[str, Any], max_bytes: int = MAX_VALUE_BYTES) -> None:
    """Check that values of variables are plain and not too large. Raises NodeFailed."""
    for name, value in values.items():
        reason = fault(value)
        if reason:
            raise NodeFailed(ERROR, f"{_title(name)} {reason}")
    if sum(_size(value) for value in values.values()) > max_bytes:
        subject = "The value is" if len(values) == 1 else "All values together are"
        raise NodeFailed(ERROR, f"{subject} over the limit of {max_bytes} bytes as JSON")


def evaluate(expression: str, values: Mapping[str, Any]) -> Any:
    """Return the plain result of an expression over its variables. Raises NodeFailed."""
    check_size(values)
    return evaluate_read(expression, read_values(values))


def evaluate_as_json(expression: str, values: Mapping[str, Any]) -> bytes:
    """Like `evaluate`, with the result as JSON."""
    return msgspec.json.encode(evaluate(expression, values))


def choose(expressions: Sequence[str], values: Mapping[str, Any]) -> int | None:
    """Return the index of the first expression that is true, or None. Raises NodeFailed."""
    check_size(values)
    data = read_values(values)
    for position, expression in enumerate(expressions):
        verdict = evaluate_read(expression, data)
        if not isinstance(verdict, bool):
            raise not_a_verdict(verdict)
        if verdict:
            return position
    return None


def not_a_verdict(value: Any) -> NodeFailed:
    """Return the failure of a condition whose result is neither true nor false."""
    reason = f"The expression gave {kind_of(value)}; a condition needs true or false"
    return NodeFailed(ERROR, reason)


def evaluate_read(expression: str, data: Mapping[str, Any]) -> Any:
    """Return the plain result over variables that `read_values` gave. Raises NodeFailed."""
    try:
        found = _compile(expression, tuple(sorted(data))).eval(data=data)
        kind, plain = found.type().name(), found.plain_value()
    except RuntimeError as error:
        raise NodeFailed(ERROR, _explain(error)) from None
    except (TypeError, SystemError):  # raised by the library if it cannot convert an optional
        raise NodeFailed(ERROR, OPTIONAL) from None
    except MemoryError:
        raise NodeFailed(ERROR, "The expression needs too much memory") from None
    if kind in ("ERROR", "UNKNOWN"):
        raise NodeFailed(ERROR, _explain(plain))
    try:
        result = to_plain(plain)
        reason = fault(result)
    except ValueError as error:
        reason = str(error)
    if reason:
        raise NodeFailed(ERROR, f"The expression's result {reason}")
    if _size(result) > MAX_RESULT_BYTES:
        raise NodeFailed(ERROR, f"The result is over the limit of {MAX_RESULT_BYTES} bytes as JSON")
    return result


def _names(variables: Sequence[str]) -> tuple[str, ...]:
    """Return the names of an environment, one for each set of variables."""
    return tuple(sorted({VALUE, *variables}))


@lru_cache(maxsize=64)  # the largest take 2 MB
def _compile(expression: str, names: tuple[str, ...]) -> Any:
    return environment(names).compile(expression)


def _title(name: str) -> str:
    return "The value" if name == VALUE else f"The value of '{name}'"


def read_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of variables as expressions take them. Raises NodeFailed."""
    for name, value in values.items():
        if has_nul(value):
            raise NodeFailed(ERROR, f"{_title(name)} has a text with a NUL character")
    return {name: to_doubles(value) for name, value in values.items()}


def _size(value: Any) -> int:
    return len(msgspec.json.encode(value))


def _explain(error: object) -> str:
    text = str(error)
    if UNCONVERTED in text:
        return OPTIONAL
    match = PLACE.search(text)
    if match:
        return f"The expression at line {match[1]}, column {match[2]}: {match[3][:MAX_MESSAGE]}"
    plain = STATUS.sub("", text).partition("\n")[0][:MAX_MESSAGE]
    if MEMBERLESS in plain:
        return f"The expression failed: {NO_MEMBERS}"
    return f"The expression failed: {plain}{HINT if MIXED_NUMBERS.search(plain) else ''}"
