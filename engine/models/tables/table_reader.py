"""Reader of a manifest's table, which collects the faults of all members."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import SettingsError
from engine.models.calls.answer_paths import Path
from engine.models.calls.body_templates import Body
from engine.models.tables.table_checks import unknown_members
from engine.net.header_policy import header_fault
from engine.net.url_policy import UrlRefused, check_url
from engine.values.fields import MEDIA, Field
from engine.values.templates import Template

VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
MAX_TEXT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestContext:
    """Parts of the manifest needed by its sections; `fields` is None if they are invalid."""

    category: str
    fields: Sequence[Field] | None

    @property
    def names(self) -> frozenset[str] | None:
        """Names of the fields, or None."""
        return None if self.fields is None else frozenset(field.name for field in self.fields)


class TableReader:
    """Reader of one table; its templates may use the names `extra` besides the fields."""

    def __init__(
        self,
        table: Mapping[str, Any],
        known: Sequence[str],
        context: ManifestContext,
        *,
        path: str = "",
        extra: Collection[str] = (),
    ) -> None:
        self._table = table
        self._context = context
        self._path = path
        self._extra = frozenset(extra)
        self.reasons = list(unknown_members(path, table, known))

    def finish(self) -> None:
        """Raise SettingsError if there are faults."""
        if self.reasons:
            raise SettingsError(*self.reasons)

    def has(self, key: str) -> bool:
        """Return True if the member exists."""
        return key in self._table

    def text(self, key: str, default: str | None = None, choices: Collection[str] = ()) -> str:
        """Return a non-empty text; without a default it is required."""
        value = self._table.get(key, default)
        if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
            if value != default:
                self._wrong(key, f" must be a text of 1 to {MAX_TEXT} characters")
            elif default is None:
                self._wrong(key, " is missing")
            return default or ""
        if choices and value not in choices:
            self._wrong(key, f" must be one of {', '.join(choices)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a required non-empty list of texts or whole numbers as texts."""
        value = self._table.get(key)
        if not isinstance(value, list) or not value:
            self._wrong(key, " must be a list of at least one text")
            return ()
        return tuple(str(each) for each in value)

    def media(self, key: str) -> tuple[str, ...]:
        """Return an optional list of names of media fields."""
        names = self.texts(key) if self.has(key) else ()
        known = {field.name for field in self._context.fields or () if field.type in MEDIA}
        if self._context.fields is not None:
            for name in sorted(set(names) - known):
                self._wrong(
                    key, f" has '{name}', and no image, video, audio or file is called that"
                )
        return names

    def number(self, key: str, default: float, most: float) -> float:
        """Return a number over 0."""
        value = self._table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            self._wrong(key, f" must be a number over 0 and at most {most:g}")
            return default
        return float(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return a boolean."""
        value = self._table.get(key, default)
        if not isinstance(value, bool):
            self._wrong(key, " must be true or false")
            return default
        return value

    def variable(self, key: str) -> str:
        """Return the name of an environment variable, or an empty text."""
        name = self.text(key, "")
        if name and not VARIABLE.fullmatch(name):
            self._wrong(key, " must be the name of an environment variable: A-Z, 0-9 and '_'")
        return name

    def url(self, key: str, default: str | None = None) -> str:
        """Return an absolute URL without query and trailing slash."""
        url = self.text(key, default)
        if not url:
            return ""
        try:
            check_url(url, allow_private=True)
        except UrlRefused as error:
            self._wrong(key, f": {error}")
        if "?" in url or "#" in url or url.endswith("/"):
            self._wrong(key, " must end before any '?' or '#', and without '/'")
        return url

    def header(self, key: str, default: str = "") -> str:
        """Return the name of a header, or an empty text."""
        name = self.text(key, default)
        reason = header_fault(name, "") if name else None
        if reason:
            self._wrong(key, f" {reason}")
        return name

    def headers(self, key: str) -> tuple[tuple[str, str], ...]:
        """Return headers with fixed values."""
        table = self._table.get(key, {})
        if not isinstance(table, dict):
            self._wrong(key, " must be a table of header names and texts")
            return ()
        for name, value in table.items():
            reason = header_fault(name, value) if isinstance(value, str) else "must be a text"
            if reason:
                self._wrong(f"{key}.{name}", f" {reason}")
        return tuple(table.items())

    def template(self, key: str, default: str | None = None) -> Template:
        """Return a text with placeholders."""
        text = self.text(key, default)
        try:
            template = Template.parse(text)
        except SettingsError as error:
            for reason in error.reasons:
                self._wrong(key, f": {reason}")
            return Template(parts=(), names=frozenset())
        self._check_names(key, template.names)
        return template

    def route(self, key: str, default: str | None = None) -> Template:
        """Return the path of a URL, with leading slash and placeholders."""
        template = self.template(key, default)
        first = template.parts[0] if template.parts else ""
        if template.parts and not (isinstance(first, str) and first.startswith("/")):
            self._wrong(key, " must begin with '/'")
        return template

    def body(self, key: str, default: Any = None) -> Body:
        """Return a JSON value with placeholders in its texts."""
        try:
            body = Body.parse(self._table.get(key, {} if default is None else default))
        except SettingsError as error:
            for reason in error.reasons:
                self._wrong(key, reason)
            return Body({})
        self._check_names(key, body.names)
        return body

    def path(self, key: str) -> Path | None:
        """Return a path into an answer, or None."""
        if key not in self._table:
            return None
        paths = self.paths(key)
        return paths[0] if paths else None

    def paths(self, key: str) -> tuple[Path, ...]:
        """Return paths into an answer; the first with a value counts."""
        value = self._table.get(key, [])
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            self._wrong(key, " must be a path or a list of paths")
            return ()
        parsed = []
        for text in listed:
            try:
                parsed.append(Path.parse(text))
            except SettingsError as error:
                self._wrong(key, error.reasons[0])
        return tuple(parsed)

    def table(
        self, key: str, known: Sequence[str], extra: Collection[str] = ()
    ) -> "TableReader | None":
        """Return a reader of a nested table, which shares the list of faults, or None."""
        value = self._table.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self._wrong(key, " must be a table")
            return None
        path = f"{self._path}.{key}"
        inner = TableReader(value, known, self._context, path=path, extra=self._extra | set(extra))
        self.reasons.extend(inner.reasons)
        inner.reasons = self.reasons
        return inner

    def require(self, key: str) -> None:
        """Add a fault if the member is missing."""
        if key not in self._table:
            self._wrong(key, " is missing")

    def _check_names(self, key: str, names: frozenset[str]) -> None:
        fields = self._context.names
        if fields is None:
            return
        for name in sorted(names - fields - self._extra):
            self._wrong(key, f" has '{name}', and no field is called that")

    def _wrong(self, key: str, reason: str) -> None:
        self.reasons.append(f"{self._path}.{key}{reason}")
