"""Batches to accept, and batches as they stand on record."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict

from engine.executions.batches import DEFAULT_CONCURRENCY, BatchCounts, BatchKind, BatchStatus
from engine.ids.executions import new_execution_id
from engine.ids.idempotency import IdempotencyKey
from engine.store.formats import Format
from engine.store.redis.record_packing import pack, unpack
from engine.store.webhooks.owners import batch_owner
from engine.store.webhooks.run_webhooks import RunWebhook
from engine.values.plain import moment


class NewItem(Struct, frozen=True):
    """One item to run: checked inputs of the caller, as they came, and its own tags."""

    inputs: Mapping[str, Any]
    tags: Sequence[str] = ()


class Chunk(Struct, frozen=True):
    """Consecutive items of a batch, packed."""

    first: int
    """Index of the first of them."""
    packed: bytes


class NewBatch(Struct, frozen=True, kw_only=True):
    """Batch that a caller asks for; its items are checked."""

    account_id: str
    slug: str
    version: int
    """Version of the workflow that all items run."""
    items: Sequence[NewItem]
    chunks: Sequence[Chunk] = ()
    """All items, packed before, which takes long for large ones; none: they are packed later."""
    key_id: str = ""
    """API key of the caller; empty for a session."""
    owner_id: str = ""
    """Account of a public workflow; empty: the batch's own."""
    concurrency: int = DEFAULT_CONCURRENCY
    """Most items that run at once."""
    tags: Sequence[str] = ()
    webhook_url: str | None = None
    """URL of the key's webhook to notify of the end, where the batch has none of its own."""
    webhook: RunWebhook | None = None
    """Its own webhook, with its secret sealed to the place of `batch_owner`."""
    batch_id: str = field(default_factory=new_execution_id)
    retry_of: str = ""
    """Batch whose failed items these are."""
    request_id: str = ""
    """Id of the HTTP request, for readers of the record."""
    trace: str = ""
    """Header of the span above those of the items' executions; empty: no trace."""
    depth: int = 1
    """Depth of the items' runs: 1, or one more than that of the run whose node makes the call."""
    idempotency_key: IdempotencyKey | None = None
    answer: str = ""
    """Response to replay for the idempotency key."""
    kind: BatchKind = BatchKind.BATCH
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the record, of a list of another kind."""
    values: Mapping[str, bytes] = field(default_factory=dict)
    """Further packed fields, of which large ones become objects."""

    @property
    def keeps_version(self) -> bool:
        """Whether its items run a version of the account's own workflow, which is kept."""
        return not self.owner_id and self.version > 0

    def record_fields(self) -> dict[str, Any]:
        """Return the first fields of the record but those of its items."""
        fields: dict[str, Any] = {
            "format": Format.BATCH.known,
            "slug": self.slug,
            "version": self.version,
            "owner": self.owner_id,
            "key": self.key_id,
            "concurrency": self.concurrency,
            "tags": pack(list(self.tags)),
            "retry_of": self.retry_of,
            "request": self.request_id,
            "trace": self.trace,
            "webhook_url": self.webhook_url or "",
            **self._webhook_fields(),
            "depth": self.depth if self.depth > 1 else "",
            "kind": self.kind.value,
            **self.facts,
        }
        return {name: value for name, value in fields.items() if value != ""}

    def _webhook_fields(self) -> dict[str, Any]:
        if self.webhook is None:
            return {}
        return {"webhook_url": self.webhook.url, "webhook_owner": batch_owner(self.batch_id)}


class BatchAccepted(Struct, frozen=True):
    """Accepted batch, whose items will all end after any crash. `created_at` is in milliseconds."""

    batch_id: str
    size: int
    created_at: int


class BatchRetried(Struct, frozen=True):
    """The failed items of the former batch run in another one already."""

    batch_id: str
    """The other batch."""


class Batch(Struct, frozen=True, kw_only=True):
    """Batch on record. Times are in milliseconds."""

    id: str
    account_id: str
    slug: str
    version: int
    owner_id: str
    """Account of a public workflow; empty: the batch's own."""
    key_id: str
    status: BatchStatus
    states: str
    """Codes of the statuses of its items, see `ItemStatus`."""
    concurrency: int
    credits: int
    """Cost of its items up to now."""
    tags: tuple[str, ...]
    created_at: int
    completed_at: int | None
    webhook_url: str | None
    webhook_owner: str
    """Owner of the webhook to notify; empty for none."""
    retry_of: str
    """Batch whose failed items these are; empty for none."""
    retry: str
    """Batch with its failed items; empty for none."""
    trace: str = ""
    """Header of the span that it belongs to; empty: no trace."""
    kind: BatchKind = BatchKind.BATCH

    @property
    def summary(self) -> dict[str, Any]:
        """Members that callers and receivers of webhooks see."""
        return {
            "batchId": self.id,
            "workflowSlug": self.slug,
            "status": self.status.shown.value,
            "counts": asdict(self.counts),
            "creditsCost": self.credits,
            "tags": list(self.tags),
            "createdAt": moment(self.created_at),
            "completedAt": moment(self.completed_at),
        }

    @property
    def counts(self) -> BatchCounts:
        """Number of items of each status."""
        return BatchCounts.of(self.states)

    @property
    def size(self) -> int:
        """Number of items."""
        return len(self.states)


HEAD_FIELDS = (
    *("status", "slug", "version", "owner", "key", "states", "concurrency", "spent", "tags"),
    *("created", "completed", "webhook_url", "retry_of", "retry"),
    *("webhook_owner", "trace", "kind"),
)
"""Fields of the record of which `parse_batch` takes the values."""


def parse_batch(account_id: str, batch_id: str, values: Sequence[bytes | None]) -> Batch | None:
    """Return the batch with the values of `HEAD_FIELDS`; None if there is none."""
    texts = dict(zip(HEAD_FIELDS, values, strict=True))
    status = texts["status"]
    if status is None:
        return None

    def text(name: str) -> str:
        return (texts[name] or b"").decode()

    return Batch(
        id=batch_id,
        account_id=account_id,
        slug=text("slug"),
        version=int(text("version")),
        owner_id=text("owner"),
        key_id=text("key"),
        status=BatchStatus(status.decode()),
        states=text("states"),
        concurrency=int(text("concurrency")),
        credits=int(text("spent") or 0),
        tags=tuple(unpack(texts["tags"])) if texts["tags"] else (),
        created_at=int(text("created")),
        completed_at=int(text("completed")) if texts["completed"] else None,
        webhook_url=text("webhook_url") or None,
        webhook_owner=text("webhook_owner") or text("key"),
        retry_of=text("retry_of"),
        retry=text("retry"),
        trace=text("trace"),
        kind=BatchKind(text("kind")),
    )
