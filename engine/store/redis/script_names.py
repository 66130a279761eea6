"""Names of a script's keys and arguments, as its header lists them.

    -- KEYS: execution, delivery? (of a webhook), records...
    -- ARGV: now? (Redis's clock), reference, act*6, fields..., limits...

Commas separate the names; an explanation in parentheses follows where a name does not suffice.

| in the header | in a call | in the script |
|---|---|---|
| `name` | one value | `KEYS.name`, `ARGV.name` |
| `name?` | one value, None or left out | absent: `KEYS.name` is false or nil, `ARGV.name` is '' |
| `name*6` | six values | `FIRST.name` and `LAST.name` are positions in ARGV |
| `name...` | any number of values; may be left out | the same, in KEYS or ARGV; lists stand last |

Positions replace the names in the script's text when it is loaded, so that names cost no time.
Absent keys behind the last present one are not sent; others are sent as the first key, since all
keys of a call lie in one slot.
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
        _check(keys, arguments)
        self.keys, self.arguments = keys, arguments
        parameters = [*keys, *arguments]
        names = [each.name for each in parameters]
        self._names = frozenset(names)
        self._defaults: dict[str, Any] = {
            each.name: None if each.is_optional else ()
            for each in parameters
            if each.is_optional or each.size == LIST
        }
        self._values: Callable[[dict[str, Any]], Sequence[Any]] = (
            itemgetter(*names) if len(names) > 1 else lambda given: (given[names[0]],)
        )
        self._optional = [place for place, each in enumerate(parameters) if each.is_optional]
        needed = [each.size != LIST and not each.is_optional for each in keys]
        self._needed = max((at for at, each in enumerate(needed, 1) if each), default=0)
        """Number of keys up to the last one that is always present."""
        sizes = [each.size for each in parameters]
        self._has_sequences = any(size != 1 for size in sizes)
        others = {place: size for place, size in enumerate(sizes) if size != 1}
        self._has_two_lists = others == {len(keys) - 1: LIST, len(sizes) - 1: LIST} and bool(
            arguments
        )
        """Whether one stands at the end of the keys and one at the end of the arguments."""
        self._has_one_list = (
            bool(arguments) and sizes[-1] == LIST and not any(size != 1 for size in sizes[:-1])
        )

    def bind(self, given: dict[str, Any]) -> Sequence[Any]:
        """Return the number of keys, the keys and the arguments of a call.

        Raises TypeError for a missing or an unknown name.
        """
        if len(given) != len(self._names):
            given = self._defaults | given
        try:
            values = self._values(given)
        except KeyError as error:
            raise TypeError(f"the call lacks {error}") from None
        if len(given) != len(self._names):
            raise TypeError(f"the script has no {', '.join(sorted(given.keys() - self._names))}")
        count = sent = len(self.keys)
        if self._optional and None in values:
            values = list(values)
            sent = self._fill(values)
        if not self._has_sequences:
            return (sent, *values)
        if self._has_one_list or (self._has_two_lists and sent < count):
            return (sent, *values[:-1], *values[-1])  # as in most scripts with a sequence
        if self._has_two_lists:
            last = count - 1
            given_keys = (*values[:last], *values[last])
            return (len(given_keys), *given_keys, *values[count:-1], *values[-1])
        keys_sent = list(_flatten(self.keys[:sent], values[:sent]))
        return [len(keys_sent), *keys_sent, *_flatten(self.arguments, values[sent:])]

    def _fill(self, values: list[Any]) -> int:
        """Replace absent values, remove absent keys at the end; return the number of keys left."""
        count = sent = len(self.keys)
        while sent > self._needed and not values[sent - 1]:
            sent -= 1
        for place in self._optional:
            if values[place] is None:
                values[place] = values[0] if place < count else ""
        del values[sent:count]
        return sent

    def place(self, text: str) -> str:
        """Return a script's text with positions for names.

        Raises ValueError for a name that the header lacks or the text does not use, and for a
        position by number.
        """
        places = {**_places("KEYS", self.keys), **_places("ARGV", self.arguments)}
        references = list(REFERENCE.finditer(text))
        unused = self._names - {each[2] for each in references}
        wrong = [each[0] for each in references if each[0] not in places]
        wrong += [each[0] for each in BY_NUMBER.finditer(text)]
        if unused or wrong:
            raise ValueError(f"unused names: {sorted(unused)}, not in the header: {wrong}")
        return REFERENCE.sub(lambda each: places[each[0]], text)


def _check(keys: Sequence[Parameter], arguments: Sequence[Parameter]) -> None:
    names = [each.name for each in (*keys, *arguments)]
    if len(set(names)) < len(names):
        raise ValueError("a name occurs twice")
    if not keys or keys[0].is_optional:
        raise ValueError("the first key may be absent")
    if any(each.size != 1 for each in keys[:-1]) or keys[-1].size > 1:
        raise ValueError("several keys that are no list at the end have one name")
    sizes = [each.size for each in arguments]
    if LIST in sizes and any(sizes[sizes.index(LIST) :]):
        raise ValueError("a list does not stand last")


def _flatten(parameters: Sequence[Parameter], values: Sequence[Any]) -> Iterator[Any]:
    """Yield the words of all values; the lengths of lists but the last stand before lists."""
    lists = []
    for parameter, value in zip(parameters, values, strict=True):
        if parameter.size == 1:
            yield value
        elif parameter.size == LIST:
            lists.append(value)
        elif len(value) == parameter.size:
            yield from value
        else:
            raise TypeError(f"{parameter.name} has {parameter.size} values")
    yield from map(len, lists[:-1])
    for each in lists:
        yield from each


def _places(table: str, parameters: Sequence[Parameter]) -> dict[str, str]:
    """Return the Lua expression for each reference to a name."""
    places: dict[str, str] = {}
    at = 1
    for each in (each for each in parameters if each.size != LIST):
        position = f"{table}[{at}]"
        if each.size > 1:
            places[f"FIRST.{each.name}"] = str(at)
            places[f"LAST.{each.name}"] = str(at + each.size - 1)
        elif each.is_optional and table == "KEYS":
            places[f"KEYS.{each.name}"] = f"({position} ~= KEYS[1] and {position})"
        else:
            places[f"{table}.{each.name}"] = position
        at += each.size
    lists = [each for each in parameters if each.size == LIST]
    first = str(at + len(lists) - 1)
    for length_at, each in enumerate(lists, at):
        places[f"FIRST.{each.name}"] = f"({first})"
        first += f" + {table}[{length_at}]"
        places[f"LAST.{each.name}"] = f"#{table}" if each is lists[-1] else f"({first} - 1)"
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
