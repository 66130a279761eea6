"""Runs of a replay: an earlier execution's inputs, on another version or on a draft."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidGraph, StorageFailed, Unavailable, WorkflowNotRunnable
from engine.executions.replays import ReplayCalls
from engine.executions.sources import Source
from engine.graph.document import RecordValues
from engine.graph.draft_graph import DraftGraph
from engine.graph.plan import Plan
from engine.graph.progress import initial_statuses
from engine.services.media import MediaService
from engine.services.replays.recorded_calls import book_fields, make_book
from engine.services.replays.recorded_trees import begins_children
from engine.services.replays.replayed_executions import ReplayedExecution
from engine.services.runs.run_inputs import AssetUse, check_run_inputs, run_here
from engine.services.runs.seed_values import SeedValues
from engine.services.runs.targets import CheckedInputs, Runnable, find_workflow
from engine.store import NewRun, Store
from engine.store.executions.inputs import pack_inputs
from engine.store.executions.record_fields import pack_name
from engine.store.executions.start import Fields, Start, draft_fields
from engine.store.redis.record_packing import pack


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedDraft:
    """Draft on which an execution runs again, as it was when the replay was asked for."""

    graph: DraftGraph
    record_values: RecordValues


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRun:
    """Earlier execution of an own workflow, as the target of a run on another version.

    Its inputs are those that the execution had, whatever the caller passes.
    """

    store: Store
    media_service: MediaService
    allow_http: bool
    slug: str
    execution_id: str
    """The earlier execution."""
    against: int | ReplayedDraft
    """Version, or draft."""
    calls: ReplayCalls
    source = browser_source = Source.REPLAY

    async def find(self, run: NewRun, *, fresh: bool) -> Runnable:
        """See `RunTarget.find`.

        Raises InvalidBody for an execution that cannot run again, InvalidInputs for inputs that the
        version does not take, Unavailable while values cannot be read, and what `find_workflow`
        raises.
        """
        store, account_id = self.store, run.account_id
        former = await ReplayedExecution.read(store, account_id, self.slug, self.execution_id)
        runnable = await self._find_version(account_id, fresh=fresh)
        try:
            inputs = await self._check_inputs(run, runnable.plan, await former.read_inputs())
        except StorageFailed as error:
            raise Unavailable(error.message) from None
        preparation = _Preparation(self, former, runnable.plan)
        return Runnable(
            plan=runnable.plan,
            workflow=runnable.workflow,
            is_named_version=runnable.is_named_version,
            make_start=preparation.make_start,
            inputs=inputs,
        )

    async def _find_version(self, account_id: str, *, fresh: bool) -> Runnable:
        if isinstance(self.against, int):
            return await find_workflow(
                self.store, account_id, self.slug, fresh=fresh, version=self.against
            )
        await self.store.workflows.check_own(account_id, self.slug)
        try:
            return Runnable(plan=await self.against.graph.compile_aside())
        except InvalidGraph as error:
            raise WorkflowNotRunnable(error.context["problems"]) from None

    async def _check_inputs(
        self, run: NewRun, plan: Plan, former: Mapping[str, Any]
    ) -> CheckedInputs:
        """Return the inputs with the defaults of new fields; media keep their former links.

        Values of fields that the version lacks are left out.
        """
        media, names = self.media_service, {field.name for field in plan.fields}
        checked = await check_run_inputs(
            plan,
            {name: value for name, value in former.items() if name in names},
            AssetUse(media, run.account_id, run.execution_id),
            is_model=False,
            allow_http=self.allow_http,
            runner=run_here,
        )
        values = {
            name: former[name] if _is_same_asset(media, former.get(name), value) else value
            for name, value in checked.items()
        }
        return CheckedInputs(values=values, packed=pack_inputs(plan, values))


def _is_same_asset(media_service: MediaService, former: Any, value: Any) -> bool:
    """Return whether two values are links to one asset."""
    asset_id = media_service.linked(value)
    return asset_id is not None and asset_id == media_service.linked(former)


@dataclass(frozen=True, slots=True)
class _Preparation:
    """Preparation of one run: gathers the outcomes that its nodes take."""

    target: ReplayRun
    former: ReplayedExecution
    plan: Plan

    async def make_start(self, run: NewRun, inputs: Mapping[str, Any]) -> Start:
        """Return the start of the execution."""
        target, former = self.target, self.former
        media_service = target.media_service
        use = AssetUse(media_service, run.account_id, run.execution_id)
        seeds = SeedValues(target.store, use, former.refusal("has lost an output"))
        try:
            book = await make_book(
                *(former, target.calls, seeds, media_service.linked),
                with_children=begins_children(self.plan),
            )
        except StorageFailed as error:
            raise Unavailable(error.message) from None
        fields = {**book_fields(book, target.calls, seeds), **self._draft_fields(seeds)}
        await seeds.hold_media()
        return Start(
            slug="" if isinstance(target.against, int) else target.slug,
            statuses=initial_statuses(self.plan),
            fields=fields,
            store_objects=seeds.store_objects,
            is_free=target.calls is ReplayCalls.RECORDED,
        )

    def _draft_fields(self, seeds: SeedValues) -> Fields:
        draft = self.target.against
        if isinstance(draft, int):
            return {}
        packed = seeds.add_value(pack(draft.graph.as_record()))
        graph = pack_name(packed) if isinstance(packed, str) else packed
        fields = dict(draft_fields(graph, self.plan.names))
        if draft.record_values is not RecordValues.ALL:
            fields["values"] = draft.record_values.value
        return fields
