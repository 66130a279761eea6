"""Versions of workflows: retention of their documents and of their nodes' names."""

import asyncio
import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

from engine.errors import InvalidCursor
from engine.graph.plan import NodeName, unpack_names
from engine.ids.partitions import partition_of
from engine.releases.aliases import LIVE, Aliases
from engine.store.children.keys import KEPT_VERSIONS, group_key, open_children
from engine.store.executions.unfinished import scan_unfinished
from engine.store.partitioned.first_members import FirstMembers
from engine.store.redis import batch_keys, keyspace
from engine.store.redis.client import Client
from engine.store.redis.info import read_now
from engine.store.redis.scripts import SCRIPTS
from engine.store.releases.keys import ALIASES
from engine.store.triggers import keys as trigger_keys
from engine.store.workflows.records import WorkflowHead
from engine.store.workflows.version_facts import VersionFacts, VersionPage, parse_facts
from engine.store.workflows.workflow_test_keys import workflow_tests

VERSIONS_KEPT = 50
"""Number of latest versions whose documents are kept in any case."""
NAMES_KEPT = 500
"""Number of versions without a document whose nodes' names are kept."""
DAY_MS = 86_400_000
UNDO_MS = 30 * DAY_MS
"""Time in which a delete can be undone."""
LOOKED_AGAIN_MS = 60_000
"""Time until old versions that are in use are examined again."""
CALLED_LOOKED_AGAIN_MS = 3_600_000
"""Time until old versions that workflows call or triggers name are examined again."""
PUBLIC_RUN_MS = 7 * DAY_MS
"""Time for which a version is kept after the last begin of a run by another account."""
ROTATION_SECONDS = 60.0
DUE_AT_ONCE = 5
REMOVED_AT_ONCE = 100
LOOKED_AT_ONCE = 500
NUMBER = re.compile(r"[1-9][0-9]{0,14}")
DOCUMENT = re.compile(r"d([0-9]+)")
"""Field of a version's document."""


