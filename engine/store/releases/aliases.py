"""Aliases at rest: set, deleted, promoted, and their history."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from engine.errors import (
    AliasNotFound,
    InvalidBody,
    QuotaExceeded,
    VersionNotFound,
    WorkflowNotFound,
)
from engine.ids.partitions import partition_of
from engine.releases.aliases import (
    LIVE,
    MOST_ALIASES,
    MOST_HISTORY,
    AliasChange,
    Aliases,
    Canary,
    encode_canary,
)
from engine.store.executions.record_fields import parse_hash
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.releases.keys import alias_history, canary_counts
from engine.store.workflows.callers import join_calls
from engine.store.workflows.quota import quota_exceeded
from engine.store.workflows.saves import UNPUBLISHED, WorkflowSave, pack_version
from engine.store.workflows.summaries import pack_summary

SAME_VERSION = "'version' of 'canary' is that of the alias: a canary is another version"
NOT_LIVE = "'version' of 'live' is {}: a publish or a restore sets it"


class CanaryChanged(Exception):
    """The alias has another canary than the one to promote, or none, or the workflow was saved."""


class Promotion(Struct, frozen=True):
    """Alias after its promotion. Times are milliseconds since the epoch."""

    aliases: Aliases
    created_at: int
    """Creation of the workflow."""
    updated_at: int
    """Last publication of the workflow."""


class WorkflowAliases:
    """Sets, deletes and promotes aliases of the account's own workflows, within their quota."""

    def __init__(self, client: Client, limits: Sequence[str]) -> None:
        self._client = client
        self._limits = limits

    async def set(
        self, account_id: str, slug: str, name: str, version: int | None, canary: Canary | None
    ) -> Aliases:
        """Set the version of an alias and its canary; of `live` the canary alone.

        `version` of `live` must be the live one, or None. Raises WorkflowNotFound, VersionNotFound,
        InvalidBody and QuotaExceeded.
        """
        number = None if version is None else str(version)
        reply = await self._client.call(
            SCRIPTS["set_alias"],
            **_keys(account_id, slug),
            accounts=keyspace.accounts(partition_of(account_id)),
            account=account_id,
            name=name,
            version=None if name == LIVE else number,
            live_version=number if name == LIVE else None,
            canary=canary and encode_canary(canary),
            most_aliases=MOST_ALIASES,
            reason="The canary was set" if canary else "The alias was set",
            limits=self._limits,
        )
        match reply:
            case [b"ok", aliases, revision]:
                return Aliases.parse(aliases, revision)
            case [b"gone"]:
                raise WorkflowNotFound
            case [b"no_document"]:
                raise VersionNotFound
            case [b"not_live", b""]:
                raise InvalidBody(UNPUBLISHED, field="canary")
            case [b"not_live", live]:
                raise InvalidBody(NOT_LIVE.format(live.decode()), field="version")
            case [b"same"]:
                raise InvalidBody(SAME_VERSION, field="canary.version")
            case [b"many", used]:
                raise QuotaExceeded("aliases", used=int(used), limit=MOST_ALIASES)
        _, quota, used, limit = reply
        raise quota_exceeded(quota, used, limit)

    async def delete(self, account_id: str, slug: str, name: str) -> None:
        """Delete an alias with its history. Raises WorkflowNotFound and AliasNotFound."""
        reply = await self._client.call(
            SCRIPTS["delete_alias"], **_keys(account_id, slug), name=name
        )
        if reply == b"gone":
            raise WorkflowNotFound
        if reply == b"missing":
            raise AliasNotFound

    async def promote(
        self,
        account_id: str,
        slug: str,
        name: str,
        canary: Canary,
        save: WorkflowSave | None,
        former_operation: str = "",
    ) -> Promotion:
        """Make the canary of an alias its version; with `save`, the version becomes the live one.

        `save` has the document of the version as it becomes live, and `former_operation` is that of
        the save from which its members around the graph are. Raises WorkflowNotFound,
        CanaryChanged, also where another save came between, and QuotaExceeded.
        """
        document = None if save is None else save.document
        reply = await self._client.call(
            SCRIPTS["promote_alias"],
            **_keys(account_id, slug),
            accounts=keyspace.accounts(partition_of(account_id)),
            workflows_by_time=keyspace.workflows_by_time(account_id),
            workflows_due=keyspace.workflows_due(partition_of(account_id)),
            callers=keyspace.workflow_callers(account_id),
            account=account_id,
            slug=slug,
            reference=keyspace.reference(account_id, slug),
            name=name,
            version=canary.version,
            canary_id=canary.id,
            former_operation=former_operation,
            operation=save and save.operation,
            document=save and pack_version(save),
            summary=document and pack_summary(document),
            calls=document and join_calls(document),
            reason="The canary was promoted",
            limits=self._limits,
        )
        match reply:
            case [b"ok", aliases, revision, created, updated]:
                return Promotion(Aliases.parse(aliases, revision), int(created), int(updated))
            case [b"gone"]:
                raise WorkflowNotFound
            case [b"changed"]:
                raise CanaryChanged
        _, quota, used, limit = reply
        raise quota_exceeded(quota, used, limit)

    async def history(self, account_id: str, slug: str, name: str) -> list[AliasChange]:
        """Return the changes of an alias that are kept, newest first."""
        key = alias_history(account_id, slug)
        last = int(await self._client.send("HGET", key, f"{name}.last") or 0)
        if not last:
            return []
        numbers = range(last, max(0, last - MOST_HISTORY), -1)
        entries = await self._client.send("HMGET", key, *(f"{name}.{each}" for each in numbers))
        return [_decoder.decode(each) for each in entries if each is not None]

    async def counts(self, account_id: str, slug: str) -> dict[str, bytes]:
        """Return the fields of the counts of a workflow's canaries."""
        return parse_hash(await self._client.send("HGETALL", canary_counts(account_id, slug)))


_decoder = msgspec.json.Decoder(AliasChange)


def _keys(account_id: str, slug: str) -> dict[str, Any]:
    """Return the keys that all scripts take."""
    return {
        "workflow": keyspace.workflow(account_id, slug),
        "alias_history": alias_history(account_id, slug),
        "documents": keyspace.stored_documents(account_id),
    }
