"""Manifests saved over HTTP: restrictions on keys and addresses.

Keys are variables in the workers' environment and belong to the operator. A saved manifest may send
a key only to a destination that a manifest on disk has for it. A destination is a host and a path,
since other paths of the host may belong to others or forward requests.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from engine.models.calls.call_sections import Call
from engine.models.manifest import Fault, ManifestError, Model, parse_manifest
from engine.net.url_policy import UrlRefused, check_url

MAX_BYTES = 65_536
MAX_DOTS = 200
"""Limit of dots in one line, because names of many parts slow the parser of TOML down."""
SOURCE = "manifest"
KEY_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
NOWHERE: Mapping[str, str] = MappingProxyType({})
ELSEWHERE = "put this manifest into HEADRACE_MODELS_DIR instead"

ENCODED = (("%25", "%"), ("%2e", "."), ("%2f", "/"), ("%5c", "/"), ("\\", "/"))
"""Spellings that some servers read as dots and slashes."""


@dataclass(frozen=True, slots=True, order=True)
class KeyDestination:
    """Destination of a key: origin and path prefix of the calls."""

    origin: str
    path: str
    variable: str

    @property
    def place(self) -> str:
        """URL prefix of the calls."""
        return f"{self.origin}{self.path}"

    def covers(self, other: "KeyDestination") -> bool:
        """Return True if the other has the same key and an equal or deeper path."""
        is_same_key = (self.origin, self.variable) == (other.origin, other.variable)
        return is_same_key and f"{other.path}/".startswith(f"{self.path}/")


KeyDestinations = frozenset[KeyDestination]


def key_destinations(
    models: Iterable[Model], environ: Mapping[str, str] = NOWHERE
) -> KeyDestinations:
    """Return the destinations of keys by these models; `environ` may move base URLs."""
    endpoints = (model.call.endpoint for model in models)
    keyed = (each for each in endpoints if each and each.api_key_env)
    places = ((each.place(environ), each.api_key_env) for each in keyed)
    return frozenset(_destination(place, variable) for place, variable in places if place)


def key_faults(call: Call, destinations: KeyDestinations) -> Iterator[str]:
    """Yield the faults of a call saved over HTTP; each begins with a path."""
    endpoint = call.endpoint
    if endpoint is None:
        return
    path = call.name
    if endpoint.base_url_env:
        yield f"{path}.base_url_env may not be saved over HTTP; {ELSEWHERE}"
    elif endpoint.api_key_env:
        destination = _destination(endpoint.base_url, endpoint.api_key_env)
        yield from _place_faults(path, call, destination, destinations)
    for name, _ in endpoint.headers:
        if name.lower() in KEY_HEADERS or name.lower() == endpoint.key_header.lower():
            yield f"{path}.headers.{name} may hold a key, and keys are not saved; {ELSEWHERE}"


def parse_saved(text: str, destinations: KeyDestinations, name: str | None = None) -> Model:
    """Parse a manifest to save; its internal name must be `name`, unless that is None.

    Raises ManifestError with all faults.
    """
    if len(text.encode()) > MAX_BYTES:
        raise ManifestError(SOURCE, Fault(None, f"A manifest has at most {MAX_BYTES} bytes"))
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MAX_DOTS:
            raise ManifestError(SOURCE, Fault(number, f"A line has at most {MAX_DOTS} dots"))

    def rules(table: Mapping[str, Any], call: Call | None) -> Iterator[str]:
        if name is not None and table.get("internalName") != name:
            yield f"internalName must be '{name}', as the path says it"
        if call is not None:
            yield from key_faults(call, destinations)

    return parse_manifest(text, SOURCE, rules)


def _place_faults(
    path: str, call: Call, destination: KeyDestination, destinations: KeyDestinations
) -> Iterator[str]:
    if not any(each.covers(destination) for each in destinations):
        yield (
            f"{path}.api_key_env: no manifest on disk sends {destination.variable} to"
            f" {destination.place}; {ELSEWHERE}"
        )
    for member, text in (("base_url", destination.path), *_routes(call)):
        if _has_dot_segment(text):
            yield f"{path}.{member} may not have '.' or '..' as a part"


def _routes(call: Call) -> Iterator[tuple[str, str]]:
    """Yield the members with paths of a call, and the fixed parts of these."""
    for member, template in call.fixed_paths().items():
        for part in template.parts:
            if isinstance(part, str):
                yield member, part


def _has_dot_segment(text: str) -> bool:
    text = text.lower()
    for spelling, plain in ENCODED:
        text = text.replace(spelling, plain)
    return any(part in (".", "..") for part in re.split("[/?#]", text))


def _destination(base_url: str, variable: str) -> KeyDestination:
    """Return a destination in canonical spelling; an invalid URL counts as an origin."""
    try:
        target = check_url(base_url, allow_private=True)
    except UrlRefused:
        return KeyDestination(base_url, "", variable)
    origin = f"{target.scheme}://{target.host}:{target.port}"
    return KeyDestination(origin, target.path.rstrip("/"), variable)
