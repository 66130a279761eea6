"""Groups from the side of a parent: opened, read, and cancelled; and children that begin."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from engine.billing.credits import trials_text
from engine.errors import GrantExhausted
from engine.executions.children import MAX_CHILDREN, MAX_RUNNING, GroupStatus
from engine.ids.executions import child_execution_id
from engine.ids.partitions import partition_of
from engine.store.accounts.wallets import LedgerKeeping, terms_text
from engine.store.children.feeding import GroupFeeding
from engine.store.children.items import GroupItems
from engine.store.children.keys import (
    GROUPS,
    GroupKeys,
    GroupRef,
    children,
    group_key,
    open_children,
    parse_groups,
    parse_woken,
)
from engine.store.children.records import (
    HEAD_FIELDS,
    CalleeGone,
    ChildCharge,
    ChildOutcome,
    Group,
    GroupOpened,
    NewChild,
    NewGroup,
    OpenVerdict,
    ParentEnded,
    TooManyChildren,
    WalkedChild,
    parse_group,
    state_fields,
)
from engine.store.children.rounds import GroupRounds
from engine.store.dispatch.hints import BULK_QUEUE, HintSender
from engine.store.executions.acceptance import RESEND_AFTER_MS
from engine.store.executions.ended import Ends
from engine.store.executions.offload import OffloadedValues
from engine.store.executions.public_runs import keep_called_version
from engine.store.executions.record_fields import CALLS, WALKED_UNCLAIMED, parse_name
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack, unpack
from engine.store.redis.scripts import SCRIPTS

PARENT_FIELDS = ("key", "request", "trace", "values", CALLS)
"""Fields of a parent's record that its children have too."""
READ_AT_ONCE = 500
"""Children whose ends are read by one command."""


