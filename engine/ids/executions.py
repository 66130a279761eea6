"""Ids of executions."""

import re
from typing import TypeGuard

UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


def is_execution_id(value: object) -> TypeGuard[str]:
    """Return True if the value has the format of an execution's id."""
    return isinstance(value, str) and UUID.fullmatch(value) is not None
