"""Erasure of an account's keys in Redis, once nothing of it runs any more."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from engine.errors import NotFound
from engine.ids.partitions import partition_of
from engine.store.audit import COMMAND, AuditAction, AuditedAct, AuditLog
from engine.store.children.keys import GROUPS, children_due, group_keys, open_children
from engine.store.redis import batch_keys, channels, keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.releases import keys as release_keys
from engine.store.releases.canary_keys import canaries_due, open_canaries
from engine.store.triggers import keys as trigger_keys
from engine.store.waits import keys as wait_keys
from engine.store.webhooks.owners import batch_owner, run_owner
from engine.store.workflows.workflow_test_keys import workflow_tests
from engine.store.workflows.workflows import Workflows

AT_ONCE = 200
SCANNED_AT_ONCE = 1_000


class AccountKeys:
    """Removes the data of an account from Redis in steps, each of which may be repeated."""

    def __init__(self, client: Client, audit: AuditLog, workflows: Workflows) -> None:
        self._client = client
        self._audit = audit
        self._workflows = workflows

    async def execution_ids(self, account_id: str) -> AsyncIterator[Sequence[str]]:
        """Yield the ids of the account's executions, in pages that are erased in between."""
        key = keyspace.account_executions(account_id)
        while ids := await self._client.send("ZRANGE", key, 0, AT_ONCE - 1):
            yield [each.decode() for each in ids]

    async def child_ids(self, account_id: str) -> AsyncIterator[Sequence[str]]:
        """Yield the ids of ended executions that no list of the account has, its children.

        They are erased in between; an id may be repeated.
        """
        key, cursor = keyspace.finished(partition_of(account_id)), b""
        while cursor != b"0":
            cursor, found = await self._client.send(
                "ZSCAN", key, cursor or b"0", "COUNT", SCANNED_AT_ONCE
            )
            ids = [keyspace.parse_reference(each.decode()) for each in found[::2]]
            own = [execution_id for owner, execution_id in ids if owner == account_id]
            if own:
                yield own

    async def slugs(self, account_id: str) -> Sequence[str]:
        """Return the slugs of the account's workflows, deleted ones included."""
        cursor, own = b"", []
        while cursor != b"0":
            cursor, flat = await self._client.send(
                "HSCAN", keyspace.slugs(), cursor or b"0", "COUNT", 1_000
            )
            pairs = zip(flat[::2], flat[1::2], strict=True)
            own += [slug.decode() for slug, owner in pairs if owner.decode() == account_id]
        return own

    async def with_objects(self, account_id: str, execution_ids: Sequence[str]) -> Sequence[str]:
        """Return those executions that have values in the media store."""
        keys = [keyspace.execution(account_id, each) for each in execution_ids]
        marks = await asyncio.gather(
            *(self._client.send("HGET", key, "has_objects") for key in keys)
        )
        return [each for each, has in zip(execution_ids, marks, strict=True) if has]

    async def erase_executions(self, account_id: str, execution_ids: Sequence[str]) -> None:
        """Remove ended executions and the deliveries of their ends."""
        partition = partition_of(account_id)
        references = [keyspace.reference(account_id, each) for each in execution_ids]
        for each in execution_ids:
            key = keyspace.execution(account_id, each)
            groups = await self._client.send("HGET", key, GROUPS)
            await self._client.send(
                "UNLINK",
                key,
                *group_keys(account_id, each, groups),
                keyspace.events(account_id, each),
                keyspace.progress(account_id, each),
                keyspace.delivery(account_id, each),
                keyspace.webhook(account_id, run_owner(each)),
                keyspace.webhook_deliveries(account_id, run_owner(each)),
                wait_keys.child_waits(account_id, each),
            )
        for key in (
            keyspace.finished(partition),
            keyspace.unarchived(partition),
            keyspace.due(partition),
            keyspace.deliveries_due(partition),
        ):
            await self._client.send("ZREM", key, *references)
        key = keyspace.account_executions(account_id)
        await self._client.send("ZREM", key, *execution_ids)

    async def batch_ids(self, account_id: str) -> AsyncIterator[Sequence[str]]:
        """Yield the ids of the account's batches, in pages that are erased in between."""
        key = batch_keys.account_batches(account_id)
        while ids := await self._client.send("ZRANGE", key, 0, AT_ONCE - 1):
            yield [each.decode() for each in ids]

    async def list_ids(self, account_id: str) -> Sequence[str]:
        """Return the ids of the account's replays and test runs."""
        key = batch_keys.ended_lists(partition_of(account_id))
        over = [keyspace.parse_reference(each) for each in await self._own(account_id, key)]
        others = await self._client.send("ZRANGE", batch_keys.open_batches(account_id), 0, -1)
        return [*(list_id for _, list_id in over), *(each.decode() for each in others)]

    async def erase_batches(self, account_id: str, batch_ids: Sequence[str]) -> None:
        """Remove batches and the deliveries of their ends."""
        partition = partition_of(account_id)
        references = [keyspace.reference(account_id, each) for each in batch_ids]
        for each in batch_ids:
            await self._client.send(
                "UNLINK",
                batch_keys.batch(account_id, each),
                keyspace.delivery(account_id, each),
                keyspace.webhook(account_id, batch_owner(each)),
                keyspace.webhook_deliveries(account_id, batch_owner(each)),
            )
        for key in (
            batch_keys.unarchived_batches(partition),
            batch_keys.archived_batches(partition),
            batch_keys.ended_lists(partition),
            keyspace.deliveries_due(partition),
        ):
            await self._client.send("ZREM", key, *references)
        await self._client.send("ZREM", batch_keys.open_batches(account_id), *batch_ids)
        await self._client.send("ZREM", batch_keys.account_batches(account_id), *batch_ids)
        await self._client.send("ZREM", batch_keys.account_replays(account_id), *batch_ids)

    async def erase_triggers(self, account_id: str) -> None:
        """Remove the triggers of the account and their occurrences: nothing starts any more."""
        key, partition = trigger_keys.triggers(account_id), partition_of(account_id)
        fields = [each.decode() for each in await self._client.send("HKEYS", key)]
        for trigger_id in (each for each in fields if "." not in each):
            hook = await self._client.send("HGET", key, f"{trigger_id}.hook")
            if hook is not None:
                await self._client.send("HDEL", trigger_keys.hooks(partition), hook)
            occurrences = trigger_keys.occurrence_keys(account_id, trigger_id)
            await self._client.send("UNLINK", *occurrences)
        await self._client.send("ZREM", trigger_keys.schedules_due(partition), account_id)
        await self._client.send(
            "UNLINK",
            key,
            trigger_keys.open_schedules(account_id),
            trigger_keys.event_bodies(account_id),
            trigger_keys.event_times(account_id),
        )
        for outbox in (
            trigger_keys.unarchived_occurrences(partition),
            trigger_keys.archived_occurrences(partition),
        ):
            await self._erase_references(account_id, outbox)

    async def _erase_references(self, account_id: str, key: str) -> None:
        """Remove the references of the account from a sorted set of those of many accounts."""
        own = await self._own(account_id, key)
        for first in range(0, len(own), SCANNED_AT_ONCE):
            await self._client.send("ZREM", key, *own[first : first + SCANNED_AT_ONCE])

    async def _own(self, account_id: str, key: str) -> Sequence[str]:
        """Return the references of the account in a sorted set of those of many accounts."""
        cursor, own, prefix = b"", dict[str, None](), f"{account_id}/".encode()
        while cursor != b"0":
            cursor, found = await self._client.send(
                "ZSCAN", key, cursor or b"0", "COUNT", SCANNED_AT_ONCE
            )
            own |= {each.decode(): None for each in found[::2] if each.startswith(prefix)}
        return list(own)

    async def erase_workflow(self, account_id: str, slug: str) -> None:
        """Remove a workflow with all of its versions; its slug stays reserved."""
        with contextlib.suppress(NotFound):  # it was deleted before
            await self._workflows.delete(account_id, slug, force=True)
        await self._client.send(
            "UNLINK",
            keyspace.workflow(account_id, slug),
            keyspace.workflow_node_names(account_id, slug),
            workflow_tests(account_id, slug),
            batch_keys.workflow_test_runs(account_id, slug),
            release_keys.alias_history(account_id, slug),
            release_keys.canary_counts(account_id, slug),
        )
        due = keyspace.workflows_due(partition_of(account_id))
        await self._client.send("ZREM", due, keyspace.reference(account_id, slug))

    async def erase_webhook(self, account_id: str, key_id: str) -> None:
        """Remove the webhook of an API key and its deliveries."""
        listed = keyspace.webhook_deliveries(account_id, key_id)
        await self._erase_deliveries(account_id, listed)
        await self._client.send("UNLINK", keyspace.webhook(account_id, key_id))

    async def erase_deliveries(self, account_id: str) -> None:
        """Remove all deliveries of the account."""
        await self._erase_deliveries(account_id, keyspace.account_deliveries(account_id))

    async def _erase_deliveries(self, account_id: str, listed: str) -> None:
        """Remove a list of deliveries, and the deliveries."""
        ids = [each.decode() for each in await self._client.send("ZRANGE", listed, 0, -1)]
        partition = partition_of(account_id)
        for each in ids:
            reference = keyspace.reference(account_id, each)
            key = keyspace.delivery(account_id, each)
            fence = (await self._client.send("HGET", key, "fence") or b"").decode()
            ended = f"{reference}/{fence}"
            await self._client.send("UNLINK", key)
            await self._client.send("ZREM", keyspace.deliveries_due(partition), reference)
            await self._client.send("ZREM", keyspace.unarchived_deliveries(partition), ended)
            await self._client.send("ZREM", keyspace.archived_deliveries(partition), ended)
        await self._client.send("UNLINK", listed)

    async def erase(self, account_id: str, *, by: str = COMMAND) -> None:
        """Remove the account itself; the audit log has the act."""
        await self.erase_deliveries(account_id)
        partition = partition_of(account_id)
        act = AuditedAct(by=by, action=AuditAction.ACCOUNT_ERASE, subject=account_id)
        await self._client.send(
            "UNLINK",
            *(
                key_of(account_id)
                for key_of in (
                    keyspace.account_sessions,
                    keyspace.account_api_keys,
                    keyspace.account_key_uses,
                    keyspace.account_secrets,
                    keyspace.secret_users,
                    keyspace.workflow_callers,
                    keyspace.account_workflows,
                    keyspace.workflows_by_time,
                    keyspace.stored_documents,
                    keyspace.outbound,
                    keyspace.account_executions,
                    keyspace.active,
                    wait_keys.waits,
                    wait_keys.approvals,
                    wait_keys.waited,
                    wait_keys.waiting_items,
                    keyspace.wallet,
                    keyspace.account_changes,
                    keyspace.ledger,
                    batch_keys.account_batches,
                    batch_keys.account_replays,
                    batch_keys.account_items,
                    batch_keys.open_batches,
                    open_children,
                    open_canaries,
                )
            ),
        )
        await self._unlist(account_id)
        await self._client.call(
            SCRIPTS["remove_account"],
            accounts=keyspace.accounts(partition),
            audit=keyspace.audit(partition),
            account=account_id,
            access_changes=channels.access_changes(),
            act=self._audit.arguments(act),
        )

    async def _erase_windows(self, account_id: str) -> None:
        """Remove the account's windows of calls, which others of its partition keep alive."""
        key, cursor = keyspace.windows(partition_of(account_id)), b""
        while cursor != b"0":
            cursor, found = await self._client.send(
                "HSCAN", key, cursor or b"0", "COUNT", SCANNED_AT_ONCE
            )
            own = [each for each in found[::2] if each.startswith(f"{account_id}|".encode())]
            if own:
                await self._client.send("HDEL", key, *own)

    async def _unlist(self, account_id: str) -> None:
        """Remove the account from what spans accounts."""
        partition = partition_of(account_id)
        await self._erase_windows(account_id)
        by_account = (
            keyspace.media_bytes(partition),
            keyspace.newest_forgotten(partition),
            keyspace.newest_forgotten(partition, "deliveries"),
            keyspace.newest_forgotten(partition, "batches"),
        )
        listed = (
            keyspace.account_ids(),
            batch_keys.batches_due(partition),
            children_due(partition),
            canaries_due(partition),
        )
        await asyncio.gather(
            *(self._client.send("HDEL", key, account_id) for key in by_account),
            *(self._client.send("ZREM", key, account_id) for key in listed),
        )
