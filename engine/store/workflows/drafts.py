"""Drafts of workflows: the one document beside the versions that is being edited."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import DraftNotFound, RevisionConflict, WorkflowNotFound
from engine.graph.document import Document, from_record, to_record
from engine.ids.partitions import partition_of
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack, unpack
from engine.store.redis.scripts import SCRIPTS
from engine.store.workflows.quota import DocumentQuota, exceeded
from engine.store.workflows.summaries import pack_summary


class NeverPublished(Exception):
    """The draft is all that the workflow has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The draft of a workflow. Times are milliseconds since the epoch."""

    slug: str
    account_id: str
    revision: int
    """Number of the write, over all drafts of the workflow; from 1."""
    based_on: int | None
    """The version that was live when the draft began; None: the workflow was never published."""
    saved_at: int
    document: Document
    problems: tuple[dict[str, str], ...]


class Drafts:
    """Writes, reads and discards drafts. Slugs are those of the account's own workflows."""

    def __init__(self, client: Client, quota: DocumentQuota) -> None:
        self._client = client
        self._quota = quota

    async def write(
        self,
        account_id: str,
        slug: str,
        document: Document,
        problems: Sequence[dict[str, str]],
        expected: Collection[int] | Literal["new"] | None = None,
    ) -> Draft:
        """Replace the draft, or begin one; `expected` revisions guard it, of which 0 is none yet.

        With 'new', a workflow that is not there yet begins with its draft.

        Raises WorkflowNotFound, RevisionConflict and QuotaExceeded.
        """
        record = pack({"document": to_record(document), "problems": list(problems)})
        keys = [
            keyspace.workflow(account_id, slug),
            keyspace.account_workflows(account_id),
            keyspace.stored_documents(account_id),
            keyspace.accounts(partition_of(account_id)),
            keyspace.workflows_by_time(account_id),
        ]
        operation = secrets.token_hex(8)
        summary = pack_summary(document)
        args = [0, operation, _listed(expected), record, account_id, slug, summary]
        reply = await self._quota.call(SCRIPTS["save_draft"], keys, args)
        _raise_for(reply)
        return Draft(
            slug=slug,
            account_id=account_id,
            revision=int(reply[1]),
            based_on=int(reply[2]) if reply[2] else None,
            saved_at=int(reply[3]),
            document=document,
            problems=tuple(problems),
        )

    async def get(self, account_id: str, slug: str) -> Draft:
        """Return the draft. Raises WorkflowNotFound or DraftNotFound."""
        state, data, *facts = await self._client.send(
            *("HMGET", keyspace.workflow(account_id, slug), "state", "draft"),
            *("draft_revision", "draft_based_on", "draft_saved"),
        )
        if state is None or state == b"deleted":
            raise WorkflowNotFound
        if data is None:
            raise DraftNotFound
        record = unpack(data)
        return Draft(
            slug=slug,
            account_id=account_id,
            revision=int(facts[0]),
            based_on=int(facts[1]) if facts[1] else None,
            saved_at=int(facts[2]),
            document=from_record(record["document"]),
            problems=tuple(record["problems"]),
        )

    async def discard(
        self, account_id: str, slug: str, expected: Collection[int] | None = None
    ) -> None:
        """Remove the draft.

        Raises WorkflowNotFound, DraftNotFound, RevisionConflict, and NeverPublished where it is all
        that the workflow has.
        """
        keys = [keyspace.workflow(account_id, slug), keyspace.stored_documents(account_id)]
        _raise_for(await self._client.call(SCRIPTS["discard_draft"], keys, [_listed(expected)]))


def _listed(expected: Collection[int] | Literal["new"] | None) -> str:
    """Revisions between commas, as the scripts take them; empty for any."""
    if expected == "new":
        return "new"
    return "" if expected is None else f",{','.join(map(str, expected))},"


def _raise_for(reply: Sequence[Any]) -> None:
    match reply[0]:
        case b"gone":
            raise WorkflowNotFound
        case b"none":
            raise DraftNotFound
        case b"only":
            raise NeverPublished
        case b"conflict":
            raise RevisionConflict(int(reply[1]))
        case b"full":
            raise exceeded(reply)
