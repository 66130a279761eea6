"""Protocols of node types and of the context in which a node runs."""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct

from engine.access.opened_secrets import NO_SECRETS, OpenedSecrets
from engine.errors.nodes import NodeFailed, SettingFault
from engine.models.calls.chat import Chat
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.nodes.support.documents import DocumentOptions, DocumentText
from engine.nodes.support.image_edits import Edit, ImageData
from engine.nodes.support.settings import Faults, Judge, Setting
from engine.nodes.support.tool_servers import RemoteTool, ToolAnswer, ToolServer
from engine.values.sockets import Socket, Sockets, SocketType

Outputs = Mapping[str, Any]
"""Plain values by output socket; an absent socket is a branch not taken (its dependents skip)."""


USUAL_DOCUMENT = DocumentOptions()
NO_MEDIA: Mapping[str, frozenset[SocketType]] = {}


class SecretName(Struct, frozen=True):
    """Place in the settings of a node that names a secret of the account."""

    field: str
    """Path of the setting."""
    name: str
    host: str | None
    """Host that gets the secret; None: it is not known before the run, or not valid."""


class WorkKind(StrEnum):
    """Kind of a node's work, which decides the place of its execution."""

    PURE = "pure"
    """Deterministic, without waiting: runs in place, recorded in batches."""
    IO = "io"
    """Waits for a network: runs on the event loop, claimed and recorded by itself."""
    CPU = "cpu"
    """Heavy or untrusted local work: runs in a child process that can be killed."""
    CHILDREN = "children"
    """Waits for executions that it starts, without a worker."""
    WAIT = "wait"
    """Waits for a time or an answer, without a worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InEdge:
    """Incoming edge of a node; `source` is the index of the source node."""

    socket: str
    source: int
    output: str
    type: SocketType
    """Type of the source's output socket."""
    is_fixed: bool = False
    """The value follows from the document alone: no input, answer or medium changes it."""


class HttpCall(Struct, frozen=True, kw_only=True):
    """Outbound HTTP request, ready to send."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    timeout_seconds: float = 30.0
    """Total time limit, with name look-up, redirects and body."""
    max_bytes: int = 10_485_760
    """Limit of the answer's body, before and after decompression."""
    max_redirects: int = 0
    """Redirects to follow; with 0 a redirect is the answer."""
    signature: tuple[tuple[str, str], ...] = ()
    """Signature headers of Headrace, which authors cannot set."""
    account_id: str = ""
    """Account that makes the call; connections are kept for its further calls alone."""
    is_counted: bool = True
    """The account's limits of outbound calls count the call."""
    is_paid: bool = False
    """They have counted the call before (`Egress.count`); its bytes are still to be counted."""
    owner_id: str = ""
    """Account whose media at our own links the call may read too; empty: none."""
    secrets: OpenedSecrets = NO_SECRETS
    """Secrets that the call carries, which no other origin gets by a redirect."""
    depth: int = 0
    """Depth of the calling run; 0: no run."""
    tells_trace: bool = False
    """Any host may know the trace that the call belongs to."""
    is_cut: bool = False
    """A larger body is truncated to `max_bytes`, a compressed one omitted, instead of refused."""
    keep_alive: bool = True
    """The connection may be reused."""
    idle_seconds: float | None = None
    """Longest pause between pieces of the body; None: the total time limit."""
    consume: "BodyConsumer | None" = None
    """Consumer of the streamed body; it may stop early and raise any error.

    The returned answer then has no body.
    """
    reserve: Callable[[int], Awaitable[None]] | None = None
    """Reserves memory for pieces of a large body; reading pauses until it returns."""


