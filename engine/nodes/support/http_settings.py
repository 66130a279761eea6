"""Settings of an HTTP Request: method, URL, headers, body, limits and use of the answer."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.ids.secret_names import PREFIX
from engine.net.header_policy import header_fault
from engine.net.url_policy import UrlRefused, check_url
from engine.nodes.support.http_auth import AUTH, HttpAuth
from engine.nodes.support.http_body import BODY, BODY_TYPE, MULTIPART, BodySettings, parse_body
from engine.nodes.support.policy import read_timeout
from engine.nodes.support.settings import (
    EMPTY,
    PLACES_OF_SECRETS,
    Faults,
    Setting,
    choice,
    flag,
    is_whole,
    read_all,
    read_template,
    reader,
)
from engine.values.sockets import MEDIA_TYPES, SocketType
from engine.values.templates import Template

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
DEFAULT_TIMEOUT_SECONDS = 30.0
MAX_BYTES = 10_485_760
MAX_HEADERS = 50
CONTENT_TYPE = "content-type"
URL_WORDS = "must be a text that begins with http:// or https://"
FIXED_HOST = re.compile(r"[a-z]+://[^/?#]+[/?#]", re.IGNORECASE)
"""Start of a URL up to the end of its host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequestSettings:
    """Parsed settings of the call."""

    method: str
    url: Template
    headers: tuple[tuple[str, Template], ...]
    body: BodySettings
    auth: HttpAuth | None = None
    timeout_seconds: float
    max_bytes: int
    is_each: bool = False
    """Each item of the wired lists makes a call."""
    kept: frozenset[SocketType] = frozenset()
    """Kinds of media that are stored as assets."""
    needs_file: bool = False
    """The answer goes to a socket of files."""
    reads_status: bool = False
    """The status output has an edge, so no status is a failure."""
    secrets: frozenset[str] = field(init=False)
    """Names of all secrets of the account that the calls carry."""

    def __post_init__(self) -> None:
        uses = secret_uses(self.auth, self.url, self.headers)
        object.__setattr__(self, "secrets", frozenset(name for _, name in uses))

    @property
    def templates(self) -> Sequence[Template]:
        """All templates."""
        return (self.url, *(value for _, value in self.headers), *self.body.templates)

    @property
    def names(self) -> frozenset[str]:
        """Names of all placeholders."""
        return frozenset().union(*(template.names for template in self.templates))

    @property
    def fixed_url(self) -> str | None:
        """The URL, or its start up to the host, if that is known before the run."""
        return fixed_part(self.url)


def _accept_method(raw: object) -> str | None:
    return raw.upper() if isinstance(raw, str) and raw.upper() in METHODS else None


def _read_limit(raw: Any, path: str, faults: Faults) -> int | None:
    if not is_whole(raw):
        faults.add(path, "must be a whole number")
    elif not 1 <= raw <= MAX_BYTES:
        faults.add(path, f"must be from 1 to {MAX_BYTES}")
    else:
        return int(raw)
    return None


def _read_url(text: object, path: str, faults: Faults) -> Template | None:
    if not text:
        faults.add(path, URL_WORDS)
        return None
    before = len(faults.found)
    template = read_template(path, text, faults, takes_secrets=True)
    _check_secret_places(template, path, faults)
    if len(faults.found) == before and not template.names and template.parts:
        try:
            check_url(template.render({}), allow_private=True)
        except UrlRefused as error:
            faults.add_rule(f"{path}: {error}", path)
    return template


def _check_secret_places(url: Template, path: str, faults: Faults) -> None:
    before = ""
    for part in url.parts:
        if isinstance(part, str):
            before += part
        elif part.name.startswith(PREFIX) and ("?" not in before or "#" in before):
            faults.add_rule(f"{path}: {PLACES_OF_SECRETS}", path)
            return


def _read_headers(
    headers: object, path: str, faults: Faults
) -> tuple[tuple[str, Template], ...] | None:
    if not isinstance(headers, dict) or len(headers) > MAX_HEADERS:
        faults.add(path, f"must be an object of at most {MAX_HEADERS} names and texts")
        return None
    taken: set[str] = set()
    found: list[tuple[str, Template]] = []
    for name, text in headers.items():
        lower = name.lower()
        reason = header_fault(name, text if isinstance(text, str) else "")
        if reason:
            faults.add_rule(f"{path}: {name[:64]!r} {reason}", f"{path}.{name}")
        elif lower in taken:
            faults.add_rule(f"{path}: '{name}' is there more than once", f"{path}.{name}")
        else:
            taken.add(lower)
            template = read_template(
                f"{path}: {name}", text, faults, field=f"{path}.{name}", takes_secrets=True
            )
            found.append((name, template))
    return tuple(found)


def _letters(word: str) -> str:
    return "".join(f"[{letter}{letter.lower()}]" for letter in word)


