"""Acceptance of children: each begins as a run of its group's target, with checked inputs."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

from engine.access.tiers import TierTerms
from engine.billing.credits import find_trials, make_quote
from engine.errors import (
    EngineError,
    GrantExhausted,
    InvalidGraph,
    InvalidInputs,
    NotFound,
    Unavailable,
)
from engine.executions.item_errors import FAULT, INPUTS_GONE, ItemError, item_error
from engine.executions.replays import ReplayCalls
from engine.executions.sources import Source
from engine.ids.executions import child_execution_id
from engine.models.registry import generation
from engine.nodes.support.children import INDEX, INVALID_INPUTS, without_nulls
from engine.process.lru_cache import LruCache
from engine.services.media import MediaService
from engine.services.runs.child_plans import WORKFLOW_NOT_FOUND, ChildPlan, ChildPlans
from engine.services.runs.former_children import FormerChildren, KeptFailure
from engine.services.runs.pure_children import AT_ONCE, WalkPure, walk_all, walk_none
from engine.services.runs.run_inputs import AssetUse, check_run_inputs, run_here
from engine.store import Account, NewRun, Store
from engine.store.children.keys import GroupRef
from engine.store.children.records import ChildCharge, Group, GroupTarget, NewChild
from engine.store.executions.inputs import LargeInputs, pack_inputs
from engine.store.executions.new_execution import NewExecution
from engine.store.executions.public_runs import hidden_models
from engine.store.executions.record_fields import CALLS
from engine.store.formats import FIELD, Format
from engine.store.redis.record_packing import pack
from engine.telemetry.traces.context import node_span_id, recorded_trace
from engine.values.fields import MEDIA

NOTHING: Mapping[int, ItemError] = MappingProxyType({})

LOTS_KEPT = 64
LOTS_BYTES = 8_388_608
"""Total packed size of the shared inputs of cached groups."""

log = logging.getLogger(__name__)


class BegunChildren(Struct, frozen=True, kw_only=True):
    """Children that have begun, and items that cannot, with their errors."""

    begun: Sequence[int] = ()
    failed: Mapping[int, ItemError] = NOTHING
    """By index."""
    ended: int = 0
    """Number of those begun that have completed in the same step."""


class _Head(Struct, frozen=True, kw_only=True):
    """Group on record, with what all its children have in common."""

    group: Group
    shared: Mapping[str, Any]
    parent: Mapping[str, bytes]
    """Fields of the parent's record that its children have too."""


class _Lot(Struct, frozen=True, kw_only=True):
    """Children of a group that run one graph and begin together, with what they have in common."""

    group: Group
    account: Account
    terms: TierTerms
    found: ChildPlan
    shared: Mapping[str, Any]
    parent: Mapping[str, bytes]
    """Fields of the parent's record that its children have too."""
    generation: int
    """Generation of the registry with which the plan was made."""

    @property
    def charge(self) -> ChildCharge | None:
        """Payment for the children; None: no node of theirs is charged."""
        plan = self.found.plan
        if not plan.models or self.is_free:
            return None
        names = list(dict.fromkeys(plan.models.values()))
        trials = find_trials(names, self.terms)
        return ChildCharge(models=names, terms=self.terms, trials=trials)

    @property
    def is_free(self) -> bool:
        """Whether the children belong to a replay, and take recorded outcomes in place of calls."""
        return self.parent.get(CALLS) == ReplayCalls.RECORDED.encode()

    @property
    def may_wait(self) -> bool:
        """Whether the making of a child may read from the store."""
        return bool(self.group.former) or any(
            field.type in MEDIA for field in self.found.plan.fields
        )

    @property
    def may_be_walked(self) -> bool:
        """Whether children of pure nodes may be walked as they begin: all values are recorded."""
        return not self.may_wait and "values" not in self.parent


class _Refused(Exception):
    """No child of a group can begin."""

    def __init__(self, error: ItemError) -> None:
        super().__init__(error["message"])
        self.error = error


