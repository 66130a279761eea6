"""Plans of bodies, which nodes run for each item, within the plan of a whole graph."""

from collections.abc import Sequence

import msgspec

from engine.graph.plan import Plan

BODY = "body"
"""Field of an execution's record: the ids of the outer nodes down to the one whose body it runs."""


def format_path(path: Sequence[str]) -> str:
    """Return the ids of outer nodes as a record has them; empty without any.

    An id may have any characters, NUL too.
    """
    return msgspec.json.encode(path).decode() if path else ""


def parse_path(field: bytes | str | None) -> tuple[str, ...]:
    """Return the ids of outer nodes that a record has; none: the whole graph runs."""
    return msgspec.json.decode(field, type=tuple[str, ...]) if field else ()


def body_at(plan: Plan, path: Sequence[str]) -> Plan | None:
    """Return the plan of a body, `plan` itself without ids of outer nodes; None: it is gone.

    The name of a part follows the id of a node that has parts.
    """
    found: Plan | None = plan
    names = iter(path)
    for node_id in names:
        if found is None:
            return None
        node = next((node for node in found.nodes if node.id == node_id), None)
        if node is not None and node.parts:
            found = node.parts.get(next(names, ""))
        else:
            found = None if node is None else node.body
    return found
