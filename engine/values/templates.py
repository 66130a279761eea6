"""Templates: texts with placeholders such as `{{ name.field[0] }}`; no code is evaluated."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from engine.errors.nodes import NodeFailed, SettingsError
from engine.ids.secret_names import PREFIX, is_secret_name

NAME = r"[^\W\d][\w-]{0,63}"
"""Pattern of names of placeholders."""
MAX_OUTPUT_BYTES = 1_048_576

PLACEHOLDER = re.compile(
    rf"\{{\{{\s*(?P<name>{NAME})(?P<path>(?:\.[\w-]{{1,128}}|\[\d{{1,9}}\])*)\s*\}}\}}"
)
STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]")
AFTER_HOST = re.compile(r"[/?#\\]")
UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]*")
"""Text that means the same with and without percent-encoding."""
DOT_SEGMENTS = frozenset({".", "..", "%2e", ".%2e", "%2e.", "%2e%2e"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholder:
    """One `{{ … }}`: the name of a socket and a path into its value."""

    name: str
    path: tuple[str | int, ...] = ()

    @property
    def secret(self) -> str | None:
        """Name of the secret of the account that `{{ secret.NAME }}` stands for, if it is one."""
        is_secret = self.name + "." == PREFIX and len(self.path) == 1
        return str(self.path[0]) if is_secret and is_secret_name(self.path[0]) else None

    def __str__(self) -> str:
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return self.name + "".join(steps)

    def read(self, values: Mapping[str, Any]) -> Any:
        """Return the value at the path; null within null and for an absent socket."""
        value = values.get(self.name)
        for step in self.path:
            if value is None:
                return None
            value = self._enter(value, step)
        return value

    def _enter(self, value: Any, step: str | int) -> Any:
        if isinstance(step, int):
            if isinstance(value, list) and step < len(value):
                return value[step]
        elif isinstance(value, dict) and step in value:
            return value[step]
        raise NodeFailed("template_error", f"There is nothing at '{self}' to put into the template")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Parsed text with placeholders."""

    parts: tuple[str | Placeholder, ...]
    names: frozenset[str]
    secrets: frozenset[str] = frozenset()
    """Names of the account's secrets; their placeholders read `secret.NAME` among the values."""

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Parse a text. Raises SettingsError for a `{{` without a valid placeholder."""
        parts = tuple(_split(text))
        names = frozenset(part.name for part in parts if isinstance(part, Placeholder))
        return cls(parts=parts, names=names)

    @classmethod
    def sketch(cls, text: str) -> "Template":
        """Return a template with the valid placeholders of a text that may be invalid.

        It names sockets, and is not rendered.
        """
        found = [*map(_read_placeholder, PLACEHOLDER.finditer(text))]
        names = frozenset(each.name for each in found if each.secret is None)
        return cls(parts=(text, *found), names=names)

    def with_secrets(self) -> "Template":
        """Return the same with `{{ secret.NAME }}` as a secret, not as a member of a socket."""
        parts = tuple(map(_as_secret, self.parts))
        found = [each for each in self.parts if isinstance(each, Placeholder)]
        secrets = frozenset(each.secret for each in found if each.secret is not None)
        names = frozenset(each.name for each in found if each.secret is None)
        return Template(parts=parts, names=names, secrets=secrets) if secrets else self

    def render(self, values: Mapping[str, Any]) -> str:
        """Fill in the values. Raises NodeFailed (template_error)."""
        return _join(
            part if isinstance(part, str) else to_text(part.read(values)) for part in self.parts
        )

    def render_url(self, values: Mapping[str, Any]) -> str:
        """Fill in the values, percent-encoded after the host.

        Raises NodeFailed (template_error).
        """
        if len(self.parts) == 1:
            return self.render(values)
        url = _join(self._url_pieces(values))
        if self.names and _has_dot_segment(url):
            raise NodeFailed("template_error", "A '.' or '..' is not allowed as a part of the URL")
        return url

    def _url_pieces(self, values: Mapping[str, Any]) -> Iterator[str]:
        is_after_host = False
        for part in self.parts:
            if isinstance(part, str):
                yield part
                if not is_after_host:
                    is_after_host = AFTER_HOST.search(part.replace("://", "", 1)) is not None
            else:
                text = to_text(part.read(values))
                if is_after_host and not UNRESERVED.fullmatch(text):
                    text = quote(text, safe="")
                yield text


def placeholder_names(templates: Iterable[Template]) -> list[str]:
    """Return the names of all placeholders but secrets, in the order of their first places."""
    names = (
        part.name
        for template in templates
        for part in template.parts
        if isinstance(part, Placeholder) and part.name in template.names
    )
    return list(dict.fromkeys(names))


def members_read(templates: Iterable[Template], name: str) -> frozenset[str] | None:
    """Return the members that templates read of a value; None: the whole value."""
    found = set()
    for template in templates:
        for part in template.parts:
            if isinstance(part, Placeholder) and part.name == name:
                first = part.path[0] if part.path else None
                if not isinstance(first, str):
                    return None
                found.add(first)
    return frozenset(found)


def to_text(value: Any) -> str:
    """Return a value as text: a text unchanged, null as nothing, other values as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else to_json(value)


def to_json(value: Any) -> str:
    """Return compact JSON. Raises NodeFailed (template_error)."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        raise NodeFailed("template_error", "The text has an unpaired surrogate") from None


def _split(text: str) -> Iterator[str | Placeholder]:
    position = 0
    known: dict[str, Placeholder] = {}
    while (start := text.find("{{", position)) >= 0:
        match = PLACEHOLDER.match(text, start)
        if match is None:
            raise SettingsError(_explain(text, start))
        if start > position:
            yield text[position:start]
        source = match[0]
        if source not in known:
            known[source] = _read_placeholder(match)
        yield known[source]
        position = match.end()
    if position < len(text):
        yield text[position:]


def _as_secret(part: str | Placeholder) -> str | Placeholder:
    if isinstance(part, str) or part.secret is None:
        return part
    return Placeholder(name=PREFIX + part.secret)


def _read_placeholder(match: re.Match[str]) -> Placeholder:
    steps = STEP.findall(match["path"])
    path = tuple(key if key else int(index) for key, index in steps)
    return Placeholder(name=match["name"], path=path)


def _explain(text: str, start: int) -> str:
    end = text.find("}}", start)
    if end < 0:
        return f"the '{{{{' at character {start + 1} has no '}}}}'"
    excerpt = text[start : min(end + 2, start + 40)]
    return (
        f"{excerpt!r} at character {start + 1} is not a placeholder; "
        "write {{ name }} or {{ name.field[0] }}"
    )


def _join(pieces: Iterator[str]) -> str:
    joined = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_OUTPUT_BYTES:
            raise _too_large()
        joined.append(piece)
    text = "".join(joined)
    if not text.isascii() and _byte_size(text) > MAX_OUTPUT_BYTES:
        raise _too_large()
    return text


def _byte_size(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise NodeFailed("template_error", "The text has an unpaired surrogate") from None


def _too_large() -> NodeFailed:
    return NodeFailed("template_error", f"The text is over the limit of {MAX_OUTPUT_BYTES} bytes")


def _has_dot_segment(url: str) -> bool:
    if "/." not in url and "/%2" not in url:
        return False  # as most URLs
    path = re.split(r"[?#]", url.partition("://")[2] or url, maxsplit=1)[0]
    return any(segment.lower() in DOT_SEGMENTS for segment in path.split("/")[1:])
