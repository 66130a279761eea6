"""What a dialect is: one way to call models, what it may ask for, and what comes of a call."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from engine.errors.nodes import NodeFailed
from engine.models.calls import Call
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.nodes.support.base import HttpAnswer, HttpCall
from workers.providers.media_memory import MediaReservation

MARGIN_SECONDS = 0.1
"""So much before the node's time is up a call is given up, so that it says why by itself."""
CLOCK_SECONDS = 0.05
"""Timers may ring this much too early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """What a model gave, and what that used."""

    value: Any
    usage: Usage
    micro_usd: int | None = None
    """What it costs where another model answered; None: what the usage costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMedia:
    """A medium that a model gave, where it is from now on."""

    url: str
    seconds: Decimal | None = None
    """How long it is, where that was measured."""


class Fetcher(Protocol):
    """A way out."""

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        """Send a call. Raises NodeFailed."""
        ...


class MediaStore(Protocol):
    """Where the media of accounts are."""

    async def read(self, account_id: str, url: str, max_bytes: int) -> bytes | None:
        """The account's own medium at one of our URLs, None for any other URL.

        Raises NodeFailed.
        """
        ...

    async def require_space(self, account_id: str) -> None:
        """Raises NodeFailed where nothing more of the account's would be kept."""
        return

    async def keep(self, account_id: str, data: bytes, content_type: str) -> StoredMedia:
        """Store a medium. Raises NodeFailed."""
        ...

    async def use(self, account_id: str, asset_id: str) -> tuple[str, str]:
        """What an asset of the account is (`image`, …) and a link to it. Raises NodeFailed."""
        raise NodeFailed("storage_error", "There is no place for media here")

    async def copy(self, account_id: str, url: str) -> StoredMedia:
        """Store what a URL leads to. Raises NodeFailed.

        Where nothing is stored, it keeps its URL.
        """
        return StoredMedia(url=url)

    def of(self, execution_id: str, kind: str, provider: str = "") -> "MediaStore":
        """The keeper of what one execution is given, which is an `image`, a `video`, …

        `provider` is the URL of whoever gives it.
        """
        return self


class NoMediaStore(MediaStore):
    """Where there is no place for media."""

    async def read(self, account_id: str, url: str, max_bytes: int) -> bytes | None:
        return None

    async def keep(self, account_id: str, data: bytes, content_type: str) -> StoredMedia:
        raise NodeFailed("storage_error", "There is no place to keep media here")


class CallCheckpoints(Protocol):
    """What a running node's calls have on record; `item` tells them apart."""

    @property
    def account_id(self) -> str:
        """Whose execution it is."""
        ...

    @property
    def is_given_up(self) -> bool:
        """Whether nobody will come back for what is begun here."""
        ...

    def note_failure(self, failure: NodeFailed) -> None:
        """A call has failed; if the node has failed for good with it, its others are given up."""
        ...

    def is_final(self, failure: NodeFailed) -> bool:
        """Whether the node is not run again after this failure."""
        ...

    def key(self, item: int) -> str:
        """What names the call for an item, whoever makes it and however often."""
        ...

    async def find_job(self, item: int) -> Any:
        """What an earlier attempt has recorded for an item, None for nothing."""
        ...

    async def save_job(self, item: int, job: Any) -> None:
        """Record what an item's call must not lose, None to forget it. Raises NodeFailed."""
        ...

    async def pause(self, seconds: float) -> None:
        """Wait before asking after a job on record.

        Raises NodeLeft when the attempt fails meanwhile: the next one goes on asking.
        """
        await asyncio.sleep(seconds)

    async def find_answer(self, item: int) -> ModelAnswer | None:
        """What an earlier attempt was answered for an item, None: it is to be asked."""
        ...

    def save_answer(self, item: int, answer: ModelAnswer) -> None:
        """An item is done, so that no other attempt need ask for it; returns at once."""
        ...

    def drop_answer(self, item: int) -> None:
        """The answer for an item is no good; returns at once."""
        ...

    async def flush(self) -> None:
        """The attempt has failed; returns once what it keeps is on record."""
        ...

    def close(self) -> None:
        """The attempt has ended."""
        ...


