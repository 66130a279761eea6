"""Targets of the runs of tests: a version or a draft, with pinned outputs, and judges."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidBody, WorkflowNotFound, WorkflowNotRunnable
from engine.executions.rows import NodeRow
from engine.executions.sources import Source
from engine.executions.statuses import NodeStatus
from engine.graph.document import RecordValues
from engine.graph.draft_graph import DraftGraph
from engine.graph.plan import Plan
from engine.graph.seeding import seeded_statuses
from engine.services.media import MediaService
from engine.services.runs.pinned_outputs import Pinned, read_pinned
from engine.services.runs.run_inputs import AssetUse
from engine.services.runs.seed_values import SeedValues
from engine.services.runs.targets import Runnable, find_workflow
from engine.store import NewRun, Store
from engine.store.executions.record_fields import pack_name
from engine.store.executions.start import Start, draft_fields
from engine.store.redis.record_packing import pack


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphUnderTest:
    """Draft or version of a workflow, with outputs of nodes that do not run."""

    store: Store
    media_service: MediaService
    slug: str
    version: int
    """0: the graph of a draft."""
    draft: Mapping[str, Any] | None
    record_values: RecordValues
    """Executions of a draft that keep their values."""
    pinned: Pinned
    allow_http: bool
    source = browser_source = Source.TEST

    async def find(self, run: NewRun, *, fresh: bool) -> Runnable:
        """See `RunTarget.find`.

        Raises what `find_workflow` raises, and InvalidBody for pinned nodes that are not there.
        """
        if self.version:
            runnable = await find_workflow(
                self.store, run.account_id, self.slug, fresh=fresh, version=self.version
            )
            plan, workflow, graph = runnable.plan, runnable.workflow, None
        else:
            if self.draft is None:
                raise WorkflowNotRunnable([])
            graph = DraftGraph.of(self.draft)
            plan, workflow = await graph.compile_aside(), None
        missing = self.pinned.keys() - {node.id for node in plan.nodes}
        if missing:
            name = sorted(missing)[0]
            raise InvalidBody(f"'pinned' names '{name}', no node of the workflow", field="pinned")
        if not self.pinned and graph is None:
            return Runnable(plan=plan, workflow=workflow, is_named_version=True)
        start = _PinnedStart(self, plan, graph)
        return Runnable(
            plan=plan, workflow=workflow, is_named_version=True, make_start=start.make_start
        )


@dataclass(frozen=True, slots=True)
class _PinnedStart:
    """Start of one run, in which pinned nodes are settled."""

    target: GraphUnderTest
    plan: Plan
    graph: DraftGraph | None
    """Graph of a draft; None: a version runs."""

    async def make_start(self, run: NewRun, inputs: Mapping[str, Any]) -> Start:
        """Return the start of the execution. Raises InvalidBody for a wrong pinned value."""
        target, plan = self.target, self.plan
        use = AssetUse(target.media_service, run.account_id, run.execution_id)
        pinned = await read_pinned(plan, target.pinned, use, allow_http=target.allow_http)
        gone = InvalidBody("'pinned' names an output that is gone", field="pinned")
        seeds = SeedValues(target.store, use, gone)
        entries = {index: seeds.add_output("", pack(each)) for index, each in pinned.items()}
        statuses = seeded_statuses(plan, dict.fromkeys(entries, NodeStatus.COMPLETED))
        fields = self._draft_fields(seeds)
        if pinned:
            fields["pinned"] = ",".join(map(str, sorted(pinned)))
        await seeds.hold_media()
        return Start(
            slug=target.slug if self.graph is not None else "",
            statuses=statuses,
            rows=[
                NodeRow(index=index, outputs=entry)
                for index, entry in sorted(entries.items())
                if statuses[index] is NodeStatus.COMPLETED
            ],
            fields=fields,
            store_objects=seeds.store_objects,
        )

    def _draft_fields(self, seeds: SeedValues) -> dict[str, bytes | str]:
        if self.graph is None:
            return {}
        packed = seeds.add_value(pack(self.graph.as_record()))
        packed_graph = pack_name(packed) if isinstance(packed, str) else packed
        fields = dict(draft_fields(packed_graph, self.plan.names))
        if self.target.record_values is not RecordValues.ALL:
            fields["values"] = self.target.record_values.value
        return fields


@dataclass(frozen=True, slots=True)
class Judging:
    """Live version of a workflow of the account, which rates the run of a test."""

    store: Store
    slug: str
    source = browser_source = Source.TEST

    async def find(self, run: NewRun, *, fresh: bool) -> Runnable:
        """See `RunTarget.find`. Raises what `find_workflow` raises for an own workflow."""
        runnable = await find_workflow(self.store, run.account_id, self.slug, fresh=fresh)
        if runnable.workflow is None or runnable.workflow.account_id != run.account_id:
            raise WorkflowNotFound
        return runnable
