"""Tags of executions: short texts that callers give them, to find them again."""

from collections.abc import Iterable

MAX_TAGS = 10
"""Most tags of one request; an item of a batch has those of its batch besides."""
MAX_TAG = 64
"""Most characters of a tag."""
SEPARATOR = "\0"
"""Stands between the tags on record; no tag has it."""


def distinct_tags(*lists: Iterable[str]) -> tuple[str, ...]:
    """Return the tags of all lists in their order, each once."""
    return tuple(dict.fromkeys(tag for tags in lists for tag in tags))


def pack_tags(tags: Iterable[str]) -> str:
    """Return the tags as a record has them."""
    return SEPARATOR.join(tags)


def parse_tags(packed: bytes | None) -> tuple[str, ...]:
    """Return the tags of a record."""
    return tuple(packed.decode().split(SEPARATOR)) if packed else ()
