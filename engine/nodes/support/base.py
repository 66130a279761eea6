"""What a node type is, and what it may ask for while it runs."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from engine.errors.nodes import NodeFailed
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.nodes.support.image_edits import Edit, ImageData
from engine.values.sockets import Socket, SocketType

Outputs = Mapping[str, Any]
"""Output socket name to plain value; a socket left out was not taken (its dependents skip)."""


NO_MEDIA: Mapping[str, frozenset[SocketType]] = {}


class WorkKind(StrEnum):
    """Where a node's work happens."""

    PURE = "pure"
    """Deterministic, no waiting: runs in place, recorded in batches."""
    IO = "io"
    """Waits for a network: runs on the event loop, claimed and recorded by itself."""
    CPU = "cpu"
    """Heavy or untrusted local work: runs in a child process that can be killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InEdge:
    """An edge as its target sees it; `source` is the index of the node it comes from."""

    socket: str
    source: int
    output: str
    type: SocketType
    """The type of the output it comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """One outbound HTTP request, put together and ready to send."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    timeout_seconds: float = 30.0
    """For everything together: look-up, redirects and body."""
    max_bytes: int = 10_485_760
    """Of the answer's body, as it comes and inflated."""
    max_redirects: int = 0
    """How many are followed; with none, a redirect is the answer."""
    signature: tuple[tuple[str, str], ...] = ()
    """Headers that Headrace itself signs with, which authors cannot set."""
    account_id: str = ""
    """Whose call it is and counts as; empty: nobody's."""
    depth: int = 0
    """Depth of the run that makes the call; 0: no run's."""
    is_cut: bool = False
    """A larger answer is cut off at `max_bytes`, not refused; a compressed one is left out."""
    keep_alive: bool = True
    """Whether the connection may be used again."""
    idle_seconds: float | None = None
    """So long may nothing come of a body; None: until the time for everything is up."""
    take: "Take | None" = None
    """Is given the answer without its body, and the body as it comes; may raise what it likes.

    It need not take all. The answer that comes back has no body then.
    """
    reserve: Callable[[int], Awaitable[None]] | None = None
    """Is told of the bytes of a large body as they come; no more are read until it returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What came back: status, headers with lower-case names, and the body within its cap."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Take = Callable[[HttpAnswer, AsyncIterator[bytes]], Awaitable[None]]


class Context(Protocol):
    """What a running node may ask for; implemented by the worker."""

    inputs: Mapping[str, Any]
    """The execution's checked inputs, defaults filled in."""
    delivered: Sequence[tuple[InEdge, Any]]
    """This node's wires that brought a value, and the value, in document order."""

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        """Send the call through the one way out. Raises NodeFailed (url_blocked, timeout, …)."""
        ...

    async def evaluate(self, expression: str, values: Mapping[str, Any]) -> Any:
        """Evaluate CEL over variables in a child process that can be killed. Raises NodeFailed."""
        ...

    async def choose(self, expressions: Sequence[str], values: Mapping[str, Any]) -> int | None:
        """The position of the first CEL expression that gives true, found in a child process.

        None: none does. Raises NodeFailed.
        """
        ...

    async def compute(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a top-level function in a child process that can be killed. Raises NodeFailed."""
        ...

    async def fetch_media(self, url: str) -> bytes:
        """The bytes at a URL, of our own assets or out in the world, capped. Raises NodeFailed."""
        ...

    async def keep_media(self, data: bytes, content_type: str) -> str:
        """Store a medium as the account's, and give its URL. Raises NodeFailed."""
        ...

    async def edit_image(self, edit: Edit, sources: Sequence[bytes]) -> ImageData:
        """Work on an image in a child process that can be killed. Raises NodeFailed."""
        ...

    async def read_image(self, data: bytes) -> str:
        """What is written in an image, by a model in a child process. Raises NodeFailed."""
        ...

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector of length 1 for each text, by a model in a child process. Raises NodeFailed."""
        ...

    async def use_asset(self, asset_id: str) -> tuple[str, str]:
        """What an asset of the account is (`image`, `video` or `audio`) and a link to it.

        Raises NodeFailed when the account has no such asset.
        """
        ...

    async def call_model(self, model: Model, values: Mapping[str, Any], item: int = 0) -> Any:
        """One call, with checked values: what the model gives. Raises NodeFailed.

        `item` tells the calls of one node apart, and must be the same when the node runs again.
        What calls use adds up, and is charged when the node completes. Of a node with several,
        the answers are kept for its next attempt, which is given them and counts them again.
        """
        ...

    def is_final(self, failure: NodeFailed) -> bool:
        """Whether this attempt is the last one, when it ends with this failure."""
        ...

    async def refuse_answer(self, item: int = 0) -> None:
        """Say that what a model answered is no good, before failing for it.

        Another attempt's call is a new one then also for providers that do no call twice; after
        other failures it is the same, since nobody knows what became of it. Raises NodeFailed.
        """
        ...


class NodeType(Protocol):
    """A node type: its sockets, its settings and its work, all in one file."""

    type: str
    category: str
    kind: WorkKind

    def parse(self, data: Mapping[str, Any]) -> Any:
        """Check `data` and return frozen settings. Raises SettingsError with every reason."""
        ...

    def inputs(self, settings: Any) -> Mapping[str, Socket]:
        """The input sockets by name."""
        ...

    def outputs(self, settings: Any) -> Mapping[str, Socket]:
        """The output sockets by name."""
        ...

    def needs(self, data: Mapping[str, Any]) -> Mapping[str, Socket]:
        """The input sockets that need a wire, as far as wrong settings tell."""
        return {}

    def fixed_url(self, settings: Any) -> str | None:
        """The URL that it calls, at least up to the end of the host, if that is known at save."""
        return None

    def model(self, settings: Any) -> str | None:
        """The internal name of the model whose price is charged; most node types have none."""
        return None

    def most(
        self, settings: Any, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Usage:
        """The most that one run with these inputs can use.

        `unknown` sockets bring others later, but items of their lists that are not null stay.
        """
        return Usage()

    def foresee(
        self, settings: Any, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Outputs:
        """What a run with these inputs gives, as far as it is known without one.

        A list with null in it says how long it is; what is left out is not known at all. Of a pure
        type it is all that a run gives, unless `unknown` sockets bring others later, or nothing.
        Raises NodeFailed where that would fail.
        """
        return {}

    def reads(self, settings: Any, socket: str) -> Collection[str] | None:
        """The members of an object at this input socket that the node looks at; None: all of it."""
        return None

    def bind(
        self,
        settings: Any,
        wired: frozenset[str],
        media: Mapping[str, frozenset[SocketType]] = NO_MEDIA,
    ) -> Any:
        """Settle what depends on which outputs have wires; most node types do not care.

        `media`: the outputs that are wired to sockets of media, and of which.
        """
        return settings

    async def run(self, settings: Any, inputs: Mapping[str, Any], context: Context) -> Outputs:
        """Give the outputs. `inputs` holds the wired and delivered sockets only; a socket that
        takes many wires gets a list of the delivered values in document order."""
        ...
