"""`[openai]`: anything that speaks OpenAI's protocol for chats, images or speech."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.models.bodies import Body
from engine.models.reading import About, Reader
from engine.models.sections.asking import ASK_MEMBERS, read_ask
from engine.models.sections.endpoint import ENDPOINT_MEMBERS, Endpoint, read_endpoint


class Api(StrEnum):
    """Which part of the protocol is spoken."""

    CHAT = "chat"
    IMAGES = "images"
    SPEECH = "speech"


USUAL_APIS = {"image": Api.IMAGES, "audio": Api.SPEECH}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAI:
    """A call of `/chat/completions`, `/images/generations`, `/images/edits` or `/audio/speech`."""

    endpoint: Endpoint
    api: Api
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


def parse_openai(table: Mapping[str, Any], about: About) -> OpenAI:
    """Read the section. Raises SettingsError with every reason."""
    reader = Reader(table, (*ENDPOINT_MEMBERS, "api", *ASK_MEMBERS, "mask"), about)
    api = reader.text("api", USUAL_APIS.get(about.category, Api.CHAT), tuple(Api))
    mask = reader.body("mask", [])
    ask: dict[str, Any] = read_ask(reader, about, apart=mask.names)
    endpoint = read_endpoint(reader)
    reader.finish()
    return OpenAI(endpoint=endpoint, api=Api(api), mask=mask, **ask)
