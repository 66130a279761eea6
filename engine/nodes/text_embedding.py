"""Text Embedding: local embeddings, vectors that are near each other for similar texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.settings import Faults, template
from engine.process.extras import EMBEDDINGS, has_embeddings, install_hint
from engine.values.sockets import Socket, SocketType
from engine.values.templates import Template, placeholder_names, to_text

TEXT_IN, VECTOR_OUT = "text-in", "vector-out"
MISSING = (
    f"embedding texts needs the extra {EMBEDDINGS}, which is not installed here: "
    f"{install_hint(EMBEDDINGS)}"
)
MAX_TEXTS = 1_000
TEXT = template(
    "text",
    "The text to embed; a value at text-in replaces it.",
    {TEXT_IN},
    no_text="text must be a text",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEmbeddingSettings:
    """Typed text."""

    text: Template


class TextEmbedding(NodeType):
    """Embeds the typed template or the value at `text-in`; a list makes a list of vectors."""

    type = "textEmbedding"
    category = "Utilities"
    label = "Text Embedding"
    description = "Converts a text to a vector; texts of similar meaning have near vectors."
    kind = WorkKind.CPU
    is_dynamic = True
    members = (TEXT,)

    def read(self, data: Mapping[str, Any], faults: Faults) -> TextEmbeddingSettings:
        missing = self.unavailable_reason()
        if missing:
            faults.add_rule(missing)
        return TextEmbeddingSettings(text=TEXT.read(data, Faults() if missing else faults))

    def unavailable_reason(self) -> str | None:
        return None if has_embeddings() else MISSING

    def inputs(self, settings: TextEmbeddingSettings) -> Mapping[str, Socket]:
        placeholder = Socket(type=SocketType.ANY, required=True)
        own = {TEXT_IN: Socket(type=SocketType.TEXT, required=not settings.text.parts)}
        return own | dict.fromkeys(placeholder_names([settings.text]), placeholder)

    def outputs(self, settings: TextEmbeddingSettings) -> Mapping[str, Socket]:
        return {VECTOR_OUT: Socket(type=SocketType.ANY)}

    async def run(
        self, settings: TextEmbeddingSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        wired = inputs.get(TEXT_IN)
        if not isinstance(wired, list):
            text = settings.text.render(inputs) if wired is None else to_text(wired)
            [vector] = await context.embed([text])
            return {VECTOR_OUT: vector}
        if len(wired) > MAX_TEXTS:
            message = f"A list of texts to embed has at most {MAX_TEXTS} items, not {len(wired)}"
            raise NodeFailed("invalid_value", message)
        return {VECTOR_OUT: await context.embed([to_text(each) for each in wired])}
