"""Lists of runs of one account, begun and ended in the store."""

from typing import Any

from engine.executions.batches import BatchKind
from engine.store import Account, BatchAccepted, NewBatch, NewItem, Store


class Lists:
    """Begins lists of one account."""

    def __init__(self, store: Store, account: Account) -> None:
        self.store = store
        self.account = account

    async def begin(
        self, kind: BatchKind = BatchKind.REPLAY, count: int = 3, **members: Any
    ) -> str:
        new = NewBatch(
            account_id=self.account.id,
            slug=members.pop("slug", "echo"),
            version=members.pop("version", 1),
            items=members.pop("items", [NewItem({"execution": "x"}) for _ in range(count)]),
            kind=kind,
            **members,
        )
        assert isinstance(await self.store.batches.add(new), BatchAccepted)
        return new.batch_id

    async def end(self, list_id: str) -> None:
        """End all items, and settle."""
        batch = await self.store.batches.find(self.account.id, list_id)
        assert batch is not None
        for index in range(batch.size):
            await self.store.feeding.fail(self.account.id, list_id, index, {"code": "X"})
        await self.store.feeding.settle(self.account.id, list_id, batch.kind)

    async def ids(self, kind: BatchKind) -> list[str]:
        page = await self.store.lists.page(self.account.id, kind, "echo", limit=100)
        return [each.id for each in page.batches]
