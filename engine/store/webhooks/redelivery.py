"""Redelivery of the deliveries of a webhook since a time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from engine.errors import InvalidWebhook
from engine.store.accounts.account_events import AccountEventLog
from engine.store.dispatch.hints import HintSender
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.webhooks.deliveries import DISABLED, Deliveries, schedule_again
from engine.store.webhooks.webhooks import Webhooks
from engine.webhooks.deliveries import DeliveryStatus

AT_MOST = 1_000
"""Deliveries of one call, and a few more when they are of one millisecond."""
EXAMINED_AT_MOST = 5_000
AT_ONCE = 200
"""Deliveries scheduled in one pipeline, so that other commands come between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redelivered:
    """Number of deliveries scheduled again, and the time from which the next call continues."""

    count: int
    next_since: int | None
    """In milliseconds; None when no delivery is left."""


class Redelivery:
    """Schedules the deliveries of a webhook again, oldest first."""

    def __init__(
        self, client: Client, hints: HintSender, deliveries: Deliveries, webhooks: Webhooks
    ) -> None:
        self._client = client
        self._hints = hints
        self._deliveries = deliveries
        self._webhooks = webhooks

    async def redeliver_since(
        self, account_id: str, key_id: str, since: int, status: DeliveryStatus | None = None
    ) -> Redelivered:
        """Schedule the deliveries created since a time in milliseconds, or those with the status.

        Each goes to the webhook's current URL with a fresh schedule. Raises NotFound, or
        InvalidWebhook while the webhook is disabled.
        """
        webhook = await self._webhooks.get(account_id, key_id)
        if not webhook.enabled:
            raise InvalidWebhook("enabled", DISABLED)
        members = await self._client.send(
            *("ZRANGE", keyspace.webhook_deliveries(account_id, key_id), since, "+inf", "BYSCORE"),
            *("LIMIT", 0, EXAMINED_AT_MOST + 1, "WITHSCORES"),
        )
        forgotten = await self._deliveries.forgotten_since(
            account_id, key_id, since, status, EXAMINED_AT_MOST + 1
        )
        hot = {member.decode(): int(score) for member, score in members}
        created, rest = _complete(_oldest(hot | forgotten))
        ids = list(created)
        if status is not None:
            wanted = set(await self._deliveries.with_status(account_id, ids, status))
            ids = [each for each in ids if each in wanted or each in forgotten]
        chosen = _first(ids, created)
        count = 0
        for start in range(0, len(chosen), AT_ONCE):
            part = chosen[start : start + AT_ONCE]
            for each in forgotten.keys() & set(part):
                await self._deliveries.recall(account_id, each)
            count += await self._schedule(account_id, key_id, part)
        is_cut = len(chosen) < len(ids)
        next_since = created[ids[len(chosen)]] if is_cut else rest
        return Redelivered(count=count, next_since=next_since)

    async def _schedule(self, account_id: str, key_id: str, delivery_ids: Sequence[str]) -> int:
        verdicts = await asyncio.gather(
            *(schedule_again(self._client, account_id, key_id, each) for each in delivery_ids)
        )
        scheduled = [
            each for each, verdict in zip(delivery_ids, verdicts, strict=True) if verdict == b"ok"
        ]
        changes = AccountEventLog(self._client)
        await asyncio.gather(*(changes.record_delivery(account_id, each) for each in scheduled))
        await self._hints.send_deliveries(
            keyspace.reference(account_id, each) for each in scheduled
        )
        return len(scheduled)


def _oldest(created: dict[str, int]) -> dict[str, int]:
    """Return the oldest deliveries, one more than are examined."""
    ids = sorted(created, key=lambda each: (created[each], each))
    return {each: created[each] for each in ids[: EXAMINED_AT_MOST + 1]}


def _complete(created: dict[str, int]) -> tuple[dict[str, int], int | None]:
    """Return the deliveries to examine, and the creation time of the first that is left out.

    The last millisecond of a full reply may have more deliveries than the reply.
    """
    if len(created) <= EXAMINED_AT_MOST:
        return created, None
    last = max(created.values())
    before = {each: at for each, at in created.items() if at < last}
    return (before, last) if before else (created, last + 1)


def _first(ids: Sequence[str], created: dict[str, int]) -> list[str]:
    """Return the first ids, AT_MOST or up to the end of their millisecond."""
    chosen: list[str] = []
    for _, group in groupby(ids, key=created.__getitem__):
        if len(chosen) >= AT_MOST:
            break
        chosen += group
    return chosen
