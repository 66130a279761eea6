"""Runs of drafts: a whole draft or one node, from an earlier execution, with pinned outputs."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.errors import InvalidBody, WorkflowNotRunnable
from engine.executions.rows import NodeRow
from engine.executions.sources import Source
from engine.executions.statuses import NodeStatus
from engine.graph.document import Document, RecordValues
from engine.graph.draft_graph import DraftGraph
from engine.graph.plan import Plan
from engine.graph.seeding import seeded_statuses
from engine.nodes.request_input import outputs_of
from engine.nodes.support.base import Outputs
from engine.services.media import MediaService
from engine.services.runs.former_runs import FormerRuns
from engine.services.runs.pinned_outputs import Pinned, read_pinned
from engine.services.runs.run_inputs import AssetUse
from engine.services.runs.seed_values import SeedValues
from engine.services.runs.targets import Runnable
from engine.services.runs.unchanged_nodes import DraftToRun, find_unchanged
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.save_workflow import find_problems
from engine.store import NewRun, Store
from engine.store.executions.record_fields import pack_name
from engine.store.executions.start import Start, draft_fields
from engine.store.redis.record_packing import pack


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPart:
    """Part of a draft to run, and outputs that it begins with."""

    only: str | None = None
    """Node that runs with what it needs; its outputs are the result."""
    former_id: str | None = None
    """Earlier execution whose outputs are taken for unchanged nodes."""
    rerun: str | None = None
    """Node that runs in any case, as all do that follow from it."""
    pinned: Pinned = field(default_factory=dict)
    """Outputs by socket of nodes that do not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRun:
    """Draft of a workflow of the caller's account, or a part of it, as the target of a run."""

    store: Store
    media_service: MediaService
    checker: GraphChecker
    slug: str
    part: DraftPart
    source = browser_source = Source.APP_DRAFT

    async def find(self, run: NewRun, *, fresh: bool) -> Runnable:
        """See `RunTarget.find`.

        Raises WorkflowNotFound, NotOwner, DraftNotFound, InvalidBody for a wrong part, and
        WorkflowNotRunnable when a node that is needed has problems.
        """
        account_id, part = run.account_id, self.part
        await self.store.workflows.check_own(account_id, self.slug)
        document = (await self.store.drafts.get(account_id, self.slug)).document
        _check_nodes(document, part)
        problems = await find_problems(
            self.store, account_id, document, checker=self.checker, slug=self.slug
        )
        if part.only is not None:
            problems = _needed_problems(document, problems, part.only, part.pinned)
        if problems:
            raise WorkflowNotRunnable(problems)
        graph = DraftGraph(nodes=document.nodes, edges=document.edges, only=part.only)
        plan = await graph.compile_aside()
        preparation = _DraftPreparation(self, graph, plan, document.record_values)
        return Runnable(plan=plan, make_start=preparation.make_start)