class Children:
    """Opens, reads and cancels groups, and begins children."""

    def __init__(
        self,
        client: Client,
        hints: HintSender,
        ends: Ends,
        offloaded: OffloadedValues,
        keeping: LedgerKeeping,
    ) -> None:
        self._client = client
        self._keeping = keeping
        self._hints = hints
        self._ends = ends
        self.items = GroupItems(client, offloaded)
        self.feeding = GroupFeeding(client)
        self.rounds = GroupRounds(client, offloaded)

    async def open(self, new: NewGroup) -> OpenVerdict:
        """Open a group, once: its children begin soon. A second call finds the first group.

        Raises StoreFull, StorageFailed or Unavailable.
        """
        ref, target = new.ref, new.target
        keys = GroupKeys.of(ref)
        if target.is_foreign_call and not await keep_called_version(
            self._client, target.owner_id, target.slug, target.version
        ):
            return CalleeGone()
        inputs = await self.items.store(new)
        values = (each for each in inputs.values() if isinstance(each, bytes))
        has_objects = any(parse_name(each) is not None for each in values)
        fields = {**new.record_fields(), **inputs}
        is_own = not (target.owner_id or target.body or target.draft_of)
        reply = await self._client.call(
            SCRIPTS["open_children"],
            group=keys.group,
            parent=keys.parent,
            root=keys.root,
            open_children=keys.open_children,
            children_due=keys.children_due,
            workflow=keyspace.workflow(ref.account_id, target.slug) if is_own else None,
            account_id=ref.account_id,
            member=ref.member,
            node=ref.node,
            size=new.size,
            most_children=MAX_CHILDREN,
            version=target.version,
            has_objects="1" if has_objects else None,
            fields=[word for pair in fields.items() for word in pair],
        )
        match reply:
            case [b"ok", size, created]:
                return GroupOpened(int(size), int(created))
            case [b"too_many", count]:
                return TooManyChildren(int(count))
            case [b"gone"]:
                return CalleeGone()
        return ParentEnded()

    async def find_ref(self, account_id: str, member: str) -> GroupRef | None:
        """Return a group of `open_children`; None when it is not on record."""
        root = await self._client.send("HGET", group_key(account_id, member), "root")
        if root is None:
            return None
        parent_id, _, node = member.rpartition("/")
        return GroupRef(account_id, parent_id, int(node), root.decode())

    async def nodes_with_groups(self, account_id: str, execution_id: str) -> Sequence[int]:
        """Return the indexes of the nodes of an execution that have a group."""
        key = keyspace.execution(account_id, execution_id)
        return list(parse_groups(await self._client.send("HGET", key, GROUPS)))

    async def parent_fields(self, ref: GroupRef) -> dict[str, bytes]:
        """Return the fields of the parent's record that its children have too, if it has them."""
        key = keyspace.execution(ref.account_id, ref.parent_id)
        values = await self._client.send("HMGET", key, *PARENT_FIELDS)
        pairs = zip(PARENT_FIELDS, values, strict=True)
        return {name: value for name, value in pairs if value is not None}

    async def find(self, ref: GroupRef) -> Group | None:
        """Return a group with the states of its children; None when it is not on record."""
        key = children(ref.account_id, ref.parent_id, ref.node)
        *values, first = await self._client.send("HMGET", key, *HEAD_FIELDS, *state_fields(1))
        size = values[HEAD_FIELDS.index("size")]
        if size is None:
            return None
        names = state_fields(int(size))[1:]
        others = await self._client.send("HMGET", key, *names) if names else []
        blocks = [each or b"" for each in (first, *others)]
        return parse_group(ref, values, b"".join(blocks).decode())

    async def count_open(self, account_id: str) -> int:
        """Return the number of the account's groups with children that wait or run."""
        return int(await self._client.send("ZCARD", open_children(account_id)))

    async def outcomes(self, group: Group, indexes: Sequence[int]) -> list[ChildOutcome]:
        """Return the ends of these children, in this order."""
        parts = [
            indexes[first : first + READ_AT_ONCE] for first in range(0, len(indexes), READ_AT_ONCE)
        ]
        found = await asyncio.gather(*(self._outcomes(group, part) for part in parts))
        return [each for part in found for each in part]

    async def _outcomes(self, group: Group, indexes: Sequence[int]) -> list[ChildOutcome]:
        ref = group.ref
        names = [name for index in indexes for name in (f"r{index}", f"e{index}")]
        key = children(ref.account_id, ref.parent_id, ref.node)
        values = await self._client.send("HMGET", key, *names)
        return [
            ChildOutcome(
                index=index,
                status=group.status_of(index),
                packed=result if parse_name(result) is None else None,
                name=parse_name(result),
                error=unpack(error) if error else None,
            )
            for index, result, error in zip(indexes, values[::2], values[1::2], strict=True)
        ]

    async def begin(
        self, group: Group, new: Sequence[NewChild], charge: ChildCharge | None = None
    ) -> list[int]:
        """Begin children in one step, and send their hints; return the indexes of those begun.

        A child that has begun before counts as begun. Others are left out when the parent or its
        root has ended, the group is not open, or there is no room. With a charge, their nodes are
        paid for by the root. Raises GrantExhausted, StoreFull or Unavailable.
        """
        ref, keys = group.ref, GroupKeys.of(group.ref)
        terms = None if charge is None else terms_text(charge.terms, self._keeping)
        shared = _shared_fields(group, new) | ({} if terms is None else {"terms": terms})
        ids = [child_execution_id(ref.parent_id, group.node_id, each.index) for each in new]
        references = [keyspace.reference(ref.account_id, each) for each in ids]
        reply = await self._client.call(
            SCRIPTS["begin_children"],
            group=keys.group,
            parent=keys.parent,
            root=keys.root,
            due=keyspace.due(partition_of(ref.account_id)),
            root_events=keys.root_events,
            active=keyspace.active(ref.account_id),
            waiting_items=keys.waiting_items,
            wallet=charge and keyspace.wallet(ref.account_id),
            ledger=charge and keyspace.ledger(ref.account_id),
            children=[keyspace.execution(ref.account_id, each) for each in ids],
            resend_ms=RESEND_AFTER_MS,
            most_running=MAX_RUNNING,
            models=charge and ",".join(charge.models),
            terms=terms,
            markup=charge and str(charge.terms.markup),
            trials=charge and trials_text(charge.trials),
            shared=[word for pair in shared.items() for word in pair],
            own=[
                word
                for child, reference in zip(new, references, strict=True)
                for word in _own(child, reference, shared)
            ],
        )
        if reply[0] == b"exhausted":
            raise GrantExhausted(reply[1].decode())
        if reply[0] != b"ok":
            return []
        begun = [index for index, code in enumerate(reply[1].decode()) if code == "b"]
        await self._hints.send([references[each] for each in begun], BULK_QUEUE)
        return [new[each].index for each in begun]

    async def finish(
        self, group: Group, walked: Sequence[WalkedChild], most_bytes: int
    ) -> list[int] | None:
        """Begin and complete children in one step; return the indexes of those that have begun.

        Others are left out when the parent or its root has ended, or the group is not open. None:
        nothing changed, as the values of the root's children would be over `most_bytes`. Raises
        StoreFull or Unavailable.
        """
        ref, new = group.ref, [each.new for each in walked]
        keys, shared = GroupKeys.of(ref), _shared_fields(group, new)
        partition = partition_of(ref.account_id)
        ids = [child_execution_id(ref.parent_id, group.node_id, each.index) for each in new]
        reply = await self._client.call(
            SCRIPTS["finish_children"],
            group=keys.group,
            parent=keys.parent,
            root=keys.root,
            due=keyspace.due(partition),
            active=keyspace.active(ref.account_id),
            root_events=keys.root_events,
            open_children=keys.open_children,
            finished=keyspace.finished(partition),
            unarchived=keyspace.unarchived(partition),
            children=[keyspace.execution(ref.account_id, each) for each in ids],
            account_id=ref.account_id,
            parent_id=ref.parent_id,
            node=ref.node,
            most_bytes=most_bytes,
            tells=self._ends.wanted_of_completed,
            shared=[word for pair in shared.items() for word in pair],
            results=[each.plain for each in walked],
            sizes=[each.size for each in walked],
            own=[
                word
                for each, child_id in zip(walked, ids, strict=True)
                for word in _ended(each, keyspace.reference(ref.account_id, child_id), shared)
            ],
        )
        if reply[0] == b"large":
            return None
        if reply[0] != b"ok":
            return []
        for child_id, facts in zip(ids, reply[3], strict=True):
            self._ends.tell(ref.account_id, child_id, facts)
        if reply[2]:
            self._hints.send_soon(*parse_woken(ref, reply[2]))
        begun = zip(new, reply[1].decode(), strict=True)
        return [each.index for each, code in begun if code == "b"]

    async def fail(self, ref: GroupRef, index: int, error: Mapping[str, Any]) -> bool:
        """End a queued child that cannot begin, with `code` and `message`; False: it has begun."""
        keys = GroupKeys.of(ref)
        reply = await self._client.call(
            SCRIPTS["fail_child"],
            group=keys.group,
            parent=keys.parent,
            root=keys.root,
            due=keyspace.due(partition_of(ref.account_id)),
            active=keyspace.active(ref.account_id),
            root_events=keys.root_events,
            open_children=keys.open_children,
            children_due=keys.children_due,
            account_id=ref.account_id,
            parent_id=ref.parent_id,
            node=ref.node,
            child=index,
            error=pack(dict(error)),
        )
        if reply[0] != b"ok":
            return False
        if reply[1]:
            self._hints.send_soon(*parse_woken(ref, reply[1]))
        return True

    async def cancel(self, ref: GroupRef) -> GroupStatus | None:
        """Cancel a group: no further child begins. The next look at it cancels those that run.

        Returns its status then; None when it is not on record.
        """
        keys = GroupKeys.of(ref)
        status: bytes = await self._client.call(
            SCRIPTS["cancel_children"],
            group=keys.group,
            open_children=keys.open_children,
            children_due=keys.children_due,
            account_id=ref.account_id,
            member=ref.member,
        )
        return GroupStatus(status.decode()) if status else None


