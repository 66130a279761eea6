"""Expressions of nodes: variables, which are input sockets, and their values."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.errors.nodes import SettingsError
from engine.values import cel
from engine.values.sockets import Socket, SocketType

VALUE_IN = "value-in"
MAX_VARIABLES = 20


def read_variables(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Read the names of a node's variables. Raises SettingsError with all reasons."""
    names = data.get("variables")
    if names is None:
        return ()
    if not isinstance(names, list) or len(names) > MAX_VARIABLES:
        raise SettingsError(f"variables must be a list of at most {MAX_VARIABLES} names")
    reasons = list(_faults(names))
    if reasons:
        raise SettingsError(*reasons)
    return tuple(names)


def check_expression(
    member: str, expression: object, variables: Sequence[str], *, is_condition: bool
) -> str:
    """Check the expression at a member of a node's data. Raises SettingsError."""
    known = ", ".join(f"'{name}'" for name in (cel.VALUE, *variables))
    if not isinstance(expression, str):
        raise SettingsError(f"{member} must be a text: CEL over {known}")
    reason = cel.check(expression, variables, is_condition=is_condition)
    if reason:
        raise SettingsError(reason if member == "expression" else f"{member}: {reason}")
    return expression


def sockets(variables: Sequence[str]) -> dict[str, Socket]:
    """Return the input sockets of a node with these variables."""
    named = Socket(type=SocketType.ANY, required=True)
    return {VALUE_IN: Socket(type=SocketType.ANY), **dict.fromkeys(variables, named)}


def read_values(variables: Sequence[str], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of an expression's variables. Raises NodeFailed if too large."""
    values = {cel.VALUE: inputs.get(VALUE_IN), **{name: inputs.get(name) for name in variables}}
    cel.check_size(values)
    return values


def _faults(names: Sequence[object]) -> Iterator[str]:
    for position, name in enumerate(names):
        if not cel.is_variable(name):
            yield (
                f"variables[{position}] must be a name of letters, digits and _ that does not begin"
                f" with a digit, and neither '{cel.VALUE}' nor a word of CEL's own"
            )
        elif name in names[:position]:
            yield f"variables has '{name}' more than once"
