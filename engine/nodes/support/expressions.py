"""Expressions of nodes: variables, which are input sockets, and their values."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.nodes.support.settings import Faults, Schema, Setting
from engine.values import cel
from engine.values.sockets import Socket, SocketType

VALUE_IN = "value-in"
MAX_VARIABLES = 20
NAME_WORDS = (
    "must be a name of letters, digits and _ that does not begin"
    f" with a digit, and neither '{cel.VALUE}' nor a word of CEL's own"
)


def _read_names(raw: object, path: str, faults: Faults) -> tuple[str, ...] | None:
    if not isinstance(raw, list) or len(raw) > MAX_VARIABLES:
        faults.add(path, f"must be a list of at most {MAX_VARIABLES} names")
        return None
    for position, name in enumerate(raw):
        where = f"{path}[{position}]"
        if not isinstance(name, str) or not cel.IDENTIFIER.fullmatch(name):
            faults.add(where, NAME_WORDS)
        elif not cel.is_variable(name):
            faults.add_rule(f"{where} {NAME_WORDS}", where)
        elif name in raw[:position]:
            faults.add_rule(f"{path} has '{name}' more than once", path)
    return tuple(name for name in raw if cel.is_variable(name))


VARIABLES = Setting(
    name="variables",
    about="Names of additional input sockets, which are variables of the expression.",
    widget="names",
    value={
        "type": "array",
        "maxItems": MAX_VARIABLES,
        "items": {"type": "string", "pattern": f"^(?:{cel.IDENTIFIER.pattern})$"},
    },
    parse=_read_names,
    fallback=(),
)
EXPRESSION: Schema = {"type": "string"}


def read_expression(
    member: str,
    expression: object,
    variables: Sequence[str],
    faults: Faults,
    *,
    is_condition: bool,
) -> str:
    """Return the expression at a member of a node's data; note it for its check."""
    known = ", ".join(f"'{name}'" for name in (cel.VALUE, *variables))
    if not isinstance(expression, str):
        faults.add(member, f"must be a text: CEL over {known}")
        return ""
    found = cel.Expression(expression, tuple(sorted(variables)), is_condition)
    faults.expressions.append((member, found))
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