def _shared_fields(group: Group, new: Sequence[NewChild]) -> dict[str, Any]:
    """Return the fields that the records of all these children have in common."""
    first, *others = new
    common = {
        name: value
        for name, value in first.fields.items()
        if all(each.fields.get(name) == value for each in others)
    }
    ref = group.ref
    return common | {
        "parent": ref.parent_id,
        "parent_node": ref.node,
        "parent_node_id": group.node_id,
        "root": ref.root_id,
        "depth": group.depth,
    }


def _ended(walked: WalkedChild, reference: str, shared: Mapping[str, Any]) -> list[Any]:
    """Return the words about one ended child: index, reference, and its own fields."""
    new = walked.new
    own = {name: value for name, value in new.fields.items() if name not in shared}
    own |= {"statuses": new.statuses, "result": walked.result, WALKED_UNCLAIMED: walked.rows}
    words = [word for pair in own.items() for word in pair]
    return [new.index, reference, len(words), *words]


def _own(new: NewChild, reference: str, shared: Mapping[str, Any]) -> list[Any]:
    """Return the words about one child: index, reference, statuses, and its own fields."""
    own = {name: value for name, value in new.fields.items() if name not in shared}
    words = [word for pair in own.items() for word in pair]
    return [new.index, reference, new.statuses, len(words), *words]
