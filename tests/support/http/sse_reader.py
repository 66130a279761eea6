"""A reader of server-sent events."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SentEvent:
    """One event."""

    id: str
    name: str
    data: Any


def parse(text: str) -> list[SentEvent]:
    """Return the events of a stream; comments and the retry time are left out."""
    return [sent for block in text.split("\n\n") if (sent := _parse_block(block)) is not None]


def _parse_block(block: str) -> SentEvent | None:
    fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
    if "data" not in fields:
        return None
    return SentEvent(fields["id"], fields["event"], json.loads(fields["data"]))


def named(events: list[SentEvent], name: str) -> list[Any]:
    """Return the data of the events with this name."""
    return [each.data for each in events if each.name == name]
