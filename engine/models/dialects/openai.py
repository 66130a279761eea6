"""`[openai]`: anything that speaks OpenAI's protocol for chats, images or speech."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.models.body_templates import Body
from engine.models.dialects.chat_fields import CHAT_MEMBERS, read_chat_members
from engine.models.dialects.endpoint import ENDPOINT_MEMBERS, ProviderEndpoint, read_endpoint
from engine.models.table_reader import ManifestContext, TableReader


class OpenAIApi(StrEnum):
    """Which part of the protocol is spoken."""

    CHAT = "chat"
    IMAGES = "images"
    SPEECH = "speech"


USUAL_APIS = {"image": OpenAIApi.IMAGES, "audio": OpenAIApi.SPEECH}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAISection:
    """A call of `/chat/completions`, `/images/generations`, `/images/edits` or `/audio/speech`."""

    endpoint: ProviderEndpoint
    api: OpenAIApi
    model: str
    prompt: Body
    system: Body
    images: Body
    """What chats look at, and what images are made of."""
    mask: Body
    """An image whose transparent parts say where the first of the images is to be changed."""
    schema: Body
    """What the answer must look like, as JSON Schema."""
    body: Body
    """Further members of the request."""
    stream: bool
    """Whether a text may be asked for as a stream, where somebody waits for it."""


def parse_openai(table: Mapping[str, Any], about: ManifestContext) -> OpenAISection:
    """Read the section. Raises SettingsError with every reason."""
    reader = TableReader(table, (*ENDPOINT_MEMBERS, "api", *CHAT_MEMBERS, "mask"), about)
    api = reader.text("api", USUAL_APIS.get(about.category, OpenAIApi.CHAT), tuple(OpenAIApi))
    mask = reader.body("mask", [])
    ask: dict[str, Any] = read_chat_members(reader, about, apart=mask.names)
    endpoint = read_endpoint(reader)
    reader.finish()
    return OpenAISection(endpoint=endpoint, api=OpenAIApi(api), mask=mask, **ask)
