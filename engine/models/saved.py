"""Manifests that are saved over HTTP: what they may say of keys and addresses.

Keys are variables of the workers' environment, and the operator's: one goes where a manifest on
disk already sends it, and nowhere else.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.models.calls import Anthropic, Builtin, Call, Http, OpenAI
from engine.models.manifest import Fault, ManifestError, Model, parse_manifest
from engine.models.sections.endpoint import Endpoint
from engine.urls import UrlRefused, check_url

MAX_BYTES = 65_536
MAX_DOTS = 200
"""In one line: names of very many parts take a parser of TOML very long."""
SOURCE = "manifest"
SECTIONS: dict[type[Call], str] = {Anthropic: "anthropic", Http: "http", OpenAI: "openai"}
KEY_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
ELSEWHERE = "put this manifest into HEADRACE_MODELS_DIR instead"

Pairs = frozenset[tuple[str, str]]
"""Origins of URLs, each with the variable of a key that goes there."""


def key_pairs(models: Iterable[Model]) -> Pairs:
    """Which keys go where, by these models."""
    endpoints = (_endpoint(model.call) for model in models)
    return frozenset(
        (_origin(each.base_url), each.api_key_env)
        for each in endpoints
        if each is not None and each.base_url and each.api_key_env
    )


def key_faults(call: Call, pairs: Pairs) -> Iterator[str]:
    """What a call may not say that was saved over HTTP; the reasons begin with a path."""
    endpoint = _endpoint(call)
    if endpoint is None:
        return
    path = SECTIONS[type(call)]
    if endpoint.base_url_env:
        yield f"{path}.base_url_env may not be saved over HTTP; {ELSEWHERE}"
    elif endpoint.api_key_env and (_origin(endpoint.base_url), endpoint.api_key_env) not in pairs:
        yield (
            f"{path}.api_key_env: no manifest on disk sends {endpoint.api_key_env} to"
            f" {_origin(endpoint.base_url)}; {ELSEWHERE}"
        )
    for name, _ in endpoint.headers:
        if name.lower() in KEY_HEADERS or name.lower() == endpoint.key_header.lower():
            yield f"{path}.headers.{name} may hold a key, and keys are not saved; {ELSEWHERE}"


def parse_saved(text: str, pairs: Pairs, name: str | None = None) -> Model:
    """The model of a manifest that is to be saved; with a name, under that alone.

    Raises ManifestError with every fault.
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
            yield from key_faults(call, pairs)

    return parse_manifest(text, SOURCE, rules)


def _endpoint(call: Call) -> Endpoint | None:
    return None if isinstance(call, Builtin) else call.endpoint


def _origin(url: str) -> str:
    """Scheme, host and port, in one spelling; what is no URL is an origin of its own."""
    try:
        target = check_url(url, allow_private=True)
    except UrlRefused:
        return url
    return f"{target.scheme}://{target.host}:{target.port}"
