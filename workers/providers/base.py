"""The interface of dialects: the context of a call, its answer, and the ports it uses."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from engine.errors.nodes import DOCUMENT_UNREADABLE, NodeFailed
from engine.models.calls.call_sections import Call
from engine.models.calls.chat import Chat
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.nodes.support.base import HttpAnswer, HttpCall
from engine.nodes.support.documents import DocumentText
from workers.providers.media_memory import MediaReservation

MARGIN_SECONDS = 0.1
"""A call ends this long before its node's time is up, so that it gives its own reason."""
CLOCK_SECONDS = 0.05
"""Timers may fire this much too early."""
MEASURED_SECONDS = "inputSeconds"
"""Member of a recorded job with the length of what was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """Answer of a model, and its usage."""

    value: Any
    usage: Usage
    micro_usd: int | None = None
    """Cost where another model answered; None: the cost of the usage."""
    heard_seconds: Decimal | None = None
    """Length of what was sent as the provider tells it, None where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMedia:
    """A medium from a model, at the URL where it is stored."""

    url: str
    seconds: Decimal | None = None
    """Its length, where that was measured."""


class Fetcher(Protocol):
    """Port to an HTTP client."""

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        """Send a call. Raises NodeFailed."""
        ...


class MediaStore(Protocol):
    """Port to the media of accounts."""

    async def read(
        self, account_id: str, url: str, max_bytes: int, owner_id: str = ""
    ) -> bytes | None:
        """Read a medium of either account at one of our URLs, None for any other URL.

        Raises NodeFailed.
        """
        ...

    async def content_type(self, account_id: str, url: str, owner_id: str = "") -> str | None:
        """Return the type on record of a medium of either account at one of our URLs.

        None for any other URL. Raises NodeFailed.
        """
        return None

    async def find(self, account_id: str, url: str, owner_id: str = "") -> StoredMedia | None:
        """Return a medium of either account at one of our URLs, None for any other URL.

        Raises NodeFailed.
        """
        return None

    async def require_space(self, account_id: str) -> None:
        """Raise NodeFailed when the account cannot store any more."""
        return

    async def keep(self, account_id: str, data: bytes, content_type: str) -> StoredMedia:
        """Store a medium. Raises NodeFailed."""
        ...

    async def use(self, account_id: str, asset_id: str) -> tuple[str, str]:
        """Return the kind of an asset (`image`, …) and a link to it. Raises NodeFailed."""
        raise NodeFailed("storage_error", "There is no place for media here")

    async def copy(self, account_id: str, url: str) -> StoredMedia:
        """Store the medium at a URL. Raises NodeFailed.

        Without a place for media, it keeps its URL.
        """
        return StoredMedia(url=url)

    def linked(self, value: object) -> str | None:
        """Return the id of the asset to which a value is a link, None for other values."""
        return None

    def for_execution(self, execution_id: str, kind: str, provider: str = "") -> "MediaStore":
        """Return the store for media of one execution, of one kind: `image`, `video`, …

        `provider` is the URL of the provider that makes them.
        """
        return self


class NoMediaStore(MediaStore):
    """A media store without a place for media."""

    async def read(
        self, account_id: str, url: str, max_bytes: int, owner_id: str = ""
    ) -> bytes | None:
        return None

    async def keep(self, account_id: str, data: bytes, content_type: str) -> StoredMedia:
        raise NodeFailed("storage_error", "There is no place to keep media here")


