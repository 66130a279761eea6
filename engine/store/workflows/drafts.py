"""Drafts of workflows: the one document beside the versions that is being edited."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import DraftNotFound, RevisionConflict, WorkflowNotFound
from engine.graph.document import Document, from_record, to_record
from engine.ids.partitions import partition_of
from engine.store.formats import Format
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack, unpack
from engine.store.redis.scripts import SCRIPTS
from engine.store.workflows.callers import join_calls
from engine.store.workflows.quota import quota_exceeded
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
    problems: tuple[dict[str, Any], ...]


class Drafts:
    """Writes, reads and discards drafts, within the limits of `document_limits`.

    Slugs are those of the account's own workflows.
    """

    def __init__(self, client: Client, limits: Sequence[str]) -> None:
        self._client = client
        self._limits = limits

    async def write(
        self,
        account_id: str,
        slug: str,
        document: Document,
        problems: Sequence[dict[str, Any]],
        expected: Collection[int] | Literal["new"] | None = None,
    ) -> Draft:
        """Replace the draft, or begin one; `expected` revisions guard it, of which 0 is none yet.

        With 'new', a workflow that is not there yet begins with its draft.

        Raises WorkflowNotFound, RevisionConflict and QuotaExceeded.
        """
        record = pack(
            {
                "document": to_record(document),
                "problems": list(problems),
                **Format.WORKFLOW_VERSION.members,
            }
        )
        reply = await self._client.call(
            SCRIPTS["save_draft"],
            workflow=keyspace.workflow(account_id, slug),
            account_workflows=keyspace.account_workflows(account_id),
            documents=keyspace.stored_documents(account_id),
            accounts=keyspace.accounts(partition_of(account_id)),
            workflows_by_time=keyspace.workflows_by_time(account_id),
            callers=keyspace.workflow_callers(account_id),
            operation=secrets.token_hex(8),
            expected=_join_revisions(expected),
            document=record,
            account=account_id,
            slug=slug,
            summary=pack_summary(document),
            calls=join_calls(document),
            limits=self._limits,
        )
        _raise_for(reply)
        _, revision, based_on, saved = reply
        return Draft(
            slug=slug,
            account_id=account_id,
            revision=int(revision),
            based_on=int(based_on) if based_on else None,
            saved_at=int(saved),
            document=document,
            problems=tuple(problems),
        )

    async def get(self, account_id: str, slug: str) -> Draft:
        """Return the draft. Raises WorkflowNotFound or DraftNotFound."""
        state, data, revision, based_on, saved = await self._client.send(
            *("HMGET", keyspace.workflow(account_id, slug), "state", "draft"),
            *("draft_revision", "draft_based_on", "draft_saved"),
        )
        if state is None or state == b"deleted":
            raise WorkflowNotFound
        if data is None:
            raise DraftNotFound
        record = unpack(data)
        Format.WORKFLOW_VERSION.check(record)
        return Draft(
            slug=slug,
            account_id=account_id,
            revision=int(revision),
            based_on=int(based_on) if based_on else None,
            saved_at=int(saved),
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
        reply = await self._client.call(
            SCRIPTS["discard_draft"],
            workflow=keyspace.workflow(account_id, slug),
            documents=keyspace.stored_documents(account_id),
            callers=keyspace.workflow_callers(account_id),
            slug=slug,
            expected=_join_revisions(expected),
        )
        _raise_for(reply)


def _join_revisions(expected: Collection[int] | Literal["new"] | None) -> str | None:
    """Return revisions between commas, as the scripts take them; None for any."""
    if expected is None or expected == "new":
        return expected
    return f",{','.join(map(str, expected))},"


def _raise_for(reply: Sequence[Any]) -> None:
    match reply:
        case [b"gone"]:
            raise WorkflowNotFound
        case [b"none"]:
            raise DraftNotFound
        case [b"only"]:
            raise NeverPublished
        case [b"conflict", current]:
            raise RevisionConflict(int(current))
        case [b"full", quota, used, limit]:
            raise quota_exceeded(quota, used, limit)
