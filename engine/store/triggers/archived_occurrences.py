"""Occurrences that Redis has forgotten, read from the history beside those of Redis."""

from collections.abc import Sequence

from msgspec import Struct

from engine.errors import Unavailable
from engine.executions.filter import Position
from engine.store.archive.archive import Archive
from engine.store.redis.client import Client
from engine.store.triggers import keys
from engine.store.triggers.records import field
from engine.triggers.occurrences import Occurrence, OccurrenceStatus


class OccurrenceRows(Struct, frozen=True):
    """Occurrences in the order of lists, and whether others follow."""

    occurrences: Sequence[Occurrence]
    has_more: bool


class ArchivedOccurrences:
    """Reads occurrences of triggers of which Redis has forgotten some; of others it reads none."""

    def __init__(self, client: Client, archive: Archive) -> None:
        self._client = client
        self._archive = archive

    async def with_hot(
        self,
        account_id: str,
        trigger_id: str,
        status: OccurrenceStatus | None,
        after: Position | None,
        hot: Sequence[Occurrence],
        limit: int,
    ) -> OccurrenceRows:
        """Return at most `limit` occurrences after a row, newest first, with those of Redis.

        `hot` are the first ones of Redis, one more than the limit if there are so many. While the
        history is away, the rows are those that are newer than any it has alone. Raises Unavailable
        where there are none.
        """
        is_full = len(hot) > limit
        forgotten_at = await self._newest_forgotten(account_id, trigger_id)
        if forgotten_at is None or (is_full and hot[limit].at > forgotten_at):
            return OccurrenceRows(hot[:limit], is_full)
        try:
            archived = await self._archive.occurrences(
                account_id, trigger_id, status, after, limit + 1
            )
        except Unavailable:
            newer = [each for each in hot if each.at > forgotten_at]
            if not newer:
                raise
            return OccurrenceRows(newer[:limit], has_more=True)
        merged = {each.id: each for each in (*archived, *hot)}
        rows = sorted(merged.values(), key=_position, reverse=True)
        return OccurrenceRows(rows[:limit], len(rows) > limit)

    async def get(self, account_id: str, trigger_id: str, occurrence_id: str) -> Occurrence | None:
        """Return an occurrence that Redis has forgotten, None for an unknown one.

        Raises Unavailable.
        """
        if await self._newest_forgotten(account_id, trigger_id) is None:
            return None
        return await self._archive.occurrence(account_id, trigger_id, occurrence_id)

    async def _newest_forgotten(self, account_id: str, trigger_id: str) -> int | None:
        key = keys.triggers(account_id)
        at = await self._client.send("HGET", key, field(trigger_id, "forgotten"))
        return None if at is None else int(at)


def _position(occurrence: Occurrence) -> Position:
    """Return the place of an occurrence in lists."""
    return Position(occurrence.at, occurrence.id)
