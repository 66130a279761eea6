"""Erasure of an account with its keys, workflows, media and history."""

import asyncio
import contextlib
from collections.abc import Mapping

from deploy.admin.history_database import reason_of
from deploy.output.problems import CommandFailed
from engine.access.capabilities import Role
from engine.errors import AccountNotFound, EngineError, ExecutionNotCancellable, ExecutionNotFound
from engine.history.archiving.closed_accounts import close_account
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.history.retention.removal import count_rows, erase_account, redact_acts
from engine.services.media import MediaService
from engine.settings import load
from engine.store import Account, Store
from engine.store.accounts.erasure import AccountKeys
from engine.store.archive.state import ArchiverStates
from engine.store.redis import keyspace

MEDIA_PAGE = 100
WAIT_SECONDS = 30.0
"""Longest wait for running executions to be cancelled."""
PAUSE_SECONDS = 0.2
IS_ADMIN = "This account is an admin: take the role first."
RUNNING = "Some executions of the account have not ended yet: repeat the command in a while."

Counts = Mapping[str, int]


class AccountErasure:
    """Erases one account; an erasure that broke off is repeated from its start."""

    def __init__(self, store: Store, database: Database, media_service: MediaService) -> None:
        self._store = store
        self._database = database
        self._media_service = media_service
        self._keys = AccountKeys(store.client, store.audit, store.workflows)

    async def count(self, account_id: str) -> Counts:
        """Return what there is to erase. Raises AccountNotFound or CommandFailed."""
        self._database.expect(await ArchiverStates(self._store.client).database_id())
        rows = await self._rows(account_id)
        if not any(rows.values()):
            await self._store.accounts.get(account_id)
        in_redis = await self._store.client.send("ZCARD", keyspace.account_executions(account_id))
        return {
            "apiKeys": len(await self._store.api_keys.list(account_id)),
            "sessions": len(await self._store.session_list.all(account_id)),
            "secrets": len(await self._store.secrets.names(account_id)),
            "workflows": len(await self._keys.slugs(account_id)),
            "triggers": len(await self._store.triggers.list(account_id)),
            "mediaBytes": await self._store.assets.stored(account_id),
            "executionsInRedis": int(in_redis),
            "executionsInHistory": rows["executions"] + rows["child_executions"],
            "batchesInHistory": rows["batches"],
            "deliveriesInHistory": rows["deliveries"],
            "occurrencesInHistory": rows["occurrences"],
            "movementsInHistory": rows["ledger_entries"],
        }

    async def erase(self, account_id: str) -> None:
        """Erase the account. Raises CommandFailed."""
        with contextlib.suppress(AccountNotFound):  # an erasure that broke off left its history
            await self._erase_from_redis(await self._store.accounts.get(account_id))
        await self._erase_history(account_id, for_good=True)

    async def _erase_from_redis(self, account: Account) -> None:
        if account.role is Role.ADMIN:
            raise CommandFailed(IS_ADMIN)
        account_id = account.id
        await self._lock_out(account)
        await self._stop(account_id)
        await self._erase_media(account_id)
        await self._keys.erase_deliveries(account_id)  # their records name them in lists
        for pages in (self._keys.execution_ids(account_id), self._keys.child_ids(account_id)):
            async for page in pages:
                for execution_id in await self._keys.with_objects(account_id, page):
                    await self._store.offloaded.remove(account_id, execution_id)
                await self._keys.erase_executions(account_id, page)
        async for page in self._keys.batch_ids(account_id):
            for batch_id in page:
                await self._store.offloaded.remove(account_id, batch_id)
            await self._keys.erase_batches(account_id, page)
        lists = await self._keys.list_ids(account_id)
        for list_id in lists:
            await self._store.offloaded.remove(account_id, list_id)
        if lists:
            await self._keys.erase_batches(account_id, lists)
        for slug in await self._keys.slugs(account_id):
            await self._keys.erase_workflow(account_id, slug)
        await self._store.audit.redact(account_id, account.email)
        await self._erase_history(account_id, email=account.email)
        await self._keys.erase(account_id)

    async def _lock_out(self, account: Account) -> None:
        """Let nothing begin any more: no approval, no triggers, no keys, no sessions."""
        await self._store.accounts.change(account.id, approved=False)
        await self._keys.erase_triggers(account.id)
        for key in await self._store.api_keys.list(account.id):
            await self._store.api_keys.revoke(key.id)
            await self._keys.erase_webhook(account.id, key.id)
        for session in await self._store.session_list.all(account.id):
            await self._store.session_list.end(session.id, account.id)

    async def _stop(self, account_id: str) -> None:
        """Cancel what runs, and wait for its end. Raises CommandFailed."""
        async for page in self._store.executions.unfinished(account_id):
            for each in page:
                with contextlib.suppress(ExecutionNotCancellable, ExecutionNotFound):
                    await self._store.executions.cancel(account_id, each)
        for _ in range(int(WAIT_SECONDS / PAUSE_SECONDS)):
            if not (
                await self._store.executions.has_unfinished(account_id)
                or await self._store.children.count_open(account_id)
            ):
                return
            await asyncio.sleep(PAUSE_SECONDS)
        raise CommandFailed(RUNNING)

    async def _erase_media(self, account_id: str) -> None:
        while True:
            page = await self._media_service.page(account_id, limit=MEDIA_PAGE)
            for asset in page.assets:
                with contextlib.suppress(EngineError):  # gone meanwhile
                    await self._media_service.delete(account_id, asset.id)
            if not page.assets:
                return

    async def _rows(self, account_id: str) -> Counts:
        try:
            return await asyncio.to_thread(count_rows, self._database, account_id)
        except HistoryUnavailable as error:
            raise reason_of(error) from error

    async def _erase_history(
        self, account_id: str, *, email: str | None = None, for_good: bool = False
    ) -> None:
        """Remove its rows, and its address from acts.

        `for_good`: an archiver that has read some before writes none.
        """
        try:
            if for_good:
                await asyncio.to_thread(close_account, self._database, account_id)
            await asyncio.to_thread(redact_acts, self._database, account_id, email)
            while True:
                removed = await asyncio.to_thread(erase_account, self._database, account_id)
                for execution_id in removed.with_objects:
                    await self._store.offloaded.remove(account_id, execution_id)
                if not removed.count:
                    return
        except HistoryUnavailable as error:
            raise reason_of(error) from error


async def erase(store: Store, database: Database, account_id: str, *, dry_run: bool) -> Counts:
    """Return what there is, and erase it unless this is a dry run."""
    erasure = AccountErasure(store, database, MediaService.from_settings(load(), store))
    counts = await erasure.count(account_id)
    if not dry_run:
        await erasure.erase(account_id)
    return counts
