"""Settings of node types: one definition reads a member of `data` and describes it."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from engine.errors.nodes import SettingFault, SettingsError
from engine.values.cel import Expression
from engine.values.templates import Template

Schema = dict[str, Any]
"""JSON Schema 2020-12."""
Data = Mapping[str, Any]
Judge = Callable[[Expression], str | None]
"""Returns the fault of an expression, or None."""
TITLES = {"url": "URL", "jsonSchema": "JSON Schema"}
"""Titles that do not follow from the name of the setting."""


class Faults:
    """Faults of a node's settings, in the order of their discovery."""

    def __init__(self) -> None:
        self.found: list[SettingFault] = []
        self.expressions: list[tuple[str, Expression]] = []
        """Expressions by their members; `read` does not check them, since only a child may."""

    def add(self, field: str, words: str) -> None:
        """Add a fault that the JSON Schema finds too; the field's name precedes `words`."""
        self.found.append(SettingFault(f"{field} {words}", field))

    def add_rule(self, reason: str, field: str = "") -> None:
        """Add a fault beyond the JSON Schema, as a whole sentence."""
        self.found.append(SettingFault(reason, field, is_beyond_schema=True))

    def extend(self, error: SettingsError) -> None:
        """Add the faults of an error."""
        self.found += error.faults

    def check_expressions(self, judge: Judge) -> None:
        """Add the faults of the expressions that were read."""
        for member, expression in self.expressions:
            reason = judge(expression)
            if reason:
                self.add_rule(reason if member == "expression" else f"{member}: {reason}", member)

    def finish(self) -> None:
        """Raise SettingsError if there is a fault."""
        if self.found:
            raise SettingsError(*self.found)


PLACES_OF_SECRETS = (
    "a secret is allowed only in 'auth', in a header and in the query of the URL of an HTTP Request"
)

Read = Callable[[Any, str, Faults], Any]
"""Reads a value at a path, and returns it; after a fault, adds it and returns None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A member of a node's `data`."""

    name: str
    about: str
    """Sentence for authors."""
    widget: str
    """Control of an editor."""
    value: Schema
    """JSON Schema of a present value."""
    parse: Read
    default: Any = None
    """Default in the JSON Schema; None: none."""
    fallback: Any = None
    """Result of `read` for an absent or invalid member."""
    is_nullable: bool = True
    """Null counts as absent."""
    is_required: bool = False
    missing: str = ""
    """Words of the fault of an absent member; empty: `read` adds no fault."""
    title: str = ""
    """Label of an editor; empty: it follows from the name."""
    since_schema: int = 1
    """Schema version of the store from which on a node with the member can be saved."""

    def read(self, data: Data, faults: Faults) -> Any:
        """Return the parsed member, or the fallback; add its faults."""
        raw = data.get(self.name)
        if raw is None and (self.is_nullable or self.name not in data):
            if self.missing:
                faults.add(self.name, self.missing)
            return self.fallback
        found = self.parse(raw, self.name, faults)
        return self.fallback if found is None else found

    def schema(self) -> Schema:
        """Return the JSON Schema of the member."""
        value = _or_null(self.value) if self.is_nullable and not self.is_required else self.value
        default = {} if self.default is None else {"default": self.default}
        shown = {"title": self.title or _title(self.name), "description": self.about}
        return {**value, **shown, **default, "x-widget": self.widget}


def schema_of(settings: Iterable[Setting]) -> Schema:
    """Return the JSON Schema of a node's `data`; it allows other members."""
    listed = tuple(settings)
    required = [each.name for each in listed if each.is_required]
    return {
        "type": "object",
        "properties": {each.name: each.schema() for each in listed},
        **({"required": required} if required else {}),
    }


def reader(accept: Callable[[Any], Any], words: str) -> Read:
    """Return a reader of values for which `accept` returns no None; `words` are its only fault."""

    def parse(raw: Any, path: str, faults: Faults) -> Any:
        found = accept(raw)
        if found is None:
            faults.add(path, words)
        return found

    return parse


def read_all(settings: Iterable[Setting], data: Data, faults: Faults) -> dict[str, Any]:
    """Read the members, by name."""
    return {each.name: each.read(data, faults) for each in settings}


def choice(
    name: str,
    about: str,
    choices: Sequence[str],
    *,
    default: str | None = None,
    words: str = "",
    **more: Any,
) -> Setting:
    """Return a setting with a value from a list of texts."""

    def accept(raw: Any) -> str | None:
        return next((each for each in choices if isinstance(raw, str) and each == raw), None)

    return Setting(
        name=name,
        about=about,
        widget="select",
        value={"enum": [str(each) for each in choices]},
        parse=reader(accept, words or f"must be one of {', '.join(choices)}"),
        default=None if default is None else str(default),
        fallback=default,
        **more,
    )


def flag(name: str, about: str, **more: Any) -> Setting:
    """Return a setting for true or false, false by default."""
    return Setting(
        name=name,
        about=about,
        widget="toggle",
        value={"type": "boolean"},
        parse=reader(lambda raw: raw if isinstance(raw, bool) else None, "must be true or false"),
        default=False,
        fallback=False,
        **more,
    )


