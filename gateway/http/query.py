"""Strict reader of the query string: a value that does not parse is refused by name."""

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Self, TypeVar
from urllib.parse import parse_qsl

from starlette.types import Scope

from engine.access.capabilities import is_model_name
from engine.errors import InvalidQuery, InvalidSlug
from engine.executions.execution import ExecutionStatus
from engine.ids.slugs import check_slug

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
"""Most rows of a page."""
MAX_SHORT_LIMIT = 200
"""Most rows of a page of the lists that came later."""
MAX_NAME = 100
"""Most characters of an unknown name that an answer repeats."""
MAX_OFFSET = 2**53 - 1
MAX_VERSION = 2**53 - 1
TRUE_WORDS = frozenset({"true", "1", ""})
FALSE_WORDS = frozenset({"false", "0"})
INTEGER = re.compile(r"[0-9]{1,16}")
SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,20})?(e-[0-9]{1,3})?", re.IGNORECASE)
"""A small number may come in the notation of programs: `1e-07`."""
MAX_SECONDS = 10**9 - 1
"""Largest number of nine digits."""

Choice = TypeVar("Choice", bound=StrEnum)


class Query:
    """Query values of one request; every reader raises InvalidQuery with the value's name."""

    def __init__(self, scope: Scope) -> None:
        self._values: dict[str, list[str]] = {}
        text = scope["query_string"].decode("latin-1")
        for name, value in parse_qsl(text, keep_blank_values=True) if text else ():
            self._values.setdefault(name, []).append(value)

    @classmethod
    def of(cls, name: str, values: Sequence[str]) -> Self:
        """Return a query of one name with these values, unescaped."""
        query = cls({"query_string": b""})
        query._values[name] = [*values]
        return query

    def check_names(self, known: Collection[str]) -> None:
        """Raise InvalidQuery for a name that the endpoint does not read."""
        for name in self._values:
            if name not in known:
                takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
                message = f"There is no query parameter '{name[:MAX_NAME]}' here; {takes}"
                raise InvalidQuery(name[:MAX_NAME], message)

    def text(self, name: str) -> str | None:
        """Return the value unchanged, or None when it is absent."""
        values = self._values.get(name)
        if values is None:
            return None
        if len(values) > 1:
            raise InvalidQuery(name, f"The query has more than one '{name}'")
        return values[0]

    def flag(self, name: str) -> bool:
        """Return true or false; an absent value is false."""
        value = self.text(name)
        if value is None or value in FALSE_WORDS:
            return False
        if value in TRUE_WORDS:
            return True
        raise InvalidQuery(name, f"'{name}' must be true or false")

    def optional_flag(self, name: str) -> bool | None:
        """Return true or false, or None when it is absent."""
        return None if self.text(name) is None else self.flag(name)

    def has_any(self, names: Iterable[str]) -> bool:
        """Return whether the query has a value of any of these names."""
        return any(name in self._values for name in names)

    def integer(self, name: str, *, default: int, low: int, high: int) -> int:
        """Return a whole number within bounds."""
        value = self.optional_integer(name, low=low, high=high)
        return default if value is None else value

    def optional_integer(self, name: str, *, low: int, high: int) -> int | None:
        """Return a whole number within bounds, or None when it is absent."""
        value = self.text(name)
        if value is None:
            return None
        if INTEGER.fullmatch(value) is None or not low <= int(value) <= high:
            raise InvalidQuery(name, f"'{name}' must be a whole number from {low} to {high}")
        return int(value)

    def seconds(self, name: str) -> float | None:
        """Return a number of seconds, zero or more, or None when it is absent."""
        value = self.text(name)
        if value is None:
            return None
        seconds = parse_seconds(value)
        if seconds is None:
            raise InvalidQuery(name, f"'{name}' must be a number of seconds, zero or more")
        return seconds

    def limit(self, *, high: int = MAX_LIMIT) -> int:
        """Return the most rows that the page may have."""
        return self.integer("limit", default=DEFAULT_LIMIT, low=1, high=high)

    def version(self) -> int | None:
        """Return the number of a version, or None when it is absent."""
        return self.optional_integer("version", low=1, high=MAX_VERSION)

    def status(self, name: str) -> ExecutionStatus | None:
        """Return an execution's status, or None when it is absent."""
        return self.choice(name, ExecutionStatus)

    def choice(self, name: str, kind: type[Choice]) -> Choice | None:
        """Return a member of an enumeration, or None when it is absent."""
        value = self.text(name)
        return None if value is None else _member(name, value, kind)

    def choices(self, name: str, kind: type[Choice]) -> frozenset[Choice]:
        """Return the members of an enumeration that a name, which may be repeated, has."""
        return frozenset(_member(name, value, kind) for value in self._values.get(name, ()))

    def slug(self, name: str) -> str | None:
        """Return a workflow's slug, or None when it is absent."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return check_slug(value)
        except InvalidSlug:
            raise InvalidQuery(name, f"'{name}' must be a workflow's slug") from None

    def model(self, name: str) -> str | None:
        """Return a model's internal name, or None when it is absent."""
        value = self.text(name)
        if value is not None and not is_model_name(value):
            raise InvalidQuery(name, f"'{name}' must be a model's internal name")
        return value


def _member(name: str, value: str, kind: type[Choice]) -> Choice:
    try:
        return kind(value)
    except ValueError:
        listed = ", ".join(each.value for each in kind)
        raise InvalidQuery(name, f"'{name}' must be one of {listed}") from None


@contextlib.contextmanager
def cursor_refused() -> Iterator[None]:
    """Turn the ValueError of a list into a refusal of its cursor. Raises InvalidQuery."""
    try:
        yield
    except ValueError:
        raise InvalidQuery("cursor", "'cursor' must be one that this list gave") from None


def parse_seconds(text: str) -> float | None:
    """Return the number of seconds, or None when the text is not one."""
    return float(text) if SECONDS.fullmatch(text) else None
