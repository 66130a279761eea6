"""`[openai]`: providers with OpenAI's protocol for chats, images, speech or transcripts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from engine.models.calls.body_templates import Body
from engine.models.dialects.chat_fields import (
    CHAT_MEMBERS,
    PROMPT,
    filled_texts,
    placeholder,
    read_chat_members,
)
from engine.models.dialects.endpoint import ENDPOINT_MEMBERS, ProviderEndpoint, read_endpoint
from engine.models.dialects.section_schema import (
    BODY,
    PLACED,
    Schema,
    described,
    section_schema,
)
from engine.models.tables.table_reader import ManifestContext, TableReader
from engine.values.fields import TIMED
from engine.values.templates import Template


class OpenAIApi(StrEnum):
    """Part of the protocol."""

    CHAT = "chat"
    IMAGES = "images"
    SPEECH = "speech"
    TRANSCRIPTION = "transcription"


MEMBERS = (*ENDPOINT_MEMBERS, "api", *CHAT_MEMBERS, "mask", "audio")
USUAL_APIS = {"image": OpenAIApi.IMAGES, "audio": OpenAIApi.SPEECH}
PROMPTS: Mapping[str, tuple[str, ...]] = {OpenAIApi.SPEECH: (*PROMPT, "text")}
"""Fields with the prompt where that is another one than in a chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAISection:
    """Call of `/chat/completions`, `/images/…`, `/audio/speech` or `/audio/transcriptions`."""

    name: ClassVar[str] = "openai"
    json_schema: ClassVar[Schema] = (
        section_schema(
            MEMBERS,
            ("model",),
            "OpenAI's protocol",
            api=described({"enum": list(OpenAIApi)}, "By default that of the category."),
            mask=BODY,
            audio=BODY,
        )
        | PLACED
    )

    endpoint: ProviderEndpoint
    api: OpenAIApi
    model: str
    prompt: Body
    system: Body
    images: Body
    """Images of a chat's prompt, or sources of a generated image."""
    mask: Body
    """Image whose transparent parts mark the area of the first image to change."""
    files: Body
    """PDFs of a chat's prompt, which are sent as data."""
    audio: Body
    """Sounds and videos to transcribe, of which a call has one."""
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
        return [self.images.fill(values), self.mask.fill(values)]

    def fixed_paths(self) -> Mapping[str, Template]:
        """Return nothing: calls go to the paths of the protocol."""
        return {}


def parse_openai(table: Mapping[str, Any], context: ManifestContext) -> OpenAISection:
    """Read the section. Raises SettingsError with every reason."""
    reader = TableReader(table, MEMBERS, context)
    api = reader.text("api", _usual_api(context), tuple(OpenAIApi))
    mask = reader.body("mask", [])
    audio = reader.body("audio", _sounds(context))
    prompt = PROMPTS.get(api, PROMPT)
    chat: dict[str, Any] = read_chat_members(reader, context, prompt, excluded=mask.names)
    endpoint = read_endpoint(reader)
    reader.finish()
    return OpenAISection(endpoint=endpoint, api=OpenAIApi(api), mask=mask, audio=audio, **chat)


def _usual_api(context: ManifestContext) -> OpenAIApi:
    if context.category == "text" and any(each.type == "audio" for each in context.fields or ()):
        return OpenAIApi.TRANSCRIPTION
    return USUAL_APIS.get(context.category, OpenAIApi.CHAT)


def _sounds(context: ManifestContext) -> list[str]:
    """Return placeholders of all sounds and videos."""
    return [placeholder(each.name) for each in context.fields or () if each.type in TIMED]
