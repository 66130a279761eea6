"""Feeder of children: begins queued ones as room comes, and cancels those that must not go on."""

import asyncio
import contextlib
from collections.abc import Sequence

from engine.errors import (
    AccountNotFound,
    ExecutionNotCancellable,
    ExecutionNotFound,
    Unavailable,
)
from engine.executions.statuses import ExecutionStatus
from engine.ids.executions import child_execution_id
from engine.process.lru_cache import LruCache
from engine.services.runs.children import ChildAcceptance
from engine.store import Store
from engine.store.children.keys import GroupRef
from engine.store.children.records import Group
from engine.store.partitioned.taken_items import FeedState
from engine.telemetry import metrics
from workers.feeding.feeder import Feeder, cancel_running
from workers.feeding.pace import BeginPace

GROUPS_KNOWN = 10_000
ALL = ""
"""Name that stands for all groups of an account."""
LOOK_SECONDS = 0.02
"""Time in which ends of children have one look at the other groups of their account."""


class ChildrenFeeder(Feeder):
    """Begins the children of groups, which are named `<parent>/<node index>`."""

    noun = "group"

    def __init__(self, store: Store, acceptance: ChildAcceptance) -> None:
        super().__init__()
        self._store = store
        self._acceptance = acceptance
        self._pace = BeginPace(store.hints)
        self._refs: LruCache[tuple[str, str], GroupRef] = LruCache(GROUPS_KNOWN)
        self._begun: LruCache[GroupRef, bool] = LruCache(GROUPS_KNOWN)
        """Groups without a queued child, which they never have again: none of them grows."""
        self._looks: set[str] = set()
        """Accounts whose groups are looked at soon."""

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
        if ref.account_id not in self._looks:
            self._looks.add(ref.account_id)
            loop = asyncio.get_running_loop()
            loop.call_later(LOOK_SECONDS, self.feed_soon, ref.account_id, ALL)

    async def _feed_once(self, account_id: str, name: str, token: str) -> bool:
        if name == ALL:
            await self._feed_all(account_id)
            return False
        children = self._store.children
        ref = self._refs.get((account_id, name)) or await children.find_ref(account_id, name)
        if ref is None:
            return False
        are_walked = self._acceptance.are_walked(ref)
        taken = await children.feeding.take(ref, token, are_walked=are_walked)
        match taken.state:
            case FeedState.ITEMS:
                return await self._begin(ref, taken.indexes, token)
            case FeedState.CANCELLING:
                await self._cancel_running(ref)
            case FeedState.BEGUN | FeedState.DONE:
                if not taken.grows:
                    self._begun.put(ref, True)
        return False

    async def _feed_all(self, account_id: str) -> None:
        """Feed groups of an account, which may have waited for room."""
        self._looks.discard(account_id)
        for name in await self._store.children.feeding.next_open(account_id):
            ref = self._refs.get((account_id, name))
            if ref is None or not self._begun.get(ref):
                self.feed_soon(account_id, name)

    async def _begin(self, ref: GroupRef, indexes: Sequence[int], token: str) -> bool:
        """Begin children; return whether there may be room for more."""
        try:
            account = await self._store.accounts.get(ref.account_id)
        except AccountNotFound:
            return False
        try:
            if not self._acceptance.are_walked(ref):
                await self._pace.wait(ref.account_id)
            begun = await self._acceptance.begin(account, ref, indexes)
        except Unavailable:
            await self._store.children.feeding.release(ref, token)
            return False
        self._pace.note(ref.account_id, len(begun.begun) - begun.ended)
        metrics.EXECUTIONS_ACCEPTED.inc(len(begun.begun))
        metrics.EXECUTIONS_ENDED.labels(ExecutionStatus.COMPLETED.value).inc(begun.ended)
        fail = self._store.children.fail
        await asyncio.gather(*(fail(ref, *each) for each in begun.failed.items()))
        if begun.begun or begun.failed:
            return True  # the next look gives the group back, where there is no room any more
        await self._store.children.feeding.release(ref, token)
        return False

    async def _cancel_running(self, ref: GroupRef) -> None:
        """Request the cancellation of the children that run, and of theirs."""
        group = await self._store.children.find(ref)
        if group is None:
            return
        await cancel_running(group.states, lambda index: self._cancel(group, index))

    async def _cancel(self, group: Group, index: int) -> None:
        """Cancel a child, and look at its groups at once."""
        parent = group.ref
        account_id = parent.account_id
        child_id = child_execution_id(parent.parent_id, group.node_id, index)
        with contextlib.suppress(ExecutionNotCancellable, ExecutionNotFound):  # it has ended
            await self._store.executions.cancel(account_id, child_id)
        for node in await self._store.children.nodes_with_groups(account_id, child_id):
            self.feed_group(GroupRef(account_id, child_id, node, parent.root_id))
