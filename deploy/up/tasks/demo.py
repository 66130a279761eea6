"""The demonstration of a stack: what was made of it is recorded in the data directory."""

from typing import Any

from deploy.admin.demonstration import find_account, make_key, push_examples, push_templates
from deploy.admin.sign_in import make_login_link
from deploy.stack.location import Stack, read_private, write_private
from deploy.stack.store_access import open_store
from deploy.up.sample_run import RECORD
from engine.errors import Unauthorized
from engine.services.workflows.graph_checks import GraphChecker
from engine.store import Account, Store


class Demo:
    """Demonstration of a new installation; existing accounts and workflows are kept."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._path = stack.data_dir / RECORD
        self._record = read_private(self._path)

    async def prepare(self) -> None:
        """Create the account, the key and the workflows, unless there are accounts already.

        A workflow is pushed once: one that was changed or deleted since is left as it is.
        """
        async with open_store(self._stack.redis_url) as store:
            account = await find_account(store)
            if account is None:
                return
            if self._record.get("accountId") != account.id:
                self._record = {}
            if not await self._has_key(store):
                self._write(accountId=account.id, key=await make_key(store, account))
            async with GraphChecker.open(allow_private=False) as checker:
                if not self._record.get("complete"):
                    await push_examples(store, checker, account)
                    self._write(complete=True)
                await self._push_templates(store, checker, account)

    async def sign_in(self, base: str) -> dict[str, str]:
        """Return `accountId` and a `link` below `base` that signs a browser in, if there is one."""
        account_id = self._record.get("accountId")
        if account_id is None:
            return {}
        async with open_store(self._stack.redis_url) as store:
            link = await make_login_link(store, account_id, base)
        return {"accountId": account_id, "link": link}

    async def _has_key(self, store: Store) -> bool:
        try:
            await store.api_keys.authorize(self._record.get("key", ""))
        except Unauthorized:
            return False
        return True

    async def _push_templates(self, store: Store, checker: GraphChecker, account: Account) -> None:
        """Push the templates that this installation has not had yet."""
        former = self._record.get("templates", [])
        if pushed := await push_templates(store, checker, account, former):
            self._write(templates=sorted({*former, *pushed}))

    def _write(self, **values: Any) -> None:
        self._record |= values
        write_private(self._path, self._record)
