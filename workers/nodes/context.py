"""Context of one attempt at a node: its inputs, and the calls that the node may make."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from msgspec import Struct, structs

from engine.access.opened_secrets import NO_SECRETS, OpenedSecrets
from engine.errors.nodes import NodeFailed
from engine.graph.plan import Node
from engine.media.documents.types import PDF
from engine.models.calls.chat import Chat, read_turn
from engine.models.manifest import Category, Model
from engine.models.pricing import NO_USAGE, Usage
from engine.models.transcripts import text_of
from engine.nodes.support.base import USUAL_DOCUMENT, HttpAnswer, HttpCall, InEdge
from engine.nodes.support.documents import DOCUMENT_SECONDS, DocumentOptions, DocumentText
from engine.nodes.support.image_edits import IMAGE_SECONDS, READ_SECONDS, Edit, ImageData
from engine.nodes.support.tool_servers import RemoteTool, ToolAnswer, ToolServer
from engine.process.pool import AccountRunner, Pool, compute
from engine.values import cel
from workers.mcp import tool_caller
from workers.mcp.tool_caller import NodeAccess
from workers.media.fetch import fetch_media
from workers.nodes.documents import DocumentPool
from workers.nodes.documents.fetching import DocumentSource
from workers.nodes.documents.pictures import read_pictures
from workers.nodes.local_models import LocalPool
from workers.nodes.memory import NodeMemory
from workers.nodes.progress import NodeProgress
from workers.nodes.secrets import MISSING, StoredSecrets
from workers.providers.base import (
    CallCheckpoints,
    Fetcher,
    MediaStore,
    ModelCall,
    NoCheckpoints,
    ignore_update,
)
from workers.providers.model_caller import ModelCaller, refuse_answer

LEAST_SECONDS = 0.1
COMPUTE_SECONDS = 5.0
"""Time-out of work in a child process where the node has none."""
NO_CHECKPOINTS = NoCheckpoints()


class NodeAttempt(Struct, frozen=True, kw_only=True):
    """One attempt at a node, with its inputs and context."""

    node: Node
    execution_inputs: Mapping[str, Any]
    inputs: Mapping[str, Any]
    delivered: Sequence[tuple[InEdge, Any]]
    account_id: str = ""
    owner_id: str = ""
    """Account of the workflow, whose secrets the node uses, and the assets that it names."""
    execution_id: str = ""
    depth: int = 1
    """Depth of the run: 1, or one more than that of the run whose node began it."""
    checkpoints: CallCheckpoints = NO_CHECKPOINTS
    """Records of its calls."""
    publisher: NodeProgress | None = None
    """None: there is no progress to publish."""
    memory: NodeMemory | None = None
    """None: memory is not counted."""
    calls_nobody: bool = False
    """A replay runs it: calls fail, and no secret is opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTools:
    """Tools shared by all nodes of a worker process."""

    fetcher: Fetcher
    pool: Pool
    local: LocalPool
    documents: DocumentPool
    models: ModelCaller
    media_store: MediaStore
    secrets: StoredSecrets | None
    """None: no account has a secret."""


