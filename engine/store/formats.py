"""Formats of records: numbers by which a reader knows whether it may act on a record.

A record of release 0.1.0 has none, which is format 1. A release adds fields, which earlier readers
ignore, without another format. It raises the format of a kind when a reader that ignores the new
fields would do something wrong, such as admit a key that may not be used from everywhere.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from engine.errors import RecordTooNew

FIELD = "format"


OF_PLAIN_GROUP = 2
"""Format of a group of children that does not grow, which release 0.2.0 feeds too."""


class Format(Enum):
    """Kinds of records, each with the newest format that this code knows, and writes.

    A group of children that does not grow keeps `OF_PLAIN_GROUP`.
    """

    ACCOUNT = ("account", 2)
    API_KEY = ("API key", 2)
    BATCH = ("batch", 2)
    CHILDREN = ("group of children", 3)
    DELIVERY = ("delivery", 2)
    EXECUTION = ("execution", 2)
    GRANT_CODE = ("code of a grant", 1)
    GRANT_REQUEST = ("request for a grant", 1)
    MODEL = ("model", 2)
    OAUTH_CLIENT = ("client of OAuth", 1)
    TRIGGER = ("trigger", 2)
    WEBHOOK = ("webhook", 2)
    WORKFLOW_TEST = ("test of a workflow", 1)
    WORKFLOW_VERSION = ("workflow version", 2)

    def __init__(self, noun: str, known: int) -> None:
        self.noun = noun
        self.known = known

    @property
    def members(self) -> dict[str, int]:
        """The member of a packed record, or the field of a hash."""
        return {FIELD: self.known}

    def knows(self, record: Mapping[str, Any]) -> bool:
        """Return whether this code may act on a record."""
        return FIELD not in record or int(record[FIELD]) <= self.known

    def check(self, record: Mapping[str, Any]) -> None:
        """Raise RecordTooNew for a record on which this code may not act."""
        if not self.knows(record):
            raise RecordTooNew(self.noun)
