"""`[anthropic]`: Anthropic's Messages API."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from engine.models.calls.body_templates import Body
from engine.models.dialects.chat_fields import CHAT_MEMBERS, filled_texts, read_chat_members
from engine.models.dialects.endpoint import ENDPOINT_MEMBERS, ProviderEndpoint, read_endpoint
from engine.models.dialects.section_schema import Schema, section_schema
from engine.models.tables.table_reader import ManifestContext, TableReader
from engine.values.templates import Template

MEMBERS = (*ENDPOINT_MEMBERS, *CHAT_MEMBERS)
BASE_URL = "https://api.anthropic.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnthropicSection:
    """Call of `/v1/messages`."""

    name: ClassVar[str] = "anthropic"
    json_schema: ClassVar[Schema] = section_schema(MEMBERS, ("model",), "Anthropic's Messages API")

    endpoint: ProviderEndpoint
    model: str
    prompt: Body
    system: Body
    images: Body
    files: Body
    """PDFs of a chat's prompt, which are sent as data."""
    schema: Body
    """JSON Schema of the answer."""
    body: Body
    """Further members of the request."""
    stream: bool
    """The text may be streamed while a caller waits."""
    tools: bool
    """The model takes tools."""

    def texts(self, values: Mapping[str, Any]) -> Iterator[str]:
        """Return all texts of the request. Raises NodeFailed."""
        return filled_texts((self.prompt, self.system, self.schema, self.body), values)

    def image_values(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the values that are sent as images."""
        return [self.images.fill(values)]

    def fixed_paths(self) -> Mapping[str, Template]:
        """Return nothing: calls go to one path."""
        return {}


def parse_anthropic(table: Mapping[str, Any], context: ManifestContext) -> AnthropicSection:
    """Read the section. Raises SettingsError with every reason."""
    reader = TableReader(table, MEMBERS, context)
    chat: dict[str, Any] = read_chat_members(reader, context)
    endpoint = read_endpoint(reader, base_url=BASE_URL, key_header="x-api-key", key_prefix="")
    reader.finish()
    return AnthropicSection(endpoint=endpoint, **chat)