@dataclass(frozen=True, slots=True)
class _DraftPreparation:
    """Preparation of one run: settles pinned nodes, and nodes that are unchanged."""

    target: DraftRun
    graph: DraftGraph
    plan: Plan
    record_values: RecordValues

    async def make_start(self, run: NewRun, inputs: Mapping[str, Any]) -> Start:
        """Return the start of the execution."""
        target, plan = self.target, self.plan
        use = AssetUse(target.media_service, run.account_id, run.execution_id)
        allow_http = target.checker.allow_private
        pinned = await read_pinned(plan, target.part.pinned, use, allow_http=allow_http)
        gone = InvalidBody("'from' names an execution that has lost an output", field="from")
        seeds = SeedValues(target.store, use, gone)
        entries = {index: seeds.add_output("", pack(each)) for index, each in pinned.items()}
        if target.part.former_id is not None:
            entries |= await self._take_unchanged(
                run.account_id, target.part.former_id, inputs, pinned, seeds
            )
        statuses = seeded_statuses(plan, dict.fromkeys(entries, NodeStatus.COMPLETED))
        await seeds.hold_media()
        return Start(
            slug=target.slug,
            statuses=statuses,
            rows=[
                NodeRow(index=index, outputs=entry)
                for index, entry in sorted(entries.items())
                if statuses[index] is NodeStatus.COMPLETED
            ],
            fields=self._fields(pinned, seeds),
            store_objects=seeds.store_objects,
        )

    def _fields(self, pinned: Mapping[int, Outputs], seeds: SeedValues) -> dict[str, bytes | str]:
        packed = seeds.add_value(pack(self.graph.as_record()))
        packed_graph = pack_name(packed) if isinstance(packed, str) else packed
        fields = dict(draft_fields(packed_graph, self.plan.names))
        if pinned:
            fields["pinned"] = ",".join(map(str, sorted(pinned)))
        if self.record_values is not RecordValues.ALL:
            fields["values"] = self.record_values.value
        return fields

    async def _take_unchanged(
        self,
        account_id: str,
        former_id: str,
        inputs: Mapping[str, Any],
        pinned: Mapping[int, Outputs],
        seeds: SeedValues,
    ) -> dict[int, bytes | str]:
        target, plan = self.target, self.plan
        former = await FormerRuns(target.store).read_run(account_id, target.slug, former_id)
        needed = {name: value for name, value in inputs.items() if name not in plan.unused_fields}
        draft = DraftToRun(
            plan=plan,
            raw={node["id"]: node for node in reversed(self.graph.nodes)},
            form=outputs_of(plan.fields, needed),
            pinned=pinned,
            excluded=_followers(plan, target.part.rerun),
        )
        taken = await asyncio.to_thread(find_unchanged, draft, former, self._same_asset)
        entries = ((index, former.outputs[former_index]) for index, former_index in taken.items())
        return {
            index: seeds.add_output(former_id, entry)
            for index, entry in entries
            if entry is not None
        }

    def _same_asset(self, value: Any) -> Any:
        return self.target.media_service.linked(value) or value


def _check_nodes(document: Document, part: DraftPart) -> None:
    """Raise InvalidBody for names of nodes that the draft does not have."""
    known = {node["id"] for node in document.nodes}
    for name, node_id in (("only", part.only), ("rerun", part.rerun)):
        if node_id is not None and node_id not in known:
            raise InvalidBody(f"'{name}' names no node of the draft", field=name)
    if part.rerun is not None and part.former_id is None:
        raise InvalidBody(
            "'rerun' needs 'from', the execution whose outputs it keeps", field="rerun"
        )
    for node_id in part.pinned:
        if node_id not in known:
            raise InvalidBody(f"'pinned' names '{node_id}', no node of the draft", field="pinned")


def _needed_problems(
    document: Document, problems: Sequence[dict[str, Any]], only: str, pinned: Collection[str]
) -> list[dict[str, Any]]:
    """Return the problems of the node, of what it needs, and of the whole graph."""
    sources: dict[str, list[str]] = {}
    for edge in document.edges:
        sources.setdefault(edge["target"], []).append(edge["source"])
    needed, pending = set(), [only]
    while pending:
        node_id = pending.pop()
        if node_id not in needed:
            needed.add(node_id)
            pending += () if node_id in pinned else sources.get(node_id, ())
    running = needed - set(pinned)
    edges = {edge["id"] for edge in document.edges if edge["target"] in running}
    return [
        problem
        for problem in problems
        if problem.get("nodeId") in needed
        or ("path" not in problem and problem.get("edgeId") in edges)
        or not problem.keys() & {"nodeId", "edgeId"}
    ]


def _followers(plan: Plan, node_id: str | None) -> set[int]:
    """Return the node and all nodes that follow from it; without a node, none."""
    followers: set[int] = set()
    pending = [node.index for node in plan.nodes if node.id == node_id]
    while pending:
        index = pending.pop()
        if index not in followers:
            followers.add(index)
            pending.extend(plan.nodes[index].dependents)
    return followers
