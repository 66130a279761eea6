"""CEL: check of expressions at save, and their evaluation in a child process."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from engine.errors.nodes import NodeFailed
from engine.values.cel.environment import environment
from engine.values.cel.values import to_doubles, to_plain
from engine.values.plain import fault, has_nul, is_text, kind_of

MAX_EXPRESSION_BYTES = 4_096
MAX_VALUE_BYTES = 1_048_576
MAX_RESULT_BYTES = 10_485_760
MAX_MESSAGE = 300
ERROR = "expression_error"

VALUE = "value"
"""Name of the variable that every expression has."""

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")
STATUS = re.compile(r"^(?:[A-Z_]+: )+(?:<input>:-1:-1: )?| \[[A-Z_]+\]$")
MIXED_NUMBERS = re.compile(r"\((double, u?int\d*|u?int\d*, double)\)")
OPTIONAL = "The expression gives an optional value; take what it holds with orValue(…)"
UNCONVERTED = "returned a result with an exception set"
"""Message of the library for an optional value in a list passed to an added function."""
HINT = "; JSON numbers are doubles here: write 1.0 instead of 1, or use int(…)"


def check(
    expression: str, variables: Sequence[str] = (), *, is_condition: bool = False
) -> str | None:
    """Return the fault of an expression as a sentence with its position, or None."""
    if not is_text(expression) or len(expression.encode()) > MAX_EXPRESSION_BYTES:
        return f"The expression must be valid text of at most {MAX_EXPRESSION_BYTES} bytes"
    if not expression.strip():
        return "The expression is empty"
    try:
        compiled = _compile(expression, (VALUE, *variables))
    except RuntimeError as error:
        return _explain(error)
    result_type = compiled.return_type().name().lower()
    if result_type.startswith("optional"):
        return OPTIONAL
    if is_condition and result_type not in ("bool", "dyn"):
        return f"The expression gives {result_type}; a condition needs true or false"
    return None


def is_variable(name: object) -> bool:
    """Return True for a valid name of a further variable: no keyword and no type of CEL."""
    if not isinstance(name, str) or not IDENTIFIER.fullmatch(name) or name == VALUE:
        return False
    try:
        return str(_compile(name, (name,)).return_type().name()) == "DYN"
    except RuntimeError:
        return False


def check_size(values: Mapping[str, Any]) -> None:
    """Check that values of variables are plain and not too large. Raises NodeFailed."""
    for name, value in values.items():
        reason = fault(value)
        if reason:
            raise NodeFailed(ERROR, f"{_title(name)} {reason}")
    if sum(_size(value) for value in values.values()) > MAX_VALUE_BYTES:
        subject = "The value is" if len(values) == 1 else "All values together are"
        raise NodeFailed(ERROR, f"{subject} over the limit of {MAX_VALUE_BYTES} bytes as JSON")


def evaluate(expression: str, values: Mapping[str, Any]) -> Any:
    """Return the plain result of an expression over its variables. Raises NodeFailed."""
    check_size(values)
    return _evaluate(expression, _read_values(values))


def evaluate_as_json(expression: str, values: Mapping[str, Any]) -> bytes:
    """Like `evaluate`, with the result as JSON."""
    return msgspec.json.encode(evaluate(expression, values))


def choose(expressions: Sequence[str], values: Mapping[str, Any]) -> int | None:
    """Return the index of the first expression that is true, or None. Raises NodeFailed."""
    check_size(values)
    data = _read_values(values)
    for position, expression in enumerate(expressions):
        verdict = _evaluate(expression, data)
        if not isinstance(verdict, bool):
            raise not_a_verdict(verdict)
        if verdict:
            return position
    return None


def not_a_verdict(value: Any) -> NodeFailed:
    """Return the failure of a condition whose result is neither true nor false."""
    reason = f"The expression gave {kind_of(value)}; a condition needs true or false"
    return NodeFailed(ERROR, reason)


def _evaluate(expression: str, data: Mapping[str, Any]) -> Any:
    try:
        found = _compile(expression, tuple(data)).eval(data=data)
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


@lru_cache(maxsize=256)
def _compile(expression: str, names: tuple[str, ...]) -> Any:
    return environment(names).compile(expression)


def _title(name: str) -> str:
    return "The value" if name == VALUE else f"The value of '{name}'"


def _read_values(values: Mapping[str, Any]) -> dict[str, Any]:
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
    return f"The expression failed: {plain}{HINT if MIXED_NUMBERS.search(plain) else ''}"