class Versions:
    """Removes expired versions and reads the nodes' names of versions that ran.

    A document is removed once its version is not among the latest ones, no execution runs it, no
    workflow calls it and no trigger, alias or canary names it.
    Versions that began to run after the account's executions were read are spared: the current one,
    and former ones whose executions are numbered.
    Executions of other accounts are not looked up: a version that one began with is kept for
    `PUBLIC_RUN_MS`.
    """

    def __init__(self, client: Client, retention_days: float) -> None:
        self._client = client
        self._due = FirstMembers(client, keyspace.workflows_due)
        self._keep_names_ms = int(retention_days * DAY_MS)

    async def prune(self) -> bool:
        """Review a bounded number of due workflows per partition; True when more may be due."""
        now = await read_now(self._client)
        replies = await asyncio.gather(
            *(
                self._client.send(
                    *("ZRANGE", keyspace.workflows_due(partition), "-inf", now),
                    *("BYSCORE", "LIMIT", 0, DUE_AT_ONCE),
                )
                for partition in await self._due.due(now, ROTATION_SECONDS)
            )
        )
        due = defaultdict(list)
        for name in (name for reply in replies for name in reply):
            account_id, slug = keyspace.parse_reference(name.decode())
            due[account_id].append(slug)
        is_more = any(len(reply) == DUE_AT_ONCE for reply in replies)
        for account_id, slugs in due.items():
            is_more |= await self._review(account_id, slugs, VERSIONS_KEPT)
        return is_more

    async def make_room(self, account_id: str, slug: str) -> None:
        """Remove the version that the next save would displace, unless it is in use."""
        await self._review(account_id, [slug], VERSIONS_KEPT - 1)

    async def _review(self, account_id: str, slugs: Sequence[str], most_versions: int) -> bool:
        starts = await asyncio.gather(*(self._first_to_begin(account_id, slug) for slug in slugs))
        running = await self._running(account_id)
        verdicts = await asyncio.gather(
            *(
                self._client.call(
                    SCRIPTS["review_workflow"],
                    workflow=keyspace.workflow(account_id, slug),
                    node_names=keyspace.workflow_node_names(account_id, slug),
                    documents=keyspace.stored_documents(account_id),
                    workflows_due=keyspace.workflows_due(partition_of(account_id)),
                    secret_users=keyspace.secret_users(account_id),
                    callers=keyspace.workflow_callers(account_id),
                    triggers=trigger_keys.triggers(account_id),
                    tests=workflow_tests(account_id, slug),
                    reference=keyspace.reference(account_id, slug),
                    first_begun=first,
                    most_versions=most_versions,
                    undo_ms=UNDO_MS,
                    names_ms=self._keep_names_ms,
                    most_names=NAMES_KEPT,
                    most_removed=REMOVED_AT_ONCE,
                    again_ms=LOOKED_AGAIN_MS,
                    called_again_ms=CALLED_LOOKED_AGAIN_MS,
                    public_run_ms=PUBLIC_RUN_MS,
                    begun=begun,
                    running=list(running.get(slug, ())),
                )
                for slug, (first, begun) in zip(slugs, starts, strict=True)
            )
        )
        return any(verdicts)

    async def _first_to_begin(self, account_id: str, slug: str) -> tuple[int, int]:
        """Return the first version of which executions may be accepted without a number.

        The second value is the number of executions of former versions that have begun.
        """
        key = keyspace.workflow(account_id, slug)
        version, state, begun = await self._client.send("HMGET", key, "version", "state", "begun")
        last = int(version or 0)
        return last + 1 if state == b"deleted" else last, int(begun or 0)

    async def _running(self, account_id: str) -> dict[str, set[int]]:
        """Return the versions in use by all executions that have not ended, by slug."""
        running: dict[str, set[int]] = defaultdict(set)
        async for ids in scan_unfinished(self._client, account_id, LOOKED_AT_ONCE):
            keys = (keyspace.execution(account_id, each) for each in ids)
            names = ("slug", "version", KEPT_VERSIONS)
            heads = (self._client.send("HMGET", key, *names) for key in keys)
            for slug, version, kept in await asyncio.gather(*heads):
                if slug and version:
                    running[slug.decode()].add(int(version))
                for called in kept.decode().split(",") if kept else ():
                    callee, _, number = called.partition("@")
                    running[callee].add(int(number))
        batches, groups = batch_keys.open_batches(account_id), open_children(account_id)
        await self._add_versions_of(batches, partial(batch_keys.batch, account_id), running)
        await self._add_versions_of(groups, partial(group_key, account_id), running)
        return running

    async def _add_versions_of(
        self, listed: str, key_of: Callable[[str], str], running: dict[str, set[int]]
    ) -> None:
        """Add the versions that open batches, or open groups of children, of an account run."""
        cursor = b""
        while cursor != b"0":
            cursor, names = await self._client.send(
                "ZSCAN", listed, cursor or b"0", "COUNT", LOOKED_AT_ONCE
            )
            keys = (key_of(each.decode()) for each in names[::2])
            heads = (self._client.send("HMGET", key, "slug", "version", "owner") for key in keys)
            for slug, version, owner in await asyncio.gather(*heads):
                if slug and not owner:
                    running[slug.decode()].add(int(version))

    async def find_live(self, account_id: str, slug: str) -> int | None:
        """Return the live version of an account's workflow as it is now; None: there is none."""
        key = keyspace.workflow(account_id, slug)
        head = WorkflowHead(*await self._client.send("HMGET", key, *WorkflowHead._fields))
        version = 0 if head.is_gone else int(head.version or 0)
        return version or None

    async def find_named(self, account_id: str, slug: str, name: str) -> int | None:
        """Return the version of an alias of an account's workflow; None: there is none.

        `live` is the live version.
        """
        if name == LIVE:
            return await self.find_live(account_id, slug)
        key = keyspace.workflow(account_id, slug)
        alias = Aliases.parse(await self._client.send("HGET", key, ALIASES)).by_name.get(name)
        return None if alias is None else alias.version

    async def page(
        self, account_id: str, slug: str, *, limit: int, cursor: str | None = None
    ) -> VersionPage:
        """At most `limit` versions that are kept, newest first.

        Raises InvalidCursor.
        """
        if cursor is not None and not NUMBER.fullmatch(cursor):
            raise InvalidCursor
        key = keyspace.workflow(account_id, slug)
        (live, stored), fields = await asyncio.gather(
            self._client.send("HMGET", key, "version", ALIASES), self._client.send("HKEYS", key)
        )
        aliases = Aliases.parse(stored)
        below = int(cursor) if cursor else math.inf
        matches = (DOCUMENT.fullmatch(name.decode()) for name in fields)
        numbers = (int(match[1]) for match in matches if match)
        listed = sorted((each for each in numbers if each < below), reverse=True)
        some = listed[:limit]
        rows = await asyncio.gather(
            *(self._facts(account_id, slug, each, int(live or 0), aliases) for each in some)
        )
        return VersionPage(
            [row for row in rows if row is not None],
            str(some[-1]) if len(listed) > limit else None,
        )

    async def _facts(
        self, account_id: str, slug: str, version: int, live: int, aliases: Aliases
    ) -> VersionFacts | None:
        """Return the facts of one version; None when it is gone."""
        key = keyspace.workflow(account_id, slug)
        facts = await self._client.send("HGET", key, f"m{version}")
        is_live = version == live
        return facts and parse_facts(version, facts, is_live=is_live, aliases=aliases)

    async def node_names(
        self, account_id: str, slug: str, version: int
    ) -> Sequence[NodeName] | None:
        """Return the nodes' names by position in the plan; None when they are gone."""
        key = keyspace.workflow_node_names(account_id, slug)
        named = await self._client.send("HGET", key, f"v{version}")
        if named is None:
            return None
        digest = named.partition(b":")[0].decode()
        record = await self._client.send("HGET", key, f"n{digest}")
        if record is None:
            return None
        return unpack_names(record)
