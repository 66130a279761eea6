"""Names of a script's keys and arguments, as its header lists them.

    -- KEYS: execution, delivery? (of a webhook), records...
    -- ARGV: now? (Redis's clock), reference, act*6, fields..., limits...

Commas separate the names; an explanation in parentheses follows where a name does not suffice.

| in the header | in a call | in the script |
|---|---|---|
| `name` | one value | `KEYS.name`, `ARGV.name` |
| `name?` | one value, None or left out | absent: `KEYS.name` is false, `ARGV.name` is '' |
| `name*6` | six values | `FIRST.name` and `LAST.name` are positions in ARGV |
| `name...` | any number of values; may be left out | the same, in KEYS or ARGV; lists stand last |

Positions replace the names in the script's text when it is loaded, so that names cost no time.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from operator import itemgetter
from typing import Any

ENTRIES = re.compile(r"^-- (KEYS|ARGV): ((?:.|\n--  )*)", re.MULTILINE)
ENTRY = re.compile(r"([a-z][a-z0-9_]*)(\?|\.\.\.|\*\d+)?( \(.+\))?")
REFERENCE = re.compile(r"\b(KEYS|ARGV|FIRST|LAST)\.(\w+)")
BY_NUMBER = re.compile(r"\b(KEYS|ARGV)\[\d+\]")
LIST = 0
"""Size of a sequence of any length."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """Name of a key or an argument, and the number of its positions."""

    name: str
    size: int = 1
    is_optional: bool = False


class ScriptNames:
    """Binds the names of one script: in its calls to values, in its text to positions."""

    def __init__(self, keys: Sequence[Parameter], arguments: Sequence[Parameter]) -> None:
        """Raise ValueError for parameters that have no position of their own."""
        self.keys, self.arguments = keys, arguments
        parameters = [*keys, *arguments]
        names = [each.name for each in parameters]
        sizes = [each.size for each in arguments]
        if len(set(names)) < len(names):
            raise ValueError("a name occurs twice")
        if LIST in sizes and any(sizes[sizes.index(LIST) :]):
            raise ValueError("a list does not stand last")
        if not keys or keys[0].is_optional:
            raise ValueError("the first key may be absent")
        if any(each.size != 1 for each in keys[:-1]) or keys[-1].size > 1:
            raise ValueError("several keys that are no list at the end have one name")
        self._count = len(names)
        self._defaults: dict[str, Any] = {
            each.name: None if each.is_optional else ()
            for each in parameters
            if each.is_optional or each.size == LIST
        }
        self._values: Callable[[dict[str, Any]], Sequence[Any]] = (
            itemgetter(*names) if len(names) > 1 else lambda given: (given[names[0]],)
        )
        self._optional = [
            (place, place < len(keys)) for place, each in enumerate(parameters) if each.is_optional
        ]
        self._has_sequences = any(each.size != 1 for each in parameters)

    def bind(self, given: dict[str, Any]) -> Sequence[Any]:
        """Return the number of keys, the keys and the arguments of a call.

        Raises TypeError for a missing or an unknown name.
        """
        if len(given) != self._count:
            given = self._defaults | given
        try:
            values = self._values(given)
        except KeyError as error:
            raise TypeError(f"the call lacks {error}") from None
        if len(given) != self._count:
            known = {each.name for each in (*self.keys, *self.arguments)}
            raise TypeError(f"the script has no {', '.join(sorted(given.keys() - known))}")
        if self._optional and None in values:
            values = list(values)
            for place, is_key in self._optional:
                if values[place] is None:
                    values[place] = values[0] if is_key else ""
        return self._spread(values) if self._has_sequences else (len(self.keys), *values)

    def _spread(self, values: Sequence[Any]) -> Sequence[Any]:
        """Return the words of a call with sequences; the lengths of lists stand before them."""
        count = len(self.keys)
        keys = list(_flatten(self.keys, values[:count]))
        return [len(keys), *keys, *_flatten(self.arguments, values[count:])]

    def place(self, text: str) -> str:
        """Return a script's text with positions for names.

        Raises ValueError for a name that the header lacks or the text does not use, and for a
        position by number.
        """
        places = {**_places("KEYS", self.keys), **_places("ARGV", self.arguments)}
        used = {reference[2] for reference in REFERENCE.finditer(text)}
        unused = {each.name for each in (*self.keys, *self.arguments)} - used
        wrong = [match[0] for match in REFERENCE.finditer(text) if match[0] not in places]
        wrong += [match[0] for match in BY_NUMBER.finditer(text)]
        if unused or wrong:
            raise ValueError(f"unused names: {sorted(unused)}, not in the header: {wrong}")
        return REFERENCE.sub(lambda reference: places[reference[0]], text)


def _flatten(parameters: Sequence[Parameter], values: Sequence[Any]) -> Iterator[Any]:
    lists = [values[place] for place, parameter in enumerate(parameters) if parameter.size == LIST]
    for parameter, value in zip(parameters, values, strict=True):
        if parameter.size == 1:
            yield value
        elif parameter.size != LIST:
            if len(value) != parameter.size:
                raise TypeError(f"{parameter.name} has {parameter.size} values")
            yield from value
    yield from map(len, lists[:-1])
    for each in lists:
        yield from each


def _places(table: str, parameters: Sequence[Parameter]) -> dict[str, str]:
    """Return the Lua expression for each reference to a name."""
    places: dict[str, str] = {}
    at = 0
    for each in (each for each in parameters if each.size != LIST):
        position = f"{table}[{at + 1}]"
        if each.size > 1:
            places[f"FIRST.{each.name}"], places[f"LAST.{each.name}"] = (
                str(at + 1),
                str(at + each.size),
            )
        elif each.is_optional and table == "KEYS":
            places[f"KEYS.{each.name}"] = f"({position} ~= KEYS[1] and {position})"
        else:
            places[f"{table}.{each.name}"] = position
        at += each.size
    lists = [each for each in parameters if each.size == LIST]
    first = str(at + len(lists))
    for length_at, each in enumerate(lists, at + 1):
        is_last = each is lists[-1]
        places[f"FIRST.{each.name}"] = f"({first})"
        first += f" + {table}[{length_at}]"
        places[f"LAST.{each.name}"] = f"#{table}" if is_last else f"({first} - 1)"
    return places


def parse_names(text: str) -> ScriptNames:
    """Return the names in a script's header. Raises ValueError for a wrong one."""
    header = text.partition("\n-- Returns ")[0]
    entries = {table: text.replace("\n--", "") for table, text in ENTRIES.findall(header)}
    keys, arguments = (
        [_parse_entry(" ".join(each.split())) for each in _split(entries.get(table, ""))]
        for table in ("KEYS", "ARGV")
    )
    return ScriptNames(keys, arguments)


def _parse_entry(entry: str) -> Parameter:
    match = ENTRY.fullmatch(entry)
    if not match or iskeyword(match[1]):
        raise ValueError(f"not the name of a key or an argument: {entry}")
    form = match[2] or ""
    size = LIST if form == "..." else int(form.removeprefix("*")) if "*" in form else 1
    return Parameter(match[1], size, is_optional=form == "?")


def _split(entries: str) -> Iterator[str]:
    """Yield the texts between commas that are not in parentheses."""
    depth, start = 0, 0
    for position, sign in enumerate(entries):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            yield entries[start:position]
            start = position + 1
    if entries:
        yield entries[start:]
