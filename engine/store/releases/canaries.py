"""Canaries of workflows from the side that watches them: looks, counts, and the roll back."""

import asyncio
import uuid
from collections.abc import Sequence

from msgspec import Struct

from engine.ids.partitions import partition_of
from engine.releases.aliases import Aliases
from engine.releases.run_counts import OVER, TOLD, CanaryCounts
from engine.store.accounts.account_events import KEPT_CHANGES, KEPT_MS, ChangeKind
from engine.store.dispatch.hints import HintSender
from engine.store.executions.record_fields import parse_hash
from engine.store.formats import Format
from engine.store.partitioned.due_lists import LOOK_MS, DueLists
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.releases.canary_keys import canaries_due, open_canaries
from engine.store.releases.keys import ALIASES, ALIASES_REVISION, alias_history, canary_counts
from engine.store.webhooks.deliveries import RESEND_MS
from engine.webhooks.events import CANARY_ROLLED_BACK, parse_events

MOST_LOOKS = 8
"""Most workflows of one account at which a search looks."""
LOOK_AGAIN_MS = 3_600_000
"""Time until the next look at canaries that nothing brings forward: it finds those that ended."""
KEPT_ENDED_MS = 86_400_000
"""Time for which the counts of a canary that has ended are kept."""
MOST_REMOVED = 5_000
"""Fields that one look removes."""


class WatchedCanaries(Struct, frozen=True):
    """Canaries of a workflow, and their counts by id; those of canaries that ended too."""

    aliases: Aliases
    counts: dict[str, CanaryCounts]
    fields: Sequence[str]
    """Names of all fields of the counts."""

    @property
    def living(self) -> frozenset[str]:
        """Ids of the canaries that have not ended."""
        canaries = (each.canary for each in self.aliases.by_name.values())
        return frozenset(each.id for each in canaries if each is not None)


class RolledBack(Struct, frozen=True, kw_only=True):
    """Roll back of a canary to record."""

    slug: str
    alias: str
    canary_id: str
    reason: str
    told: bytes
    """JSON for readers of the account's events."""
    body: bytes
    """Body of the deliveries."""


