"""Lists of workflows by their summaries: whole, or page by page, newest first."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import InvalidCursor, WorkflowNotFound
from engine.ids.slugs import SLUG
from engine.store.executions.record_fields import make_cursor, split_cursor
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.workflows.summaries import READ_FIELDS, WorkflowSummary, parse_summary

CHUNK = 500
"""Workflows that are examined at once where a filter leaves out some."""
EXAMINED_AT_MOST = 10_000
"""Workflows examined per request; a page ends early when matches are rare."""

Place = tuple[int, str]
"""Time of the last change in milliseconds, and slug."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowFilter:
    """Conditions on workflows; None stands for any value."""

    text: str | None = None
    """Part of name, slug or description, in any case."""
    tag: str | None = None
    archived: bool | None = None

    @property
    def is_open(self) -> bool:
        """Return whether every workflow matches."""
        return self == WorkflowFilter()

    def matches(self, workflow: WorkflowSummary) -> bool:
        """Return whether the workflow meets every condition."""
        texts = (workflow.name, workflow.slug, workflow.description)
        return (
            self.archived in (None, workflow.archived)
            and (self.tag is None or self.tag in workflow.tags)
            and (
                self.text is None or any(self.text.casefold() in each.casefold() for each in texts)
            )
        )


@dataclass(frozen=True, slots=True)
class WorkflowPage:
    """Workflows, newest first, and the cursor of the next page."""

    rows: list[WorkflowSummary]
    next_cursor: str | None


class WorkflowList:
    """Reads the workflows of an account and the templates of others; documents stay unread."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def own(self, account_id: str) -> list[WorkflowSummary]:
        """Return the account's workflows, last changed first."""
        return await self._read_all([(account_id, slug) for slug in await self.slugs(account_id)])

    async def slugs(self, account_id: str) -> list[str]:
        """Return the slugs of the account's workflows, in any order."""
        members = await self._client.send("SMEMBERS", keyspace.account_workflows(account_id))
        return [slug.decode() for slug in members]

    async def find_all(self, account_id: str, slugs: Sequence[str]) -> list[WorkflowSummary]:
        """Return those workflows of the account that are not gone, in the order of the slugs."""
        found = await self._read([(account_id, slug) for slug in slugs])
        return [summary for summary in found if summary is not None]

    async def find(self, account_id: str, slug: str) -> WorkflowSummary:
        """Return one workflow of the account. Raises WorkflowNotFound."""
        (summary,) = await self._read([(account_id, slug)])
        if summary is None:
            raise WorkflowNotFound
        return summary

    async def templates_of_others(self, account_id: str) -> list[WorkflowSummary]:
        """Return the templates that the account may read and does not own, last changed first."""
        slugs = await self._client.send("SMEMBERS", keyspace.templates())
        owned = await self._with_owners([slug.decode() for slug in slugs])
        rows = await self._read_all([each for each in owned if each[0] != account_id])
        return [row for row in rows if _is_shown_to(account_id, row)]

    async def page(
        self, account_id: str, wanted: WorkflowFilter, *, limit: int, cursor: str | None = None
    ) -> WorkflowPage:
        """Return at most `limit` of the account's workflows and of the templates of others.

        A page with a cursor may have fewer than `limit` rows, or none, when matches are rare.
        Raises ValueError for an invalid cursor.
        """
        position = None if cursor is None else parse_place(cursor)
        matches: list[tuple[Place, WorkflowSummary]] = []
        size, examined, is_end = limit + 1 if wanted.is_open else CHUNK, 0, False
        while len(matches) <= limit and examined < EXAMINED_AT_MOST and not is_end:
            chunk, position, is_end = await self._next(account_id, position, size)
            read = await self._read([owned for _, owned in chunk])
            examined += size
            matches += [
                (place, row)
                for (place, _), row in zip(chunk, read, strict=True)
                if row is not None and _is_shown_to(account_id, row) and wanted.matches(row)
            ]
        if len(matches) > limit:
            position, is_end = matches[limit - 1][0], False
        next_cursor = None if is_end or position is None else make_cursor(*position)
        return WorkflowPage([row for _, row in matches[:limit]], next_cursor)

    async def _next(
        self, account_id: str, position: Place | None, count: int
    ) -> tuple[list[tuple[Place, tuple[str, str]]], Place | None, bool]:
        """Return places with owner and slug after a position, the last place, and if it is the end.

        At most twice `count`: those of both lists down to a place that neither list goes beyond.
        """
        own, templates = await asyncio.gather(
            self._after(keyspace.workflows_by_time(account_id), position, count),
            self._after(keyspace.templates_by_time(), position, count),
        )
        lasts = [places[-1] for places in (own, templates) if len(places) == count]
        owners = await self._with_owners([slug for _, slug in templates])
        foreign = [
            (place, owned)
            for place, owned in zip(templates, owners, strict=True)
            if owned[0] != account_id
        ]
        candidates = sorted([*(((at, slug), (account_id, slug)) for at, slug in own), *foreign])
        candidates.reverse()
        if not lasts:
            return candidates, candidates[-1][0] if candidates else position, True
        floor = max(lasts)
        return [each for each in candidates if each[0] >= floor], floor, False

    async def _after(self, key: str, position: Place | None, count: int) -> list[Place]:
        at, slug = position or (None, None)
        reply = await self._client.call(
            SCRIPTS["list_executions"], listed=key, at=at, id=slug, most=count
        )
        return [(int(at), slug.decode()) for slug, at in zip(reply[::2], reply[1::2], strict=True)]

    async def _with_owners(self, slugs: Sequence[str]) -> list[tuple[str, str]]:
        if not slugs:
            return []
        owners = await self._client.send("HMGET", keyspace.slugs(), *slugs)
        return [((owner or b"").decode(), slug) for owner, slug in zip(owners, slugs, strict=True)]

    async def _read_all(self, owned: Sequence[tuple[str, str]]) -> list[WorkflowSummary]:
        summaries = [row for row in await self._read(owned) if row is not None]
        return sorted(summaries, key=lambda row: (-row.updated_at, row.slug))

    async def _read(self, owned: Sequence[tuple[str, str]]) -> list[WorkflowSummary | None]:
        """Read summaries in one round trip; None for workflows that are gone."""
        if not owned:
            return []
        (seconds, _), *records = await asyncio.gather(
            self._client.send("TIME"), *(self._values(*each) for each in owned)
        )
        now = int(seconds) * 1000
        return [
            parse_summary(*each, values, now) for each, values in zip(owned, records, strict=True)
        ]

    def _values(self, account_id: str, slug: str) -> "asyncio.Future[list[bytes | None]]":
        return self._client.send("HMGET", keyspace.workflow(account_id, slug), *READ_FIELDS)


def _is_shown_to(account_id: str, row: WorkflowSummary) -> bool:
    """Return whether a row is the account's or of a template; the list may be behind a save."""
    return row.account_id == account_id or (row.is_template and row.version > 0)


def parse_place(cursor: str) -> Place:
    """Return the place of a cursor. Raises InvalidCursor."""
    at, slug = split_cursor(cursor)
    if not SLUG.fullmatch(slug):
        raise InvalidCursor
    return at, slug
