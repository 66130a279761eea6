"""A context that runs one node by itself."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.access.opened_secrets import OpenedSecrets
from engine.errors.nodes import NodeFailed
from engine.models.calls.chat import Chat, ChatTurn
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.models.transcripts import as_transcript
from engine.nodes import node_type
from engine.nodes.support.base import (
    NO_MEDIA,
    USUAL_DOCUMENT,
    HttpAnswer,
    HttpCall,
    InEdge,
    Outputs,
    WorkKind,
)
from engine.nodes.support.documents import DocumentOptions, DocumentText
from engine.nodes.support.image_edits import Edit, ImageData
from engine.nodes.support.tool_servers import RemoteTool, ToolAnswer, ToolServer
from engine.values import cel
from engine.values.sockets import SocketType


@dataclass
class FakeContext:
    """Evaluates in place, and answers calls with scripted values."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    delivered: Sequence[tuple[InEdge, Any]] = ()
    answer: HttpAnswer = field(
        default_factory=lambda: HttpAnswer(status=200, headers={}, body=b"ok")
    )
    calls: list[HttpCall] = field(default_factory=list)
    model_values: list[Mapping[str, Any]] = field(default_factory=list)
    """Values of each call of a model, in the order of the calls."""
    assets: Mapping[str, str] = field(default_factory=dict)
    """The account's assets, by id."""
    items: list[int] = field(default_factory=list)
    """Item of each call of a model."""
    most: list[Usage | None] = field(default_factory=list)
    """Bound of each call of a model."""
    refused: list[int] = field(default_factory=list)
    """Items with rejected answers."""
    fetched: list[str] = field(default_factory=list)
    """URLs of media."""
    stored_types: Mapping[str, str] = field(default_factory=dict)
    """Content types of assets, by URL."""
    kept: list[bytes] = field(default_factory=list)
    documents: Mapping[str, DocumentText] = field(default_factory=dict)
    """Contents of documents, by URL; any other URL is a document with a text that names it."""
    document_options: list[DocumentOptions] = field(default_factory=list)
    """Options of each document that was read."""
    edits: list[tuple[Any, ...]] = field(default_factory=list)
    """Edit and sources of each image."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """The account's secrets."""
    hosts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Hosts of secrets, by name."""
    chats: list[Chat] = field(default_factory=list)
    """Chats that the model has continued."""
    turns: Sequence[ChatTurn] = ()
    """Answers to chats, in turn."""
    servers: list[ToolServer] = field(default_factory=list)
    """Server of tools of each list and call."""
    tools: Sequence[RemoteTool] = ()
    """Tools of each server."""
    tool_calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    tool_answer: ToolAnswer = field(default_factory=lambda: ToolAnswer(text="done", value="done"))

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        self.calls.append(call)
        return self.answer

    async def open_secrets(self, names: Collection[str]) -> OpenedSecrets:
        hosts = {name: self.hosts.get(name, ()) for name in names}
        return OpenedSecrets({name: self.secrets[name] for name in names}, hosts)

    async def evaluate(self, expression: str, values: Mapping[str, Any]) -> Any:
        return cel.evaluate(expression, values)

    async def choose(self, expressions: Sequence[str], values: Mapping[str, Any]) -> int | None:
        return cel.choose(expressions, values)

    async def compute(self, function: Callable[..., Any], *args: Any) -> Any:
        return function(*args)

    async def fetch_media(self, url: str) -> bytes:
        self.fetched.append(url)
        return url.encode()

    async def stored_type(self, url: str) -> str | None:
        return self.stored_types.get(url)

    async def keep_media(self, data: bytes, content_type: str) -> str:
        self.kept.append(data)
        return f"https://kept.example/{len(self.kept)}"

    async def edit_image(self, edit: Edit, sources: Sequence[bytes]) -> ImageData:
        self.edits.append((edit, *sources))
        return ImageData(data=b" ".join(sources), content_type="image/png")

    async def read_image(self, data: bytes) -> str:
        return f"read {data.decode()}"

    async def file_type(self, url: str) -> str:
        if url in self.documents:
            return self.documents[url].content_type
        name = url.rpartition(".")[2]
        return {"pdf": "application/pdf", "csv": "text/csv"}.get(name, "text/plain")

    async def read_document(
        self, url: str, options: DocumentOptions = USUAL_DOCUMENT
    ) -> DocumentText:
        self.document_options.append(options)
        if url in self.documents:
            return self.documents[url]
        return DocumentText(content_type=await self.file_type(url), pages=(f"text of {url}",))

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [[float(len(text)), 0.5] for text in texts]

    async def use_asset(self, asset_id: str, *, is_named: bool) -> tuple[str, str]:
        if asset_id not in self.assets:
            raise NodeFailed("asset_not_found", "There is no such asset here")
        return self.assets[asset_id], f"https://example.com/media/{asset_id}"

    async def call_model(
        self,
        model: Model,
        values: Mapping[str, Any],
        item: int = 0,
        chat: Chat | None = None,
        *,
        most: Usage | None = None,
    ) -> Any:
        self.model_values.append(values)
        self.items.append(item)
        self.most.append(most)
        if chat is not None:
            self.chats.append(chat)
            return self.turns[len(self.chats) - 1]
        answer = f"{model.internal_name} {len(self.model_values)}"
        return as_transcript(answer) if model.is_transcriber else answer

    async def list_tools(self, server: ToolServer) -> Sequence[RemoteTool]:
        self.servers.append(server)
        return self.tools

    async def call_tool(
        self, server: ToolServer, tool: str, arguments: Mapping[str, Any]
    ) -> ToolAnswer:
        self.servers.append(server)
        self.tool_calls.append((tool, arguments))
        return self.tool_answer

    def is_final(self, failure: NodeFailed) -> bool:
        return True

    async def refuse_answer(self, item: int = 0) -> None:
        self.refused.append(item)


async def run_node(
    type_name: str,
    data: Mapping[str, Any],
    inputs: Mapping[str, Any] | None = None,
    *,
    context: FakeContext | None = None,
    wired: frozenset[str] = frozenset(),
    media: Mapping[str, frozenset[SocketType]] = NO_MEDIA,
) -> Outputs:
    """Parse the settings of one node and run it."""
    kind = node_type(type_name)
    assert kind is not None
    settings = kind.bind(kind.parse(data), wired | media.keys(), media)
    return await kind.run(settings, inputs or {}, context or FakeContext())


async def run_pure(
    type_name: str, data: Mapping[str, Any], inputs: Mapping[str, Any] | None = None
) -> Any:
    """Return the single output of a pure node."""
    kind = node_type(type_name)
    assert kind is not None and kind.kind is WorkKind.PURE
    (value,) = (await run_node(type_name, data, inputs)).values()
    return value
