"""How a model is called: one section of its manifest, read into what the worker's dialect needs."""

from collections.abc import Callable, Mapping
from typing import Any

from engine.models.dialects.anthropic import AnthropicSection, parse_anthropic
from engine.models.dialects.builtin import BuiltinSection, parse_builtin
from engine.models.dialects.endpoint import ProviderEndpoint
from engine.models.dialects.http import HttpSection, parse_http
from engine.models.dialects.openai import OpenAISection, parse_openai
from engine.models.table_reader import ManifestContext

Call = BuiltinSection | OpenAISection | AnthropicSection | HttpSection
"""Every way there is."""

Parser = Callable[[Mapping[str, Any], ManifestContext], Call]

CALLS: dict[str, Parser] = {
    "builtin": parse_builtin,
    "openai": parse_openai,
    "anthropic": parse_anthropic,
    "http": parse_http,
}
"""The sections by name; a manifest has exactly one of them."""


def endpoint_of(call: Call) -> ProviderEndpoint | None:
    """Where a call goes; None for what workers answer themselves."""
    return None if isinstance(call, BuiltinSection) else call.endpoint