class ChildAcceptance:
    """Begins children of the account as it is now."""

    def __init__(
        self,
        store: Store,
        media_service: MediaService,
        plans: ChildPlans,
        *,
        allow_http: bool,
        max_run_bytes: int,
        walk: WalkPure = walk_none,
    ) -> None:
        """`walk` walks children of pure nodes as they begin."""
        self._store = store
        self._walk = walk
        self._max_bytes = max_run_bytes
        self._media_service = media_service
        self._plans = plans
        self._allow_http = allow_http
        self._former = FormerChildren(store, media_service)
        self._large_inputs = LargeInputs(store.offloaded)
        self._heads: LruCache[tuple[str, int], _Head] = LruCache(LOTS_KEPT, LOTS_BYTES)
        self._lots: LruCache[tuple[str, int, GroupTarget], _Lot] = LruCache(LOTS_KEPT)

    def are_walked(self, ref: GroupRef) -> bool:
        """Return whether children of a group are walked as they begin, as far as it is known."""
        head = self._heads.get((ref.parent_id, ref.node))
        target = None if head is None else head.group.target
        lot = None if target is None else self._lots.get((ref.parent_id, ref.node, target))
        has_walk = self._walk is not walk_none
        return has_walk and lot is not None and lot.may_be_walked and lot.found.plan.is_pure

    async def begin(self, account: Account, ref: GroupRef, indexes: Sequence[int]) -> BegunChildren:
        """Begin queued children; those for which there is no room stay queued.

        Raises StoreFull, StorageFailed or Unavailable, after which it may be repeated.
        """
        try:
            head = await self._head(ref)
            items = {} if head is None else await self._read_items(head.group, indexes)
        except _Refused as refusal:
            return BegunChildren(failed=dict.fromkeys(indexes, refusal.error))
        if head is None:
            return BegunChildren()
        if not head.group.grows:
            return await self._begin(account, head, head.group.target, indexes, items)
        by_target: dict[GroupTarget, list[int]] = {}
        for index in indexes:
            by_target.setdefault(items[index].target, []).append(index)
        inputs = {index: each.inputs for index, each in items.items()}
        return _all_of(
            [await self._begin(account, head, *pair, inputs) for pair in by_target.items()]
        )

    async def _begin(
        self,
        account: Account,
        head: _Head,
        target: GroupTarget,
        indexes: Sequence[int],
        items: Mapping[int, Any],
    ) -> BegunChildren:
        """Begin children that run one graph."""
        children = self._store.children
        try:
            lot = await self._lot(account, head, target)
        except _Refused as refusal:
            return BegunChildren(failed=dict.fromkeys(indexes, refusal.error))
        made = await self._make_all(lot, indexes, items)
        new = [each for each in made if isinstance(each, NewChild)]
        finished, queued = await self._finish(lot, new)
        ends = zip(indexes, made, strict=True)
        failed = {index: each for index, each in ends if not isinstance(each, NewChild)}
        try:
            begun = await children.begin(lot.group, queued, lot.charge) if queued else []
        except GrantExhausted as refusal:
            begun, failed = [], failed | {each.index: item_error(refusal) for each in queued}
        return BegunChildren(begun=[*finished, *begun], failed=failed, ended=len(finished))

    async def _finish(
        self, lot: _Lot, new: Sequence[NewChild]
    ) -> tuple[Sequence[int], Sequence[NewChild]]:
        """Walk children of pure nodes; return the indexes of those, and the others, to begin."""
        walked = await walk_all(lot.found.plan, new, self._walk) if lot.may_be_walked else {}
        if not walked:
            return [], new
        some = list(walked.values())
        finished = await self._store.children.finish(lot.group, some, self._max_bytes)
        if finished is None:
            return [], new  # a walk with a claim says which limit they meet
        return finished, [each for each in new if each.index not in walked]

    async def _read_items(self, group: Group, indexes: Sequence[int]) -> Mapping[int, Any]:
        """Return items by index; none for a child without one. Raises _Refused.

        Those of a group that grows are `RoundItem`s.
        """
        children = self._store.children
        if group.over is None and not group.grows:
            return {}
        try:
            if group.grows:
                return await children.rounds.read(group.ref, indexes)
            return await children.items.read(group.ref, indexes)
        except FileNotFoundError:
            raise _Refused(INPUTS_GONE) from None

    async def _make_all(
        self, lot: _Lot, indexes: Sequence[int], items: Mapping[int, Any]
    ) -> Sequence[NewChild | ItemError]:
        making = (self._make(lot, index, items) for index in indexes)
        if lot.may_wait:
            return await asyncio.gather(*making)
        made = []
        for each in making:
            made.append(await each)
            if len(made) % AT_ONCE == 0:
                await asyncio.sleep(0)
        return made

    async def _head(self, ref: GroupRef) -> _Head | None:
        """Return a group, None when it is gone. Raises _Refused, and RecordTooNew.

        It is cached, since a long list has many lots.
        """
        place = ref.parent_id, ref.node
        known = self._heads.get(place)
        if known is not None:
            return known
        children = self._store.children
        try:
            group, shared, parent = await asyncio.gather(
                children.find(ref), children.items.shared(ref), children.parent_fields(ref)
            )
        except FileNotFoundError:
            raise _Refused(INPUTS_GONE) from None
        if group is None:
            return None
        Format.CHILDREN.check({FIELD: group.format})
        head = _Head(group=msgspec.structs.replace(group, states=""), shared=shared, parent=parent)
        self._heads.put(place, head, len(pack(dict(shared))))
        return head

    async def _lot(self, account: Account, head: _Head, target: GroupTarget) -> _Lot:
        """Return the facts that all children with one target share. Raises _Refused.

        The plan is cached; the terms are those of now.
        """
        ref = head.group.ref
        terms = self._store.tiers.terms(account.tier, account.role)
        place = ref.parent_id, ref.node, target
        known = self._lots.get(place)
        if known is not None and known.generation == generation():
            return msgspec.structs.replace(known, account=account, terms=terms)
        try:
            found = await self._plans.find(account.id, target)
        except (NotFound, InvalidGraph):
            raise _Refused(_target_gone(target)) from None
        lot = _Lot(
            group=msgspec.structs.replace(head.group, target=target),
            account=account,
            terms=terms,
            found=found,
            shared=head.shared,
            parent=head.parent,
            generation=generation(),
        )
        self._lots.put(place, lot)
        return lot

    async def _make(self, lot: _Lot, index: int, items: Mapping[int, Any]) -> NewChild | ItemError:
        """Return a child with checked inputs, or the error that refuses its item."""
        group = lot.group
        try:
            return await self._make_checked(lot, index, _inputs(lot, index, items))
        except Unavailable:
            raise
        except KeptFailure as kept:
            return kept.error
        except InvalidInputs as refusal:
            return {"code": INVALID_INPUTS, "message": refusal.message}
        except EngineError as refusal:
            return item_error(refusal)
        except Exception:
            extra = {"account_id": group.ref.account_id, "parent_id": group.ref.parent_id}
            log.exception("a child could not begin", extra=extra)
            return FAULT

    async def _make_checked(self, lot: _Lot, index: int, inputs: Mapping[str, Any]) -> NewChild:
        group, plan = lot.group, lot.found.plan
        run = _new_run(lot, index)
        checked = await check_run_inputs(
            plan,
            without_nulls(plan.fields, inputs),
            AssetUse(self._media_service, run.account_id, run.execution_id),
            is_model=False,
            allow_http=self._allow_http,
            runner=run_here,
        )
        packed, start = pack_inputs(plan, checked), None
        if group.former:
            start = await self._former.find_start(group, index, run, lot.found, packed)
        new = NewExecution(
            run=run,
            plan=plan,
            inputs=checked,
            packed_inputs=packed,
            workflow=lot.found.workflow,
            is_named_version=True,
            start=start,
        )
        on_record = packed
        if new.has_objects:
            ids = run.account_id, run.execution_id
            on_record = await self._large_inputs.store(*ids, packed, start)
        with hidden_models() if group.target.owner_id else contextlib.nullcontext():
            charged = new.charged_plan()
            quote = None if lot.is_free else make_quote(charged, lot.terms, None, checked)
        fields = {**new.record_fields(on_record, quote), **group.target.record_fields()}
        fields.pop("values", None)
        kept = (name for name in ("values", CALLS) if name in lot.parent)
        fields |= {name: lot.parent[name] for name in kept}
        return NewChild(index=index, statuses=new.status_codes, fields=fields)


