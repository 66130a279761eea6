"""Ids of triggers and their occurrences, and tokens of inbound webhooks.

The token of an inbound webhook is drawn until its digest falls into the partition of its account,
as that of an API key: the token alone locates its record.
"""

import re
import secrets
import uuid

from engine.ids import tokens
from engine.ids.executions import new_execution_id
from engine.ids.partitions import partition_of

PREFIX = "trg_"
TRIGGER_ID = re.compile(r"trg_[0-9a-f]{12}")
HOOK_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def new_trigger_id() -> str:
    """Return a random id of a trigger."""
    return PREFIX + secrets.token_hex(6)


def is_trigger_id(value: object) -> bool:
    """Return whether the value has the format of a trigger's id."""
    return isinstance(value, str) and TRIGGER_ID.fullmatch(value) is not None


def due_occurrence_id(trigger_id: str, at: int) -> str:
    """Return the id of the occurrence of a due time in milliseconds: a second start finds it."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{trigger_id}:{at}"))


def new_occurrence_id() -> str:
    """Return a random id for the occurrence of an event, or of a start by hand."""
    return new_execution_id()


def occurrence_execution_id(occurrence_id: str) -> str:
    """Return the id of the execution that an occurrence starts."""
    return str(uuid.uuid5(uuid.UUID(occurrence_id), "run"))


def make_hook_token(account_id: str) -> str:
    """Generate the token of an inbound webhook: 43 URL-safe characters."""
    partition = partition_of(account_id)
    while True:
        token = secrets.token_urlsafe(32)
        if tokens.partition_of(tokens.digest(token)) == partition:
            return token


def is_hook_token(text: str) -> bool:
    """Return whether the text has the format of a token; the token may not exist."""
    return HOOK_TOKEN.fullmatch(text) is not None
