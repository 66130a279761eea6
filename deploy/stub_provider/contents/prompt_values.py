"""Values read from a prompt, so that an answer in a dictated form has something to do with it.

A prompt has values as `name: value`, at the beginning of a line or behind a semicolon.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

_WORD = re.compile(r"[^\W\d_]+|\d+")
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OPTIONS = re.compile(
    r"\bone of(?: the following| these)?(?: words| labels| options| topics)?:\s*([^.;\n]+)", re.I
)
_COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_COUNT = re.compile(rf"\b({'|'.join(_COUNTS)}|[1-9]|10) [^\W\d_]+s\b", re.I)
_COMMON = 4
"""Least number of letters at which words that begin alike count as one."""
MAX_OPTION_WORDS = 4
MAX_FEATURES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptValues:
    """A prompt, and what can be read from it."""

    text: str = ""

    def labelled(self, name: str) -> str | None:
        """Return the value behind a property's name in words, such as `unit price` of unitPrice."""
        if not self.text or not name:
            return None
        words = r"[\s_-]*".join(map(re.escape, _HUMP.sub(" ", name).replace("_", " ").split()))
        line = re.search(rf"(?:^|[;\n])[ \t*-]*{words}[ \t]*:[ \t]*([^;\n]+)", self.text, re.I)
        return line[1].strip() if line and words else None

    def number(self, name: str) -> float | None:
        """Return the first number of a labelled value."""
        number = _NUMBER.search(self.labelled(name) or "")
        return float(number[0].replace(",", "")) if number else None

    def rows(self, names: Sequence[str]) -> list["PromptValues"]:
        """Return the lines with at least two of these labels, each as values of its own."""
        lines = (PromptValues(text=line) for line in self.text.splitlines())
        return [
            line for line in lines if sum(line.labelled(each) is not None for each in names) > 1
        ]

    def choose(self, options: Sequence[Any], about: str = "") -> Any:
        """Return the option of which most words are in the prompt, the first one by default.

        `about` may explain options, as `refund: money back, charged twice; other: the rest`.
        """
        told = _explained(about)
        scores = [self._count(f"{each} {told.get(str(each).lower(), '')}") for each in options]
        return options[scores.index(max(scores))]

    def _count(self, words: str) -> int:
        own = set(words_of(self.text))
        return sum(any(alike(word, each) for each in own) for word in set(words_of(words)))


def named_options(text: str) -> list[str]:
    """Return the options that a text names, as in "one of: red, green or blue"; else none."""
    listed = _OPTIONS.search(text)
    options = re.split(r"\s*,\s*(?:or\s+)?|\s+or\s+|\s*/\s*|\s*\|\s*", listed[1]) if listed else []
    named = [each.strip(" '\"`") for each in options]
    is_list = len(named) > 1 and all(0 < len(each.split()) <= MAX_OPTION_WORDS for each in named)
    return named if is_list else []


def named_count(text: str) -> int | None:
    """Return the number up to ten that a text names first, as in "three headlines", or None."""
    counted = _COUNT.search(text)
    if counted is None:
        return None
    word = counted[1].lower()
    return int(word) if word.isdigit() else _COUNTS.index(word) + 1


def _explained(about: str) -> Mapping[str, str]:
    parts = (part.partition(":") for part in about.split(";"))
    return {name.strip().lower(): words for name, colon, words in parts if colon}


def words_of(text: str) -> Iterator[str]:
    """Return the longer words of a text and its numbers, in small letters."""
    return (word for word in _WORD.findall(text.lower()) if len(word) >= _COMMON)


def alike(one: str, other: str) -> bool:
    """Return whether two words begin with the same letters, as `billing` and `bill` do."""
    length = max(_COMMON, (max(len(one), len(other)) + 1) // 2)
    return one[:length] == other[:length]


def feature_words(text: str) -> list[str]:
    """Return the words of a text and their beginnings, of which similar texts share most."""
    words = dict.fromkeys(islice(words_of(text), MAX_FEATURES))
    return [*words, *dict.fromkeys(word[:_COMMON] for word in words)]