class Canaries:
    """Finds canaries of which runs have ended, reads their counts, and takes them back."""

    def __init__(self, client: Client, hints: HintSender, retention_days: float) -> None:
        self._client = client
        self._hints = hints
        self._keep_ms = int(retention_days * 86_400_000)
        self.due = DueLists(client, open_canaries, canaries_due)

    async def take(self, account_id: str, now: int) -> Sequence[str]:
        """Return a bounded number of workflows at which to look, and postpone each look."""
        _, slugs = await self._client.call(
            SCRIPTS["promote_due"],
            due=open_canaries(account_id),
            now=now,
            most=MOST_LOOKS,
            repeat_ms=LOOK_MS,
        )
        return [each.decode() for each in slugs]

    async def read(self, account_id: str, slug: str) -> WatchedCanaries:
        """Return the canaries of a workflow; none for one that is gone."""
        # The counts come first: a canary that has some was set before, and lives or has ended.
        fields, (state, *packed) = await asyncio.gather(
            self._client.send("HGETALL", canary_counts(account_id, slug)),
            self._client.send(
                *("HMGET", keyspace.workflow(account_id, slug)),
                *("state", ALIASES, ALIASES_REVISION),
            ),
        )
        is_gone = state is None or state == b"deleted"
        aliases = Aliases() if is_gone else Aliases.parse(*packed)
        by_name = parse_hash(fields)
        return WatchedCanaries(aliases, CanaryCounts.parse_all(by_name), [*by_name])

    async def settle(self, account_id: str, slug: str, watched: WatchedCanaries, now: int) -> None:
        """End a look that `take` began at `now`: counts of canaries that ended a day ago go."""
        ended = [each for each in watched.counts if each not in watched.living]
        over = {each: watched.counts[each].over_since or now for each in ended}
        gone = {each for each, since in over.items() if since + KEPT_ENDED_MS <= now}
        removed = [each for each in watched.fields if each.partition(":")[0] in gone]
        times = [over[each] + KEPT_ENDED_MS for each in ended if each not in gone]
        if watched.living:
            times.append(now + LOOK_AGAIN_MS)
        if len(removed) > MOST_REMOVED:
            times.append(now + LOOK_MS)
        await self._client.call(
            SCRIPTS["settle_canaries"],
            canary_counts=canary_counts(account_id, slug),
            open_canaries=open_canaries(account_id),
            slug=slug,
            look=now + LOOK_MS,
            at=now,
            next=min(times, default=None),
            ended=[f"{each}:{OVER}" for each in ended if each not in gone],
            gone=removed[:MOST_REMOVED],
        )

    async def counts(self, account_id: str, slug: str, canary_id: str) -> CanaryCounts:
        """Return the counts of one canary."""
        fields = await self._client.send("HGETALL", canary_counts(account_id, slug))
        return CanaryCounts.parse_all(parse_hash(fields)).get(canary_id, CanaryCounts())

    async def told(self, account_id: str, slug: str, canary_id: str) -> bytes | None:
        """Return the facts of the roll back of a canary as JSON, for a day; None: there is none."""
        key = canary_counts(account_id, slug)
        told: bytes | None = await self._client.send("HGET", key, f"{canary_id}:{TOLD}")
        return told

    async def receivers(self, account_id: str, key_ids: Sequence[str]) -> dict[str, str]:
        """Return the URLs of the enabled webhooks of these keys that ask for roll backs, by key."""
        replies = await asyncio.gather(
            *(
                self._client.send(
                    "HMGET", keyspace.webhook(account_id, each), "url", "enabled", "events"
                )
                for each in key_ids
            )
        )
        return {
            key_id: url.decode()
            for key_id, (url, enabled, events) in zip(key_ids, replies, strict=True)
            if url is not None
            and enabled == b"1"
            and CANARY_ROLLED_BACK in (parse_events(events) or ())
        }

    async def roll_back(
        self, account_id: str, rolled_back: RolledBack, receivers: dict[str, str]
    ) -> bool:
        """Take a canary back and tell of it; False: it has ended meanwhile.

        `receivers` are the URLs of the webhooks that are told, by key.
        """
        slug, canary_id = rolled_back.slug, rolled_back.canary_id
        ids = {key_id: _delivery_id(canary_id, key_id) for key_id in receivers}
        revision = await self._client.call(
            SCRIPTS["roll_back_canary"],
            workflow=keyspace.workflow(account_id, slug),
            alias_history=alias_history(account_id, slug),
            documents=keyspace.stored_documents(account_id),
            canary_counts=canary_counts(account_id, slug),
            changes=keyspace.account_changes(account_id),
            deliveries_due=keyspace.deliveries_due(partition_of(account_id)),
            account_deliveries=keyspace.account_deliveries(account_id),
            deliveries=[
                key
                for key_id, delivery_id in ids.items()
                for key in (
                    keyspace.delivery(account_id, delivery_id),
                    keyspace.webhook_deliveries(account_id, key_id),
                )
            ],
            reference=keyspace.reference(account_id, slug),
            name=rolled_back.alias,
            canary_id=canary_id,
            reason=rolled_back.reason,
            told=rolled_back.told,
            body=rolled_back.body,
            keep_ms=self._keep_ms,
            resend_ms=RESEND_MS,
            format=Format.DELIVERY.known,
            change=f"{ChangeKind.CANARY}:{slug}/{canary_id}",
            change_ms=KEPT_MS,
            most_changes=KEPT_CHANGES,
            receivers=[word for pair in receivers.items() for word in pair],
        )
        if revision == b"":
            return False
        for delivery_id in ids.values():
            self._hints.send_delivery_soon(keyspace.reference(account_id, delivery_id))
        return True


def _delivery_id(canary_id: str, key_id: str) -> str:
    """Return the id of the delivery of a roll back to the webhook of a key."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{CANARY_ROLLED_BACK} {canary_id} {key_id}"))
