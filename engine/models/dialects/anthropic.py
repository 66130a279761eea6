"""`[anthropic]`: Anthropic's Messages API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.models.body_templates import Body
from engine.models.dialects.chat_fields import CHAT_MEMBERS, read_chat_members
from engine.models.dialects.endpoint import ENDPOINT_MEMBERS, ProviderEndpoint, read_endpoint
from engine.models.table_reader import ManifestContext, TableReader

BASE_URL = "https://api.anthropic.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnthropicSection:
    """Call of `/v1/messages`."""

    endpoint: ProviderEndpoint
    model: str
    prompt: Body
    system: Body
    images: Body
    schema: Body
    """JSON Schema of the answer."""
    body: Body
    """Further members of the request."""
    stream: bool
    """The text may be streamed while a caller waits."""


def parse_anthropic(table: Mapping[str, Any], context: ManifestContext) -> AnthropicSection:
    """Read the section. Raises SettingsError with every reason."""
    reader = TableReader(table, (*ENDPOINT_MEMBERS, *CHAT_MEMBERS), context)
    chat: dict[str, Any] = read_chat_members(reader, context)
    endpoint = read_endpoint(reader, base_url=BASE_URL, key_header="x-api-key", key_prefix="")
    reader.finish()
    return AnthropicSection(endpoint=endpoint, **chat)
