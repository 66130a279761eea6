"""Names of variables of expressions."""

import re

VALUE = "value"
"""Name of the variable that every expression has."""

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_RESERVED = (
    *("as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in"),
    *("let", "loop", "namespace", "null", "package", "return", "true", "var", "void", "while"),
)
_TYPES = (
    *("bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "optional_type"),
    *("string", "type", "uint"),
)
OWN_WORDS = frozenset({*_RESERVED, *_TYPES})
"""Words of CEL's grammar, those that it keeps for later, and its types."""


def is_variable(name: object) -> bool:
    """Return True for a valid name of a further variable: no keyword and no type of CEL."""
    return (
        isinstance(name, str)
        and IDENTIFIER.fullmatch(name) is not None
        and name != VALUE
        and name not in OWN_WORDS
    )
