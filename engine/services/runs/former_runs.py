"""Earlier executions, with which runs of drafts are compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from engine.errors import InvalidBody, InvalidGraph, NotFound, StorageFailed
from engine.executions.statuses import TERMINAL, parse_node_statuses, parse_status
from engine.graph.draft_graph import DraftGraph
from engine.graph.plan_digest import is_plan_of
from engine.ids.executions import is_execution_id
from engine.nodes.request_input import outputs_of
from engine.services.runs.unchanged_nodes import FormerRun
from engine.store import Store
from engine.store.executions.record_fields import are_values_dropped, parse_name, parse_rows
from engine.store.formats import Format
from engine.store.redis.record_packing import unpack

Record = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class FormerRuns:
    """Reads executions that `from` names."""

    store: Store

    async def read_run(self, account_id: str, slug: str, execution_id: str) -> FormerRun:
        """Return an ended execution of the workflow. Raises InvalidBody and StorageFailed."""
        is_id = is_execution_id(execution_id)
        record = await self.store.executions.record(account_id, execution_id) if is_id else {}
        if not record:
            _refuse("names no execution of yours")
        if record["slug"].decode() != slug:
            _refuse("names an execution of another workflow")
        if parse_status(record["status"].decode()) not in TERMINAL:
            _refuse("names an execution that has not ended")
        if are_values_dropped(record):
            _refuse("names an execution whose values were not recorded")
        graph = await self._graph(account_id, slug, execution_id, record)
        try:
            plan = await graph.compile_aside()
        except InvalidGraph:
            _refuse("names an execution whose version cannot run any more")
        if not (Format.EXECUTION.knows(record) and is_plan_of(plan, record)):
            _refuse("names an execution of another version of this service")
        inputs = await self._value(account_id, execution_id, record["inputs"])
        pinned = record.get("pinned", b"").decode()
        return FormerRun(
            plan=plan,
            raw={node["id"]: node for node in reversed(graph.nodes)},
            statuses=parse_node_statuses(record["statuses"].decode()),
            outputs={index: row.outputs for index, row in parse_rows(record).items()},
            form=outputs_of(plan.fields, inputs),
            pinned={int(index) for index in pinned.split(",") if index},
        )

    async def _graph(
        self, account_id: str, slug: str, execution_id: str, record: Record
    ) -> DraftGraph:
        if "draft" in record:
            return DraftGraph.of(await self._value(account_id, execution_id, record["draft"]))
        try:
            version = int(record["version"])
            version_read = await self.store.workflows.get_version(account_id, slug, version)
        except NotFound:
            _refuse("names an execution whose version is not kept any more")
        return DraftGraph(nodes=version_read.document.nodes, edges=version_read.document.edges)

    async def _value(self, account_id: str, execution_id: str, data: bytes) -> Any:
        name = parse_name(data)
        if name is None:
            return unpack(data)
        try:
            return unpack(await self.store.offloaded.read(account_id, execution_id, name))
        except FileNotFoundError:
            _refuse("names an execution whose values are not there any more")
        except StorageFailed:
            raise StorageFailed("The values of that execution cannot be read just now") from None


def _refuse(reason: str) -> NoReturn:
    raise InvalidBody(f"'from' {reason}", field="from")
