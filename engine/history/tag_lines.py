"""Tags of an archived row in one text, in which a query finds each of them.

Every tag stands between two line feeds; a line feed in a tag is written `\\n`, a backslash twice.
"""

from collections.abc import Sequence

LINE = "\n"


def pack_tag_lines(tags: Sequence[str]) -> str | None:
    """Return the text of tags, None without any."""
    return LINE + LINE.join(map(_escape, tags)) + LINE if tags else None


def tag_line(tag: str) -> str:
    """Return the part of the text that is there exactly if the tag is."""
    return LINE + _escape(tag) + LINE


def parse_tag_lines(lines: str | None) -> tuple[str, ...]:
    """Return the tags of a text, in their order."""
    return tuple(map(_unescape, lines.strip(LINE).split(LINE))) if lines else ()


def _escape(tag: str) -> str:
    return tag.replace("\\", "\\\\").replace(LINE, "\\n")


def _unescape(escaped: str) -> str:
    parts = escaped.split("\\\\")
    return "\\".join(each.replace("\\n", LINE) for each in parts)
