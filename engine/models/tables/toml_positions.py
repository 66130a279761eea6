"""Line numbers of TOML members for messages, since the parser does not keep them."""

import re
from collections import Counter
from collections.abc import Iterator

HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\"'-]+)\s*\]")
MEMBER = re.compile(r"\s*([\w\"'-]+)\s*[=.]")
QUOTES = ('"""', "'''")
LAST_STEP = re.compile(r"(\[\d+\]|\.?[^.\[\]]*)$")


class TomlPositions:
    """Lines of tables and members by path, such as `fields[0].name`."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, int] = {}
        for path, number in _read(text):
            self._lines.setdefault(path, number)

    def find(self, path: str) -> int | None:
        """Return the line of a path or of its innermost known parent, or None."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = LAST_STEP.sub("", path, count=1)
        return None


def _read(text: str) -> Iterator[tuple[str, int]]:
    counts: Counter[str] = Counter()
    table, quote = "", ""
    for number, line in enumerate(text.split("\n"), 1):
        if quote:
            quote = "" if quote in line else quote
            continue
        if line.lstrip().startswith("#"):
            continue
        header = HEADER.match(line)
        if header:
            table = _unquoted(header[2])
            if header[1] == "[[":
                yield table, number
                counts[table] += 1
                table = f"{table}[{counts[table] - 1}]"
            yield table, number
            continue
        member = MEMBER.match(line)
        if member:
            yield f"{table}.{_unquoted(member[1])}".lstrip("."), number
        quote = next((each for each in QUOTES if line.count(each) % 2), "")


def _unquoted(name: str) -> str:
    return name.replace('"', "").replace("'", "")
