"""Calls of the script that accepts executions."""

from collections.abc import Mapping
from typing import Any

from engine.store.redis.connection import Argument

NO_FIELDS: Mapping[str, Argument] = {}


def acceptance(
    execution_id: str,
    *,
    fields: Mapping[str, Argument] = NO_FIELDS,
    **names: Any,
) -> dict[str, Any]:
    """Return keys and arguments of the call, with others than the usual ones by name.

    The reference, and the key of the execution, are the execution's id.
    """
    return {
        "workflow": "workflow",
        "execution": execution_id,
        "executions": "all",
        "due": "due",
        "active": "active",
        "id": execution_id,
        "reference": execution_id,
        "statuses": "p",
        "resend_ms": 5_000,
        "fields": [word for pair in fields.items() for word in pair],
        **names,
    }