class NoCheckpoints(CallCheckpoints):
    """For calls outside of executions: nothing is recorded, and nobody comes back."""

    account_id = ""
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
    """Where there is no way to media but our own. Raises NodeFailed."""
    raise NodeFailed("connection_failed", "Media of others cannot be fetched here")


def with_margin(seconds: float) -> float:
    """A little less, so that what is within says why it is given up, and not what is around it."""
    return seconds - min(MARGIN_SECONDS, seconds / 20)


def ignore_update(update: object) -> None:
    """Where nobody asks for progress, or for the text as it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """One call of a running node, as the node's side knows it."""

    checkpoints: CallCheckpoints = field(default_factory=NoCheckpoints)
    item: int = 0
    deadline: float | None = None
    """When the node's time is up, by the event loop's clock."""
    execution_id: str = ""
    fetch_media: Callable[[str], Awaitable[bytes]] = fetch_nothing
    """Gives the bytes at a URL that workflows may call. Raises NodeFailed."""
    publish_progress: Callable[[float], None] = ignore_update
    """Takes the share that is done, from 0 to 1."""
    publish_text: Callable[[str], None] = ignore_update
    """Takes the model's text piece by piece, without secrets; an empty piece: it begins anew.

    A model is asked for a stream only where this is not `tell_nobody`.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """What a dialect may ask for while it makes one call."""

    model_call: ModelCall
    model: str
    """The internal name of the model that is called."""
    key: str
    """Names the call for providers that take an idempotency key; empty: there is none."""
    job: Any
    """What an earlier attempt has recorded, None for nothing."""
    fetch: Callable[[HttpCall], Awaitable[HttpAnswer]]
    """The way to the provider, which may lead to private addresses."""
    media_store: MediaStore
    sending: MediaReservation
    """The memory that it has for media that go out."""
    receiving: MediaReservation
    """The memory that it has for media that come back."""
    environ: Mapping[str, str]
    names_variables: bool = False
    """Whether callers are told by name which variables are not set."""

    async def save_job(self, job: Mapping[str, Any]) -> None:
        """Returns once it is on record. Raises NodeFailed."""
        await self.model_call.checkpoints.save_job(
            self.model_call.item, {"model": self.model, **job}
        )

    async def keep(self, data: bytes, content_type: str) -> StoredMedia:
        """Store a medium of the account. Raises NodeFailed."""
        return await self.media_store.keep(self.account_id, data, content_type)

    async def copy(self, url: str) -> StoredMedia:
        """Store what a URL leads to. Raises NodeFailed."""
        return await self.media_store.copy(self.account_id, url)

    async def read(self, url: str, max_bytes: int) -> bytes | None:
        """The account's own medium at one of our URLs, None for any other. Raises NodeFailed."""
        return await self.media_store.read(self.account_id, url, max_bytes)

    @property
    def account_id(self) -> str:
        """Whose call it is."""
        return self.model_call.checkpoints.account_id

    @property
    def wants_text(self) -> bool:
        """Whether anybody takes the text as it comes."""
        return self.model_call.publish_text is not ignore_update

    @property
    def is_under_way(self) -> bool:
        """Whether the provider has a job of it already."""
        return isinstance(self.job, dict) and self.job.get("id") is not None

    @property
    def is_late(self) -> bool:
        """Whether the node's time is up."""
        now = asyncio.get_running_loop().time()
        deadline = self.model_call.deadline
        return deadline is not None and deadline <= now + CLOCK_SECONDS

    @property
    def is_given_up(self) -> bool:
        """Whether a call that is cancelled now is not taken up again."""
        return self.is_late or self.model_call.checkpoints.is_given_up

    def bound(self, seconds: float) -> float:
        """As much of this time as ends before the node's does."""
        if self.model_call.deadline is None:
            return seconds
        left = self.model_call.deadline - asyncio.get_running_loop().time()
        return max(min(seconds, with_margin(left)), CLOCK_SECONDS)


class Dialect(Protocol):
    """Calls the models whose manifests have a section of its kind."""

    call: type[Call]

    async def answer(
        self, model: Model, values: Mapping[str, Any], call: CallContext
    ) -> ModelAnswer:
        """One call. Raises NodeFailed."""
        ...