class CallCheckpoints(Protocol):
    """Port to the checkpoints of a running node's calls, by `item`."""

    @property
    def account_id(self) -> str:
        """Account that owns the execution."""
        ...

    @property
    def owner_id(self) -> str:
        """Account that owns the workflow, whose media the call may read too."""
        ...

    @property
    def is_given_up(self) -> bool:
        """True when jobs that begin here are not resumed."""
        ...

    def note_failure(self, failure: NodeFailed) -> None:
        """Note that a call has failed. A final failure of the node abandons its other calls."""
        ...

    def is_final(self, failure: NodeFailed) -> bool:
        """Return whether the node has no further attempt after this failure."""
        ...

    def key(self, item: int) -> str:
        """Return the name of an item's call, equal for all workers and attempts."""
        ...

    async def find_job(self, item: int) -> Any:
        """Return the job that an earlier attempt recorded for an item, None for none."""
        ...

    async def save_job(self, item: int, job: Any) -> None:
        """Record the job of an item's call, None to remove it. Raises NodeFailed."""
        ...

    async def pause(self, seconds: float) -> None:
        """Wait before the next poll of a job on record.

        Raises SiblingFailed when the attempt fails meanwhile: the next attempt goes on polling.
        """
        await asyncio.sleep(seconds)

    async def find_answer(self, item: int) -> ModelAnswer | None:
        """Return the answer that an earlier attempt recorded, None: call the model."""
        ...

    def save_answer(self, item: int, answer: ModelAnswer) -> None:
        """Record an item's answer in the background, so that later attempts reuse it."""
        ...

    def drop_answer(self, item: int) -> None:
        """Record in the background that an item has no valid answer."""
        ...

    async def flush(self) -> None:
        """Wait until the answers of a failed attempt are on record."""
        ...

    def close(self) -> None:
        """Stop recording; the attempt has ended."""
        ...


class NoCheckpoints(CallCheckpoints):
    """Checkpoints of calls outside of executions: nothing is recorded or resumed."""

    account_id = ""
    owner_id = ""
    is_given_up = True

    def note_failure(self, failure: NodeFailed) -> None:
        return

    def is_final(self, failure: NodeFailed) -> bool:
        return True

    def key(self, item: int) -> str:
        return ""

    async def find_job(self, item: int) -> Any:
        return None

    async def save_job(self, item: int, job: Any) -> None:
        return

    async def find_answer(self, item: int) -> ModelAnswer | None:
        return None

    def save_answer(self, item: int, answer: ModelAnswer) -> None:
        return

    def drop_answer(self, item: int) -> None:
        return

    async def flush(self) -> None:
        return

    def close(self) -> None:
        return


async def fetch_nothing(url: str) -> bytes:
    """Raise NodeFailed: media at foreign URLs cannot be fetched."""
    raise NodeFailed("connection_failed", "Media of others cannot be fetched here")


async def read_no_document(url: str) -> DocumentText:
    """Raise NodeFailed: documents cannot be read."""
    raise NodeFailed(DOCUMENT_UNREADABLE, "Documents cannot be read here")


def with_margin(seconds: float) -> float:
    """Return a little less time, so that the inner call gives its reason before the outer ends."""
    return seconds - min(MARGIN_SECONDS, seconds / 20)


def ignore_update(update: object) -> None:
    """Ignore an update that has no watcher."""