METHOD = Setting(
    name="method",
    about="The method, in upper or lower case.",
    widget="select",
    value={
        "type": "string",
        "pattern": f"^(?:{'|'.join(map(_letters, METHODS))})$",
        "examples": [*METHODS],
    },
    parse=reader(_accept_method, f"must be one of {', '.join(METHODS)}"),
    default="GET",
    fallback="GET",
)
URL = Setting(
    name="url",
    about="The URL, a template; placeholders are encoded in its path and query, and the query may "
    "have {{ secret.NAME }}.",
    widget="template",
    value={"type": "string", "minLength": 1},
    parse=_read_url,
    fallback=EMPTY,
    is_required=True,
    missing=URL_WORDS,
)
HEADERS = Setting(
    name="headers",
    about="Headers by name; each text is a template, which may have {{ secret.NAME }}.",
    widget="headers",
    value={
        "type": "object",
        "maxProperties": MAX_HEADERS,
        "additionalProperties": {"type": "string"},
    },
    parse=_read_headers,
    fallback=(),
)
LIMIT = Setting(
    name="maxBytes",
    about="Limit of the answer's body, in bytes.",
    widget="number",
    value={"type": "integer", "minimum": 1, "maximum": MAX_BYTES},
    parse=_read_limit,
    default=MAX_BYTES,
    fallback=MAX_BYTES,
)
EACH = flag("each", "Make a call for each item of the wired lists.")
SAVE_AS = choice(
    "saveAs",
    "Store a medium in the answer as an asset of the account.",
    ("asset",),
    words="must be 'asset'",
)
MEMBERS = (METHOD, URL, AUTH, HEADERS, BODY_TYPE, BODY, EACH, SAVE_AS, LIMIT)


def read_http_settings(data: Mapping[str, Any], faults: Faults) -> HttpRequestSettings:
    """Read the `data` of a node; add its faults."""
    given = read_all((METHOD, LIMIT, EACH, SAVE_AS), data, faults)
    url, headers = URL.read(data, faults), HEADERS.read(data, faults)
    auth, body = AUTH.read(data, faults), parse_body(data, faults)
    if body.type == MULTIPART and any(name.lower() == CONTENT_TYPE for name, _ in headers):
        reason = "headers: Content-Type is made by the bodyType 'multipart'"
        faults.add_rule(reason, "headers")
    settings = HttpRequestSettings(
        method=given["method"],
        url=url,
        headers=headers,
        body=body,
        auth=auth,
        timeout_seconds=read_timeout(data) or DEFAULT_TIMEOUT_SECONDS,
        max_bytes=given["maxBytes"],
        is_each=given["each"],
        kept=MEDIA_TYPES if given["saveAs"] else frozenset(),
    )
    _check_auth(settings, faults)
    return settings


def _check_auth(settings: HttpRequestSettings, faults: Faults) -> None:
    auth = settings.auth
    if auth and any(name.lower() == auth.header.lower() for name, _ in settings.headers):
        faults.add_rule(f"auth: '{auth.header}' is among the headers too", AUTH.name)
    if settings.secrets and settings.url.parts and settings.fixed_url is None:
        reason = "url: the host must be written out, since the call carries a secret of the account"
        faults.add_rule(reason, URL.name)


def secret_uses(
    auth: HttpAuth | None, url: Template, headers: Sequence[tuple[str, Template]]
) -> Iterator[tuple[str, str]]:
    """Yield the path of the setting and the name of each secret that it uses."""
    if auth is not None:
        yield "auth.secret", auth.secret
    texts = ((URL.name, url), *((f"{HEADERS.name}.{name}", text) for name, text in headers))
    for path, text in texts:
        yield from ((path, name) for name in sorted(text.secrets))


def read_secret_uses(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the uses of secrets in the `data` of a node, even if other settings are invalid."""
    headers = data.get(HEADERS.name)
    texts = (data.get(URL.name), *(headers.values() if isinstance(headers, dict) else ()))
    if data.get(AUTH.name) is None and not any(PREFIX in str(text) for text in texts):
        return []  # most nodes, whose templates need not be parsed
    auth, url, headers = (each.read(data, Faults()) for each in (AUTH, URL, HEADERS))
    return list(secret_uses(auth, url, headers))


def fixed_part(url: Template) -> str | None:
    """Return a URL, or its start up to the host, if that is known before the run."""
    if not url.names:
        return url.render({})
    first = url.parts[0]
    match = FIXED_HOST.match(first) if isinstance(first, str) else None
    return match and match.group()


def read_fixed_host(data: Mapping[str, Any]) -> str | None:
    """Return the host of the URL in the `data` of a node, if that is valid and written out."""
    url = URL.read(data, Faults())
    start = None if url is None or not url.parts else fixed_part(url)
    try:
        return None if start is None else check_url(start, allow_private=True).host
    except UrlRefused:
        return None