class NodeContext:
    """Context of a running node: the calls that it may make."""

    __slots__ = (
        *("_deadline", "_timeout", "_tools", "_attempt"),
        *("_began", "delivered", "fallback_micro_usd", "inputs", "secrets", "turn_ms", "usage"),
    )

    def __init__(self, attempt: NodeAttempt, tools: NodeTools) -> None:
        self.inputs = attempt.execution_inputs
        self.delivered = attempt.delivered
        self._attempt = attempt
        self._tools = tools
        self._timeout = timeout = attempt.node.policy.timeout_seconds
        self._began = asyncio.get_running_loop().time()
        self._deadline = None if timeout is None else self._began + timeout
        self.usage = NO_USAGE
        self.fallback_micro_usd = 0
        self.secrets = NO_SECRETS
        self.turn_ms: int | None = None

    async def open_secrets(self, names: Collection[str]) -> OpenedSecrets:
        """Open secrets of the workflow's owner, for this attempt alone."""
        attempt, secrets = self._attempt, self._tools.secrets
        if secrets is None:
            raise NodeFailed(MISSING, "There are no secrets here")
        async with asyncio.timeout_at(self._deadline):
            self.secrets = await secrets.open(attempt.owner_id or attempt.account_id, names)
        return self.secrets

    def fetch(self, call: HttpCall) -> Coroutine[Any, Any, HttpAnswer]:
        """Send the call as one of the account's."""
        attempt = self._attempt
        reserve = None if attempt.memory is None else attempt.memory.reserve
        call = structs.replace(
            call,
            account_id=attempt.account_id,
            owner_id=attempt.owner_id,
            depth=attempt.depth,
            reserve=reserve,
        )
        return self._tools.fetcher.fetch(call)

    async def evaluate(self, expression: str, values: Mapping[str, Any]) -> Any:
        """Evaluate CEL in a child process that is killed at the node's deadline."""
        return await self._compute(
            "The expression", COMPUTE_SECONDS, cel.evaluate, expression, values
        )

    async def choose(self, expressions: Sequence[str], values: Mapping[str, Any]) -> int | None:
        """Find the first true expression in a child process that is killed at the deadline."""
        index = await self._compute(
            "The expressions", COMPUTE_SECONDS, cel.choose, expressions, values
        )
        return cast(int | None, index)

    async def compute(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a top-level function in a child process that is killed at the node's deadline."""
        return await self._compute("The work", COMPUTE_SECONDS, function, *args)

    async def fetch_media(self, url: str) -> bytes:
        """Fetch the bytes at a URL; a foreign URL counts as the account's call."""
        if self._attempt.memory is not None:
            await self._attempt.memory.wait()
        async with asyncio.timeout_at(self._deadline):
            attempt, tools = self._attempt, self._tools
            return await fetch_media(
                url, attempt.account_id, tools.media_store, tools.fetcher, attempt.owner_id
            )

    async def stored_type(self, url: str) -> str | None:
        """Return the content type of the asset at a link of ours; None for any other URL."""
        attempt = self._attempt
        async with asyncio.timeout_at(self._deadline):
            return await self._tools.media_store.content_type(
                attempt.account_id, url, attempt.owner_id
            )

    async def keep_media(self, data: bytes, content_type: str) -> str:
        """Store a medium of the account; returns its URL."""
        async with asyncio.timeout_at(self._deadline):
            stored = await self._media_store.keep(self._attempt.account_id, data, content_type)
        return stored.url

    async def edit_image(self, edit: Edit, sources: Sequence[bytes]) -> ImageData:
        """Edit an image in a child process that is killed at the node's deadline."""
        from workers.nodes import imaging  # a library of 4 MB that most workers never need

        async with asyncio.timeout_at(self._deadline):  # of many images, all together
            edited = await self._compute("The image", IMAGE_SECONDS, imaging.edit, edit, sources)
        return cast(ImageData, edited)

    async def read_image(self, data: bytes) -> str:
        """Return the text in an image, from a child process that is killed at the deadline."""
        return await self._tools.local.read_image(
            data, self._timeout or READ_SECONDS, self._attempt.account_id
        )

    async def file_type(self, url: str) -> str:
        """Return the content type of a document: on record, or by the start of its answer."""
        if self._attempt.memory is not None:
            await self._attempt.memory.wait()
        async with asyncio.timeout_at(self._deadline):
            return await self._document_source.find_type(url)

    async def read_document(
        self, url: str, options: DocumentOptions = USUAL_DOCUMENT
    ) -> DocumentText:
        """Read a document in a child process that is killed at the deadline."""
        account_id = self._attempt.account_id
        async with self._tools.documents.turn(account_id, self._attempt.memory):
            async with asyncio.timeout(self._timeout):
                content_type, data = await self._document_source.fetch(url)
            return await self._read_document(content_type, data, options)

    async def _read_document(
        self, content_type: str, data: bytes, options: DocumentOptions
    ) -> DocumentText:
        documents, account_id = self._tools.documents, self._attempt.account_id
        seconds, now = self._timeout or DOCUMENT_SECONDS, asyncio.get_running_loop().time
        began = now()
        contents = await documents.read(
            content_type, data, options, seconds=seconds, account_id=account_id
        )
        if not options.reads_pictures or content_type != PDF:
            return contents
        left = max(seconds - (now() - began), LEAST_SECONDS)
        draw = partial(documents.draw, data, seconds=left, account_id=account_id)
        return await read_pictures(contents, draw, self.read_image, left)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return vectors, from a child process that is killed at the node's deadline."""
        return await self._tools.local.embed(
            texts, self._timeout or READ_SECONDS, self._attempt.account_id
        )

    @property
    def _document_source(self) -> DocumentSource:
        attempt, tools = self._attempt, self._tools
        return DocumentSource(
            media_store=tools.media_store,
            fetcher=tools.fetcher,
            account_id=attempt.account_id,
            owner_id=attempt.owner_id,
        )

    @property
    def _media_store(self) -> MediaStore:
        return self._tools.media_store.for_execution(self._attempt.execution_id, "")

    async def _compute(
        self, what: str, usual: float, function: Callable[..., Any], *args: Any
    ) -> Any:
        runner = AccountRunner(self._tools.pool, self._attempt.account_id, self._attempt.memory)
        return await compute(runner, what, self._timeout or usual, function, *args)

    async def use_asset(self, asset_id: str, *, is_named: bool) -> tuple[str, str]:
        """Return the kind of an asset, and a link that lasts as long as the execution."""
        account_id = self._attempt.owner_id if is_named else self._attempt.account_id
        return await self._media_store.use(account_id, asset_id)

    async def call_model(
        self,
        model: Model,
        values: Mapping[str, Any],
        item: int = 0,
        chat: Chat | None = None,
        *,
        most: Usage | None = None,
    ) -> Any:
        """Call the model once, unless an earlier attempt has, and count its usage."""
        checkpoints, model_call = self._attempt.checkpoints, self._model_call(item, chat, most)
        answer = await checkpoints.find_answer(item)
        if answer is None:
            answer = await self._tools.models.call(model, values, model_call)
            checkpoints.save_answer(item, answer)
        elif model.category is Category.TEXT:
            text = text_of(answer.value) if chat is None else read_turn(answer.value).text
            model_call.publish_text(text)
        if answer.micro_usd is None:
            self.usage += answer.usage
        else:
            self.fallback_micro_usd += answer.micro_usd
        return answer.value if chat is None else read_turn(answer.value)

    async def list_tools(self, server: ToolServer) -> Sequence[RemoteTool]:
        """Ask a server for its tools."""
        return await tool_caller.list_tools(server, await self._access(server))

    async def call_tool(
        self, server: ToolServer, tool: str, arguments: Mapping[str, Any]
    ) -> ToolAnswer:
        """Call a tool of a server, by calls that count as the account's."""
        return await tool_caller.call_tool(server, tool, arguments, await self._access(server))

    async def _access(self, server: ToolServer) -> NodeAccess:
        memory, auth = self._attempt.memory, server.auth
        if memory is not None:
            await memory.wait()
        return NodeAccess(
            fetch=self.fetch,
            keep=self.keep_media,
            secrets=NO_SECRETS if auth is None else await self.open_secrets([auth.secret]),
            reserve=None if memory is None else memory.reserve,
        )

    def is_final(self, failure: NodeFailed) -> bool:
        """Return whether the node has no attempt after this failure."""
        return self._attempt.checkpoints.is_final(failure)

    async def refuse_answer(self, item: int = 0) -> None:
        """Drop the answer for an item, so that the next attempt calls the model again."""
        await refuse_answer(self._attempt.checkpoints, item)

    def _note_turn(self) -> None:
        if self.turn_ms is None:
            self.turn_ms = int((asyncio.get_running_loop().time() - self._began) * 1000)

    def _model_call(self, item: int, chat: Chat | None, most: Usage | None) -> ModelCall:
        attempt, publisher = self._attempt, self._attempt.publisher
        return ModelCall(
            checkpoints=attempt.checkpoints,
            item=item,
            chat=chat,
            most=most,
            deadline=self._deadline,
            execution_id=attempt.execution_id,
            note_turn=self._note_turn,
            fetch_media=self.fetch_media,
            read_document=self.read_document,
            publish_progress=publisher.progress_of(item) if publisher else ignore_update,
            publish_text=publisher.text_of(item) if publisher else ignore_update,
        )