class HttpAnswer(Struct, frozen=True, kw_only=True):
    """Status, headers with lower-case names, and body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


BodyConsumer = Callable[[HttpAnswer, AsyncIterator[bytes]], Awaitable[None]]
HttpFetch = Callable[[HttpCall], Awaitable[HttpAnswer]]
"""Sends a call. Raises NodeFailed."""


class Context(Protocol):
    """Services for a running node, implemented by the worker."""

    inputs: Mapping[str, Any]
    """Checked inputs of the execution, with defaults."""
    delivered: Sequence[tuple[InEdge, Any]]
    """In-edges of the node that delivered a value, with the value, in document order."""

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        """Send the call by the outbound client. Raises NodeFailed (url_blocked, timeout, …)."""
        ...

    async def open_secrets(self, names: Collection[str]) -> OpenedSecrets:
        """Open secrets of the account for this attempt. Raises NodeFailed (secret_missing).

        Failures of the attempt are redacted; the node redacts its outputs.
        """
        ...

    async def evaluate(self, expression: str, values: Mapping[str, Any]) -> Any:
        """Evaluate CEL over variables in a child process. Raises NodeFailed."""
        ...

    async def choose(self, expressions: Sequence[str], values: Mapping[str, Any]) -> int | None:
        """Return the index of the first CEL expression that is true, or None.

        Evaluates in a child process. Raises NodeFailed.
        """
        ...

    async def compute(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a top-level function in a child process. Raises NodeFailed."""
        ...

    async def fetch_media(self, url: str) -> bytes:
        """Return the bytes of an asset's link or another URL, up to a limit. Raises NodeFailed."""
        ...

    async def stored_type(self, url: str) -> str | None:
        """Return the content type of the asset at a link of ours; None for any other URL.

        Raises NodeFailed if the link leads to no asset of the account.
        """
        ...

    async def keep_media(self, data: bytes, content_type: str) -> str:
        """Store a medium as an asset of the account; return its URL. Raises NodeFailed."""
        ...

    async def edit_image(self, edit: Edit, sources: Sequence[bytes]) -> ImageData:
        """Edit images in a child process. Raises NodeFailed."""
        ...

    async def read_image(self, data: bytes) -> str:
        """Return the text in an image, by a local model. Raises NodeFailed."""
        ...

    async def file_type(self, url: str) -> str:
        """Return the content type of the document at an asset's link or another URL.

        Raises NodeFailed if it is none (document_unreadable).
        """
        ...

    async def read_document(
        self, url: str, options: DocumentOptions = USUAL_DOCUMENT
    ) -> DocumentText:
        """Read the document at an asset's link or another URL, in a child process.

        Raises NodeFailed (document_unreadable).
        """
        ...

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a unit vector for each text, by a local model. Raises NodeFailed."""
        ...

    async def use_asset(self, asset_id: str, *, is_named: bool) -> tuple[str, str]:
        """Return the kind (`image`, `video`, `audio` or `file`) of an asset, and a link to it.

        The asset is the workflow owner's where the document names it, else that of the account
        that runs the workflow. Raises NodeFailed if the account has no such asset.
        """
        ...

    async def call_model(
        self,
        model: Model,
        values: Mapping[str, Any],
        item: int = 0,
        chat: Chat | None = None,
        *,
        most: Usage | None = None,
    ) -> Any:
        """Call the model with checked values; return its answer. Raises NodeFailed.

        With a `chat` the answer is a `ChatTurn`, which continues it; the values then have no
        prompt and no system. Fails with `model_takes_no_tools` where the model has no chats.

        `item` numbers the calls of one node, equally in each attempt. The usage of all calls is
        charged when the node completes. Answers of a node with several calls are kept for its
        next attempt, which reuses them and counts their usage again.

        `most` bounds the usage that is charged; None: the values bound it.
        """
        ...

    async def list_tools(self, server: ToolServer) -> Sequence[RemoteTool]:
        """Return the tools of a server, without the secret of its calls. Raises NodeFailed."""
        ...

    async def call_tool(
        self, server: ToolServer, tool: str, arguments: Mapping[str, Any]
    ) -> ToolAnswer:
        """Call a tool of a server once; media of its answer become assets. Raises NodeFailed."""
        ...

    def is_final(self, failure: NodeFailed) -> bool:
        """Return True if no further attempt follows this failure."""
        ...

    async def refuse_answer(self, item: int = 0) -> None:
        """Reject a model's answer, before the node fails for it.

        The next attempt then uses a new idempotency key; after other failures it uses the same
        one, since the outcome of the call is unknown. Raises NodeFailed.
        """
        ...


class NodeType(Protocol):
    """Node type: settings, sockets, estimates and work."""

    type: str
    category: str
    label: str
    """Display name."""
    description: str
    """Sentence for authors."""
    kind: WorkKind
    members: Sequence[Setting] = ()
    """Members of `data` besides those common to all node types."""
    is_dynamic: bool = False
    """Sockets depend on the settings."""
    can_fail: bool = True
    """Nodes of the type can fail, so they have the output `error-out`."""
    since_schema: int = 1
    """Schema version of the store from which on nodes of the type can be saved."""
    ways: frozenset[str] = frozenset()
    """Outputs that stand for a decision: a node that fails takes none that `fallback` omits."""
    is_inner: bool = False
    """Nodes of the type are made by another type: no document has one, no palette shows it."""
    url_member: str = "url"
    """Setting that `fixed_url` is about."""
    takes_retry: bool = True
    """The common setting `retry` has an effect; else it is a fault."""
    takes_timeout: bool = True
    """The common setting `timeoutSeconds` has its usual meaning and range."""
    semantics: int = 1
    """Version of what the type does with its settings and inputs.

    A release raises it when nodes that an earlier one has begun must not be continued by it.
    """

    def read(self, data: Mapping[str, Any], faults: Faults) -> Any:
        """Read `data` into frozen settings; with faults, as far as the sockets need them."""
        ...

    def parse(self, data: Mapping[str, Any], judge: Judge | None = None) -> Any:
        """Parse `data` to frozen settings. Raises SettingsError with all reasons.

        Expressions are checked by `judge`; without it they are not.
        """
        faults = Faults()
        settings = self.read(data, faults)
        if judge is not None:
            faults.check_expressions(judge)
        faults.finish()
        return settings

    def outdated(self, settings: Any) -> Iterable[SettingFault]:
        """Return faults of settings that run, and could once be saved, but cannot any more."""
        return ()

    def wire_faults(self, settings: Any, wired: Collection[str]) -> Iterable[SettingFault]:
        """Return faults of settings that depend on which input sockets are wired."""
        return ()

    def unavailable_reason(self) -> str | None:
        """Return the reason why nodes of the type cannot be saved here; None: they can."""
        return None

    def inputs(self, settings: Any) -> Mapping[str, Socket]:
        """Return the input sockets by name."""
        ...

    def outputs(self, settings: Any) -> Mapping[str, Socket]:
        """Return the output sockets by name."""
        ...

    def needs(self, data: Mapping[str, Any]) -> Mapping[str, Socket]:
        """Return the required input sockets of invalid settings, as far as they are known."""
        return {}

    def sketch(self, data: Mapping[str, Any]) -> Sockets:
        """Return the sockets for an editor, as far as invalid settings determine them."""
        settings = self.read(data, Faults())
        return Sockets(self.inputs(settings), self.outputs(settings))

    def fixed_url(self, settings: Any) -> str | None:
        """Return the URL, or its start up to the host, that the node calls, if known at save."""
        return None

    def secret_uses(self, data: Mapping[str, Any]) -> Iterable[SecretName]:
        """Return the secrets that `data` names, even if other settings are invalid."""
        return ()

    def model(self, settings: Any) -> str | None:
        """Return the internal name of the charged model; most node types have none."""
        return None

    def max_usage(
        self, settings: Any, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Usage:
        """Return the most that one run with these inputs can use.

        Values of `unknown` sockets may change, except non-null items of lists.
        """
        return Usage()

    def estimate_outputs(
        self, settings: Any, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Outputs:
        """Return the outputs of a run with these inputs, as far as known without running.

        A list of nulls has a known length; absent outputs are unknown. The outputs of a pure type
        are exact unless values of `unknown` sockets change. Raises NodeFailed if a run would fail.
        """
        return {}

    def reads(self, settings: Any, socket: str) -> Collection[str] | None:
        """Return the members that the node reads of an object at a socket; None: all."""
        return None

    def bind(
        self,
        settings: Any,
        wired: frozenset[str],
        media: Mapping[str, frozenset[SocketType]] = NO_MEDIA,
    ) -> Any:
        """Return settings adapted to the outputs that have edges.

        `media`: media types of the input sockets that each output is wired to.
        """
        return settings

    async def run(self, settings: Any, inputs: Mapping[str, Any], context: Context) -> Outputs:
        """Return the outputs.

        `inputs` has only sockets with a delivered value; a socket of many edges has a list of the
        delivered values in document order.
        """
        ...
