"""How a model is called: one section of its manifest, read into what the worker's dialect needs."""

from collections.abc import Callable, Mapping
from typing import Any

from engine.models.reading import About
from engine.models.sections.anthropic import Anthropic, parse_anthropic
from engine.models.sections.builtin import Builtin, parse_builtin
from engine.models.sections.endpoint import Endpoint
from engine.models.sections.http import Http, parse_http
from engine.models.sections.openai import OpenAI, parse_openai

__all__ = ["CALLS", "Anthropic", "Builtin", "Call", "Http", "OpenAI", "endpoint_of"]

Call = Builtin | OpenAI | Anthropic | Http
"""Every way there is."""

Parser = Callable[[Mapping[str, Any], About], Call]

CALLS: dict[str, Parser] = {
    "builtin": parse_builtin,
    "openai": parse_openai,
    "anthropic": parse_anthropic,
    "http": parse_http,
}
"""The sections by name; a manifest has exactly one of them."""


def endpoint_of(call: Call) -> Endpoint | None:
    """Where a call goes; None for what workers answer themselves."""
    return None if isinstance(call, Builtin) else call.endpoint
