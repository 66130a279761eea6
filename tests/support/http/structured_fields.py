"""A strict reader of Structured Fields (RFC 9651), for lists of strings with integer parameters."""

import re

STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
INTEGER = re.compile(r"-?[0-9]{1,15}")
COMMA = re.compile(r"[ \t]*,[ \t]*")

Items = dict[str, dict[str, int]]


def read_list(text: str) -> Items:
    """Return the items, each a string, with their integer parameters. Raises ValueError."""
    reader = _Reader(text)
    items: Items = {}
    while True:
        name = re.sub(r"\\(.)", r"\1", reader.take(STRING)[1:-1])
        if name in items:
            raise ValueError(f"{name!r} is there twice")
        items[name] = reader.parameters()
        if reader.is_at_end():
            return items
        reader.take(COMMA)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def is_at_end(self) -> bool:
        return self._at == len(self._text)

    def take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"{self._text!r} is wrong at character {self._at}")
        self._at = match.end()
        return match.group()

    def parameters(self) -> dict[str, int]:
        found: dict[str, int] = {}
        while not self.is_at_end() and self._text[self._at] == ";":
            self._at += 1
            self.take(re.compile(" *"))
            key = self.take(KEY)
            self.take(re.compile("="))
            if key in found:
                raise ValueError(f"{key!r} is there twice")
            found[key] = int(self.take(INTEGER))
        return found