def ignore_turn() -> None:
    """Ignore a turn of a call outside of a node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """Context of one call of a running node."""

    checkpoints: CallCheckpoints = field(default_factory=NoCheckpoints)
    item: int = 0
    chat: Chat | None = None
    """Chat to continue; None: the values have the prompt. Its answer is a plain `ChatTurn`."""
    most: Usage | None = None
    """Most usage that is charged; None: the values bound it."""
    deadline: float | None = None
    """End of the node's time, by the event loop's clock."""
    execution_id: str = ""
    note_turn: Callable[[], None] = ignore_turn
    """Notes the end of the wait for a turn at the provider, with or without a turn."""
    fetch_media: Callable[[str], Awaitable[bytes]] = fetch_nothing
    """Fetches the bytes at a URL that workflows may call. Raises NodeFailed."""
    read_document: Callable[[str], Awaitable[DocumentText]] = read_no_document
    """Reads the document at a URL, for a fallback that takes no PDFs. Raises NodeFailed."""
    publish_progress: Callable[[float], None] = ignore_update
    """Takes the completed share, from 0 to 1."""
    publish_text: Callable[[str], None] = ignore_update
    """Takes the model's text piece by piece, without secrets; an empty piece restarts it.

    A model is asked for a stream only where this is not `ignore_update`.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """Context of one call of a dialect: its job, its memory, and the ports it uses."""

    model_call: ModelCall
    model: str
    """Internal name of the called model."""
    key: str
    """Idempotency key of the call; empty for none."""
    job: Any
    """Job that an earlier attempt recorded, None for none."""
    fetch: Callable[[HttpCall], Awaitable[HttpAnswer]]
    """HTTP client for the provider, which may have a private address."""
    media_store: MediaStore
    sending: MediaReservation
    """Memory reserved for media that are sent."""
    receiving: MediaReservation
    """Memory reserved for media that are received."""
    environ: Mapping[str, str]
    names_variables: bool = False
    """True when errors name the variables that are not set."""
    loaded: Mapping[str, bytes] = field(default_factory=dict)
    """Media at foreign URLs that were loaded to measure them, by URL."""
    measured_seconds: Decimal | None = None
    """Length of the sounds and videos that are sent, None where the price does not ask for it."""

    async def save_job(self, job: Mapping[str, Any]) -> None:
        """Record a job. Raises NodeFailed."""
        length = self.measured_seconds
        measured = {} if length is None else {MEASURED_SECONDS: str(length)}
        await self.model_call.checkpoints.save_job(
            self.model_call.item, {"model": self.model, **measured, **job}
        )

    async def keep(self, data: bytes, content_type: str) -> StoredMedia:
        """Store a medium of the account. Raises NodeFailed."""
        return await self.media_store.keep(self.account_id, data, content_type)

    async def copy(self, url: str) -> StoredMedia:
        """Store the medium at a URL. Raises NodeFailed."""
        return await self.media_store.copy(self.account_id, url)

    async def find(self, url: str) -> StoredMedia | None:
        """Return the account's medium at one of our URLs, None for any other. Raises NodeFailed."""
        owner_id = self.model_call.checkpoints.owner_id
        return await self.media_store.find(self.account_id, url, owner_id)

    async def read(self, url: str, max_bytes: int) -> bytes | None:
        """Read the account's medium at one of our URLs, None for any other. Raises NodeFailed."""
        if url in self.loaded:
            return self.loaded[url]
        owner_id = self.model_call.checkpoints.owner_id
        return await self.media_store.read(self.account_id, url, max_bytes, owner_id)

    @property
    def input_seconds(self) -> Decimal | None:
        """Length of the sounds and videos that were sent, by an earlier attempt too."""
        recorded = self.job.get(MEASURED_SECONDS) if isinstance(self.job, dict) else None
        return Decimal(recorded) if isinstance(recorded, str) else self.measured_seconds

    @property
    def account_id(self) -> str:
        """Account that makes the call."""
        return self.model_call.checkpoints.account_id

    @property
    def wants_text(self) -> bool:
        """True when the text is published as it comes."""
        return self.model_call.publish_text is not ignore_update

    @property
    def is_under_way(self) -> bool:
        """True when the provider has a job for the call already."""
        return isinstance(self.job, dict) and self.job.get("id") is not None

    @property
    def is_late(self) -> bool:
        """True when the node's time is up."""
        now = asyncio.get_running_loop().time()
        deadline = self.model_call.deadline
        return deadline is not None and deadline <= now + CLOCK_SECONDS

    @property
    def is_given_up(self) -> bool:
        """True when a call that is cancelled now is not resumed."""
        return self.is_late or self.model_call.checkpoints.is_given_up

    def bound(self, seconds: float) -> float:
        """Return `seconds`, or less where the node's time ends before."""
        if self.model_call.deadline is None:
            return seconds
        left = self.model_call.deadline - asyncio.get_running_loop().time()
        return max(min(seconds, with_margin(left)), CLOCK_SECONDS)


class Dialect(Protocol):
    """Calls models whose manifests have a section of its type."""

    call: type[Call]

    async def answer(
        self, model: Model, values: Mapping[str, Any], call: CallContext
    ) -> ModelAnswer:
        """Make one call. Raises NodeFailed."""
        ...
