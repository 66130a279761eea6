"""Tables of Markdown."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table; bars and line breaks in cells are escaped."""
    written = [head, ["---"] * len(head), *lines]
    return "".join(f"|{'|'.join(map(_cell, line))}|\n" for line in written)


def _cell(text: str) -> str:
    if text == "---":
        return text
    text = " ".join(text.replace("|", "\\|").split())
    return f" {text} " if text else " "
