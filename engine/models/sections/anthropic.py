"""`[anthropic]`: Anthropic's Messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.models.bodies import Body
from engine.models.reading import About, Reader
from engine.models.sections.asking import ASK_MEMBERS, read_ask
from engine.models.sections.endpoint import ENDPOINT_MEMBERS, Endpoint, read_endpoint

BASE_URL = "https://api.anthropic.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anthropic:
    """A call of `/v1/messages`."""

    endpoint: Endpoint
    model: str
    prompt: Body
    system: Body
    images: Body
    schema: Body
    """What the answer must look like, as JSON Schema."""
    body: Body
    """Further members of the request."""
    stream: bool
    """Whether a text may be asked for as a stream, where somebody waits for it."""


def parse_anthropic(table: Mapping[str, Any], about: About) -> Anthropic:
    """Read the section. Raises SettingsError with every reason."""
    reader = Reader(table, (*ENDPOINT_MEMBERS, *ASK_MEMBERS), about)
    ask: dict[str, Any] = read_ask(reader, about)
    endpoint = read_endpoint(reader, base_url=BASE_URL, key_header="x-api-key", key_prefix="")
    reader.finish()
    return Anthropic(endpoint=endpoint, **ask)