def _all_of(parts: Sequence[BegunChildren]) -> BegunChildren:
    """Return the children of all parts."""
    failed: dict[int, ItemError] = {}
    for each in parts:
        failed |= each.failed
    begun = [index for each in parts for index in each.begun]
    return BegunChildren(begun=begun, failed=failed, ended=sum(each.ended for each in parts))


def _inputs(lot: _Lot, index: int, items: Mapping[int, Any]) -> Mapping[str, Any]:
    """Return the inputs of a child, unchecked."""
    group, inputs = lot.group, dict(lot.shared)
    if group.grows:
        own: Mapping[str, Any] = items[index]
        return own
    if group.over is not None:
        inputs[group.over] = items[index]
    if group.with_index:
        inputs[INDEX] = index
    return inputs


def _new_run(lot: _Lot, index: int) -> NewRun:
    group, parent = lot.group, lot.parent
    return NewRun(
        account_id=lot.account.id,
        source=Source.SUB,
        key_id=parent.get("key", b"").decode(),
        execution_id=child_execution_id(group.ref.parent_id, group.node_id, index),
        terms=lot.terms,
        depth=group.depth,
        request_id=parent.get("request", b"").decode(),
        trace=_trace_of(group.ref, parent.get("trace", b"").decode()),
    )


def _trace_of(ref: GroupRef, of_parent: str) -> str:
    """Return the trace of a group's children: their spans are below that of the parent's node."""
    trace = recorded_trace(of_parent)
    return "" if trace is None else trace.with_span(node_span_id(ref.parent_id, ref.node)).header


def _target_gone(target: GroupTarget) -> ItemError:
    if target.body or target.draft_of:
        return {"code": WORKFLOW_NOT_FOUND, "message": "The body of this node is gone"}
    message = f"The workflow '{target.slug}' that this node calls is gone"
    return {"code": WORKFLOW_NOT_FOUND, "message": message}
