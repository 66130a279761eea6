"""Runs of drafts: a whole draft or one node, from an earlier execution, with pinned outputs."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from engine.errors import InvalidBody, WorkflowNotRunnable
from engine.executions.execution import NodeStatus
from engine.executions.rows import NodeRow
from engine.graph.document import Document, RecordValues
from engine.graph.draft_graph import DraftGraph
from engine.graph.plan import Plan
from engine.graph.seeding import seeded_statuses
from engine.nodes.request_input import outputs_of
from engine.nodes.support.base import Outputs
from engine.services.media import MediaService
from engine.services.runs.acceptance import NewRun, Runnable
from engine.services.runs.former_runs import FormerRuns
from engine.services.runs.pinned_outputs import Pinned, read_pinned
from engine.services.runs.seed_values import SeedValues
from engine.services.runs.unchanged_nodes import DraftToRun, find_unchanged
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.save_workflow import find_problems
from engine.store import Store
from engine.store.executions.record_fields import pack_name
from engine.store.executions.start import Start, draft_fields
from engine.store.redis.record_packing import pack


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRun:
    """Part of a draft to run, and outputs that it begins with."""

    only: str | None = None
    """Node that runs with what it needs; its outputs are the result."""
    source: str | None = None
    """Earlier execution whose outputs are taken for unchanged nodes."""
    rerun: str | None = None
    """Node that runs in any case, as all do that follow from it."""
    pinned: Pinned = field(default_factory=dict)
    """Outputs by socket of nodes that do not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRuns:
    """Finds drafts of an account's workflows as runs that can be accepted."""

    store: Store
    media_service: MediaService
    checker: GraphChecker

    async def find(self, account_id: str, slug: str, run: DraftRun) -> Runnable:
        """Return the draft, or the wanted part of it, ready to run.

        Raises WorkflowNotFound, NotOwner, DraftNotFound, InvalidBody for a wrong `run`, and
        WorkflowNotRunnable when a node that is needed has problems.
        """
        await self.store.workflows.check_own(account_id, slug)
        document = (await self.store.drafts.get(account_id, slug)).document
        _check_nodes(document, run)
        problems = await find_problems(self.store, account_id, document, checker=self.checker)
        if run.only is not None:
            problems = _of_needed(document, problems, run.only, run.pinned)
        if problems:
            raise WorkflowNotRunnable(problems)
        graph = DraftGraph(nodes=document.nodes, edges=document.edges, only=run.only)
        plan = await graph.compile_aside()
        prepare = partial(self._prepare, slug, graph, plan, run, document.record_values)
        return Runnable(plan=plan, prepare=prepare)

    async def _prepare(
        self,
        slug: str,
        graph: DraftGraph,
        plan: Plan,
        run: DraftRun,
        record_values: RecordValues,
        new: NewRun,
        inputs: Mapping[str, Any],
    ) -> Start:
        gone = InvalidBody("'from' names an execution that has lost an output", field="from")
        ids = new.account_id, new.execution_id
        seeds = SeedValues(self.store, self.media_service, *ids, gone)
        pinned = await read_pinned(
            plan,
            run.pinned,
            media_service=self.media_service,
            account_id=new.account_id,
            execution_id=new.execution_id,
            allow_http=self.checker.allow_private,
        )
        entries = {index: seeds.take("", pack(outputs)) for index, outputs in pinned.items()}
        if run.source is not None:
            entries |= await self._take_unchanged(
                slug, graph, plan, run, new.account_id, run.source, inputs, pinned, seeds
            )
        statuses = seeded_statuses(plan, dict.fromkeys(entries, NodeStatus.COMPLETED))
        await seeds.hold_media()
        packed = seeds.put(pack(graph.as_record()))
        packed_graph = pack_name(packed) if isinstance(packed, str) else packed
        fields = dict(draft_fields(packed_graph, plan.names))
        if pinned:
            fields["pinned"] = ",".join(map(str, sorted(pinned)))
        if record_values is not RecordValues.ALL:
            fields["values"] = record_values.value
        return Start(
            slug=slug,
            statuses=statuses,
            rows=[
                NodeRow(index=index, outputs=entry)
                for index, entry in sorted(entries.items())
                if statuses[index] is NodeStatus.COMPLETED
            ],
            fields=fields,
            store_objects=seeds.store_objects,
        )

    async def _take_unchanged(
        self,
        slug: str,
        graph: DraftGraph,
        plan: Plan,
        run: DraftRun,
        account_id: str,
        source: str,
        inputs: Mapping[str, Any],
        pinned: Mapping[int, Outputs],
        seeds: SeedValues,
    ) -> dict[int, bytes | str]:
        former = await FormerRuns(self.store).read(account_id, slug, source)
        needed = {name: value for name, value in inputs.items() if name not in plan.unused_fields}
        draft = DraftToRun(
            plan=plan,
            raw={node["id"]: node for node in reversed(graph.nodes)},
            form=outputs_of(plan.fields, needed),
            pinned=pinned,
            excluded=_followers(plan, run.rerun),
        )
        taken = await asyncio.to_thread(find_unchanged, draft, former, self._same_asset)
        found = ((index, former.outputs[former_index]) for index, former_index in taken.items())
        return {index: seeds.take(source, entry) for index, entry in found if entry is not None}

    def _same_asset(self, value: Any) -> Any:
        return self.media_service.linked(value) or value


def _check_nodes(document: Document, run: DraftRun) -> None:
    """Raise InvalidBody for names of nodes that the draft does not have."""
    known = {node["id"] for node in document.nodes}
    for name, node_id in (("only", run.only), ("rerun", run.rerun)):
        if node_id is not None and node_id not in known:
            raise InvalidBody(f"'{name}' names no node of the draft", field=name)
    if run.rerun is not None and run.source is None:
        raise InvalidBody(
            "'rerun' needs 'from', the execution whose outputs it keeps", field="rerun"
        )
    for node_id in run.pinned:
        if node_id not in known:
            raise InvalidBody(f"'pinned' names '{node_id}', no node of the draft", field="pinned")


def _of_needed(
    document: Document, problems: Sequence[dict[str, str]], only: str, pinned: Collection[str]
) -> list[dict[str, str]]:
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
        or problem.get("edgeId") in edges
        or not problem.keys() & {"nodeId", "edgeId"}
    ]


def _followers(plan: Plan, node_id: str | None) -> set[int]:
    """Return the node and all nodes that follow from it; without one none."""
    found: set[int] = set()
    pending = [node.index for node in plan.nodes if node.id == node_id]
    while pending:
        index = pending.pop()
        if index not in found:
            found.add(index)
            pending.extend(plan.nodes[index].dependents)
    return found
