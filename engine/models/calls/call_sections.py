"""Sections of manifests that define the call of a model, one for each dialect."""

from collections.abc import Callable, Mapping
from typing import Any

from engine.models.dialects.anthropic import AnthropicSection, parse_anthropic
from engine.models.dialects.builtin import BuiltinSection, parse_builtin
from engine.models.dialects.http import HttpSection, parse_http
from engine.models.dialects.openai import OpenAISection, parse_openai
from engine.models.tables.table_reader import ManifestContext

Call = BuiltinSection | OpenAISection | AnthropicSection | HttpSection
"""Parsed section of any dialect."""

Parser = Callable[[Mapping[str, Any], ManifestContext], Call]

CALLS: dict[str, Parser] = {
    BuiltinSection.name: parse_builtin,
    OpenAISection.name: parse_openai,
    AnthropicSection.name: parse_anthropic,
    HttpSection.name: parse_http,
}
"""Parsers by the name of their section; a manifest has exactly one section."""
