"""Feeder of children: begins queued ones as room comes, and cancels those that must not go on."""

import asyncio
import contextlib
from collections.abc import Sequence

from engine import metrics
from engine.errors import (
    AccountNotFound,
    ExecutionNotCancellable,
    ExecutionNotFound,
    Unavailable,
)
from engine.executions.batches import ItemStatus
from engine.executions.statuses import ExecutionStatus
from engine.ids.executions import child_execution_id
from engine.process.lru_cache import LruCache
from engine.services.runs.children import ChildAcceptance
from engine.store import Store
from engine.store.children.feeding import GroupFeedState
from engine.store.children.keys import GroupRef
from workers.feeding.feeder import Feeder

CANCELS_AT_ONCE = 100
GROUPS_KNOWN = 10_000


class ChildrenFeeder(Feeder):
    """Begins the children of groups, which are named `<parent>/<node index>`."""

    noun = "group"

    def __init__(self, store: Store, acceptance: ChildAcceptance) -> None:
        super().__init__()
        self._store = store
        self._acceptance = acceptance
        self._refs: LruCache[tuple[str, str], GroupRef] = LruCache(GROUPS_KNOWN)
        self._begun: LruCache[GroupRef, bool] = LruCache(GROUPS_KNOWN)
        """Groups without a queued child, which they never have again."""
        self._full: LruCache[str, GroupRef] = LruCache(GROUPS_KNOWN)
        """Last group of each account for which there was no room, as its root had too many."""

    def feed_group(self, ref: GroupRef) -> None:
        """Feed a group in the background, as it was opened or cancelled."""
        self._refs.put((ref.account_id, ref.member), ref)
        self.feed_soon(ref.account_id, ref.member)

    def note_end(self, ref: GroupRef, status: ExecutionStatus) -> None:
        """Feed the group of which a child has ended; a failure may have cancelled it.

        Without a queued child, another group of the account may use the room.
        """
        if status is ExecutionStatus.FAILED or not self._begun.get(ref):
            self.feed_group(ref)
            return
        other = self._full.get(ref.account_id)
        if other is not None:
            self._full.drop(ref.account_id)
            self.feed_soon(ref.account_id, other.member)

    async def _feed_once(self, account_id: str, name: str, token: str) -> bool:
        children = self._store.children
        ref = self._refs.get((account_id, name)) or await children.find_ref(account_id, name)
        if ref is None:
            return False
        are_walked = self._acceptance.are_walked(ref)
        taken = await children.feeding.take(ref, token, are_walked=are_walked)
        match taken.state:
            case GroupFeedState.ITEMS:
                return await self._begin(ref, taken.indexes, token)
            case GroupFeedState.CANCELLING:
                await self._cancel_running(ref)
            case GroupFeedState.FULL:
                self._full.put(account_id, ref)
            case GroupFeedState.BEGUN | GroupFeedState.DONE:
                self._begun.put(ref, True)
        return False

    async def _begin(self, ref: GroupRef, indexes: Sequence[int], token: str) -> bool:
        """Begin children; return whether there may be room for more."""
        try:
            account = await self._store.accounts.get(ref.account_id)
        except AccountNotFound:
            return False
        try:
            begun = await self._acceptance.begin(account, ref, indexes)
        except Unavailable:
            await self._store.children.feeding.release(ref, token)
            return False
        metrics.EXECUTIONS_ACCEPTED.inc(len(begun.begun))
        metrics.EXECUTIONS_ENDED.labels(ExecutionStatus.COMPLETED.value).inc(begun.ended)
        fail = self._store.children.fail
        await asyncio.gather(*(fail(ref, *each) for each in begun.failed.items()))
        return len(begun.begun) + len(begun.failed) == len(indexes)

    async def _cancel_running(self, ref: GroupRef) -> None:
        """Request the cancellation of the children that run, and of theirs."""
        group = await self._store.children.find(ref)
        if group is None:
            return
        code = ItemStatus.PROCESSING.code
        running = [index for index, each in enumerate(group.states) if each == code]
        ids = [child_execution_id(ref.parent_id, group.node_id, index) for index in running]
        for start in range(0, len(ids), CANCELS_AT_ONCE):
            some = ids[start : start + CANCELS_AT_ONCE]
            await asyncio.gather(*(self._cancel(ref.account_id, each) for each in some))

    async def _cancel(self, account_id: str, child_id: str) -> None:
        with contextlib.suppress(ExecutionNotCancellable, ExecutionNotFound):  # it has ended
            await self._store.executions.cancel(account_id, child_id)
