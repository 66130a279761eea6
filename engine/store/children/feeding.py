"""Feeding of groups: children that may begin are taken, and groups that need a look are found."""

from collections.abc import Sequence

from engine.executions.children import MAX_RUNNING
from engine.store.children.keys import GroupKeys, GroupRef, children_due, group_key, open_children
from engine.store.partitioned.due_lists import LEASE_MS, LOOK_MS, DueLists
from engine.store.partitioned.taken_items import TakenItems, parse_taken
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS

MOST_CHILDREN = 50
"""Most children that a worker takes at once."""
WAITING_LOOK_MS = 1_800_000
"""Time until the next look at a group that can begin nothing before the end of a wait.

An account may have ten thousand of them. Ends of children and of parents bring the look forward.
"""
MOST_NEXT = 20
"""Groups of one account that may use the room which children of another one have left."""


class GroupFeeding:
    """Hands out children of groups; `due` finds accounts and groups that need a look."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.due = DueLists(client, open_children, children_due)

    async def take(self, ref: GroupRef, token: str, *, are_walked: bool = False) -> TakenItems:
        """Return the next children to begin. `token` is the worker's, for all calls of one feed.

        With `are_walked` children end as they begin, so they take no room.
        A group whose parent or root has ended is cancelled.
        """
        keys = GroupKeys.of(ref)
        reply = await self._client.call(
            SCRIPTS["feed_children"],
            group=keys.group,
            parent=keys.parent,
            root=keys.root,
            open_children=keys.open_children,
            children_due=keys.children_due,
            account_id=ref.account_id,
            member=ref.member,
            token=token,
            lease_ms=LEASE_MS,
            most=MOST_CHILDREN,
            most_running=MAX_RUNNING,
            look_ms=LOOK_MS,
            waiting_look_ms=WAITING_LOOK_MS,
            are_walked="1" if are_walked else None,
        )
        return parse_taken(reply)

    async def next_open(self, account_id: str) -> Sequence[str]:
        """Return the names of the open groups of an account whose looks come first."""
        names = await self._client.send("ZRANGE", open_children(account_id), 0, MOST_NEXT - 1)
        return [name.decode() for name in names]

    async def release(self, ref: GroupRef, token: str) -> None:
        """Give a group back whose children could not be begun, to be looked at in a while."""
        key = group_key(ref.account_id, ref.member)
        await self.due.release(key, ref.account_id, ref.member, token)