def whole(name: str, about: str, least: int, most: int, *, default: int | None = None) -> Setting:
    """Return a setting for a whole number, which may be written as a double."""

    def accept(raw: Any) -> int | None:
        return int(raw) if is_whole(raw) and least <= raw <= most else None

    return Setting(
        name=name,
        about=about,
        widget="number",
        value={"type": "integer", "minimum": least, "maximum": most},
        parse=reader(accept, f"must be a whole number from {least} to {most}"),
        default=default,
        fallback=default,
    )


def number(name: str, about: str, least: float, most: float, *, default: float) -> Setting:
    """Return a setting for a number, read as a double."""

    def accept(raw: Any) -> float | None:
        return float(raw) if is_number(raw) and least <= raw <= most else None

    return Setting(
        name=name,
        about=about,
        widget="slider",
        value={"type": "number", "minimum": least, "maximum": most},
        parse=reader(accept, f"must be a number from {least:g} to {most:g}"),
        default=default,
        fallback=default,
    )


def pattern(
    name: str, about: str, expression: str, words: str, *, widget: str, **more: Any
) -> Setting:
    """Return a setting for a text that matches a regular expression as a whole."""
    compiled = re.compile(expression)

    def accept(raw: Any) -> str | None:
        return raw if isinstance(raw, str) and compiled.fullmatch(raw) else None

    return Setting(
        name=name,
        about=about,
        widget=widget,
        value={"type": "string", "pattern": f"^(?:{expression})$"},
        parse=reader(accept, words),
        **more,
    )


def text(name: str, about: str, *, widget: str = "textarea", **more: Any) -> Setting:
    """Return a setting for a text."""
    options = {"default": "", "fallback": "", **more}
    return Setting(
        name=name,
        about=about,
        widget=widget,
        value={"type": "string"},
        parse=reader(lambda raw: raw if isinstance(raw, str) else None, "must be a text"),
        **options,
    )


def template(
    name: str, about: str, taken: Iterable[str] = (), *, no_text: str = "", **more: Any
) -> Setting:
    """Return a setting for a template; its placeholders must differ from the `taken` sockets."""
    sockets = frozenset(taken)

    def parse(raw: Any, path: str, faults: Faults) -> Any:
        if no_text and not isinstance(raw, str):
            faults.found.append(SettingFault(no_text, path))
            return None
        return read_template(path, raw, faults, sockets)

    return Setting(
        name=name,
        about=about,
        widget="template",
        value={"type": "string"},
        parse=parse,
        default="",
        fallback=EMPTY,
        **more,
    )


def read_template(
    member: str,
    raw: object,
    faults: Faults,
    taken: Iterable[str] = (),
    field: str = "",
    *,
    takes_secrets: bool = False,
) -> Template:
    """Read a template whose placeholders must differ from the `taken` sockets; add its faults.

    An invalid text gives a template with its valid placeholders. Sentences begin with `member`;
    `field` is the path of the setting, if it differs. `{{ secret.NAME }}` is a secret of the
    account, and a fault unless `takes_secrets`.
    """
    path = field or member
    if not isinstance(raw, str):
        faults.found.append(SettingFault(f"{member}: must be a text", path))
        return EMPTY
    try:
        found = Template.parse(raw).with_secrets()
    except SettingsError as error:
        for reason in error.reasons:
            faults.add_rule(f"{member}: {reason}", path)
        return Template.sketch(raw)
    for socket in sorted(found.names.intersection(taken)):
        reason = f"'{socket}' is a socket already; the placeholder needs another name"
        faults.add_rule(f"{member}: {reason}", path)
    if found.secrets and not takes_secrets:
        faults.add_rule(f"{member}: {PLACES_OF_SECRETS}", path)
    return found


def as_it_is(raw: Any, path: str, faults: Faults) -> Any:
    """Return a value unchecked, for a check that needs other settings too."""
    return raw


VALUES = Setting(
    name="values",
    about="Values by field name.",
    widget="values",
    value={"type": "object"},
    parse=reader(
        lambda raw: raw if isinstance(raw, dict) else None,
        "must be an object with a value per field",
    ),
    fallback={},
)


def is_number(value: object) -> TypeGuard[int | float]:
    """Return True for a finite number."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def is_whole(value: object) -> TypeGuard[int | float]:
    """Return True for a whole number, even if written as a double."""
    return is_number(value) and value == value // 1


def _title(name: str) -> str:
    if name in TITLES:
        return TITLES[name]
    words = re.sub(r"([A-Z])", lambda match: f" {match[1].lower()}", name)
    return words[:1].upper() + words[1:]


def _or_null(schema: Schema) -> Schema:
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    kind = schema.get("type")
    if kind is None:
        return {**schema, "anyOf": [*schema.get("anyOf", ({},)), {"type": "null"}]}
    kinds = [kind] if isinstance(kind, str) else kind
    return {**schema, "type": [*kinds, "null"]}


EMPTY = Template(parts=(), names=frozenset())
