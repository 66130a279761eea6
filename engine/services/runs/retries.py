"""Retries of failed executions: nodes that have completed are not run again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import (
    EngineError,
    ExecutionNotFound,
    ExecutionNotRetryable,
    InvalidGraph,
    NotFound,
)
from engine.executions.execution import ExecutionStatus, NodeStatus, parse_node_statuses
from engine.executions.rows import NodeRow
from engine.graph.draft_graph import DraftGraph
from engine.graph.plan import Plan
from engine.graph.seeding import seeded_statuses
from engine.models.calls.provider_jobs import job_for_retry
from engine.services.media import MediaService
from engine.services.runs.acceptance import AcceptedInputs, NewRun, Runnable
from engine.services.runs.seed_values import SeedValues
from engine.store import AlreadyRetried, Store
from engine.store.executions.record_fields import (
    has_all_outputs,
    pack_name,
    parse_answer_batches,
    parse_jobs,
    parse_name,
    parse_rows,
)
from engine.store.executions.start import Retry, Start
from engine.store.redis.record_packing import pack, unpack

GONE = "The version that it ran is not kept any more"
FOREIGN = "It ran a public workflow of another account"
NOT_RECORDED = "The outputs of its nodes were not recorded, or are not there any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedExecution:
    """Execution that is to be retried, with its whole record."""

    account_id: str
    id: str
    record: Mapping[str, bytes]

    @property
    def slug(self) -> str:
        """Slug of the workflow; empty for the run of a model."""
        return self.record["slug"].decode()

    @property
    def model_ids(self) -> Sequence[str]:
        """Internal names of the models that it could call."""
        models = self.record.get("models", b"").decode()
        return models.split(",") if models else ()

    @property
    def is_draft(self) -> bool:
        """Whether it ran a draft."""
        return "draft" in self.record


@dataclass(frozen=True, slots=True)
class Retries:
    """Finds failed executions of an account as runs that can be accepted."""

    store: Store
    media_service: MediaService

    async def read(self, account_id: str, execution_id: str) -> FailedExecution:
        """Return an execution. Raises ExecutionNotFound."""
        record = await self.store.executions.record_for_retry(account_id, execution_id)
        if not record:
            raise ExecutionNotFound
        return FailedExecution(account_id=account_id, id=execution_id, record=record)

    async def find(self, failed: FailedExecution) -> Runnable:
        """Return the execution as a run. Raises ExecutionNotRetryable and AlreadyRetried."""
        status = failed.record["status"].decode()
        if status != ExecutionStatus.FAILED:
            raise ExecutionNotRetryable(status)
        if "owner" in failed.record:
            raise ExecutionNotRetryable(status, FOREIGN)
        former = failed.record.get("retry", b"").decode()
        if former and await self._goes_on(failed.account_id, former):
            raise AlreadyRetried(former)
        if not has_all_outputs(failed.record):
            raise not_recorded()
        runnable = await self._find_version(failed)
        retry = _Retry(self, failed, runnable.plan, former)
        return Runnable(
            plan=runnable.plan,
            workflow=runnable.workflow,
            is_named_version=runnable.workflow is not None,
            prepare=retry.prepare,
            inputs=await retry.inputs(),
        )

    async def _goes_on(self, account_id: str, execution_id: str) -> bool:
        """Return whether a retry is there and was not cancelled."""
        try:
            status = await self.store.executions.status(account_id, execution_id)
        except ExecutionNotFound:
            return False
        return status is not ExecutionStatus.CANCELLED

    async def _find_version(self, failed: FailedExecution) -> Runnable:
        account_id, slug = failed.account_id, failed.slug
        workflows = self.store.workflows
        try:
            if failed.is_draft:
                graph = await self.value(failed, failed.record["draft"])
                return Runnable(plan=await DraftGraph.of(graph).compile_aside())
            if not slug:
                return Runnable(
                    plan=await workflows.plan_of_execution(account_id, "", 0, failed.model_ids)
                )
            version = int(failed.record["version"])
            workflow, plan = await workflows.own_plan(account_id, slug, version=version)
        except (NotFound, InvalidGraph):
            raise ExecutionNotRetryable("failed", GONE) from None
        if plan is None:
            raise ExecutionNotRetryable("failed", "A model that it needs is gone")
        return Runnable(plan=plan, workflow=workflow)

    async def value(self, failed: FailedExecution, data: bytes) -> Any:
        """Return a value of the record that may be offloaded.

        Raises ExecutionNotRetryable and StorageFailed.
        """
        name = parse_name(data)
        return unpack(data if name is None else await self.read_object(failed, name))

    async def read_object(self, failed: FailedExecution, name: str) -> bytes:
        """Return an object of the execution. Raises ExecutionNotRetryable and StorageFailed."""
        try:
            return await self.store.offloaded.read(failed.account_id, failed.id, name)
        except FileNotFoundError:
            raise not_recorded() from None


class _Retry:
    """Preparation of one retry."""

    def __init__(
        self, retries: Retries, failed: FailedExecution, plan: Plan, former_retry: str
    ) -> None:
        self._retries = retries
        self._failed = failed
        self._record = failed.record
        self._plan = plan
        self._former_retry = former_retry

    async def inputs(self) -> AcceptedInputs:
        """Return the inputs of the failed execution."""
        data = self._record["inputs"]
        name = parse_name(data)
        packed = data if name is None else await self._retries.read_object(self._failed, name)
        return AcceptedInputs(values=unpack(packed), packed=packed)

    async def prepare(self, new: NewRun, inputs: Mapping[str, Any]) -> Start:
        """Return the start of the new execution."""
        ids = new.account_id, new.execution_id
        seeds = SeedValues(self._retries.store, self._retries.media_service, *ids, not_recorded())
        seeds.note(inputs)
        rows = self._settled_rows(seeds)
        statuses = seeded_statuses(
            self._plan, {index: status for index, (status, _) in rows.items()}
        )
        open_nodes = {i for i, each in enumerate(statuses) if each is NodeStatus.PENDING}
        fields = {
            "origin": self._record.get("origin", self._failed.id.encode()),
            **self._draft_fields(seeds),
            **self._job_fields(open_nodes),
            **await self._answer_fields(open_nodes, seeds),
        }
        await seeds.hold_media()
        return Start(
            slug=self._failed.slug,
            statuses=statuses,
            rows=[
                row for index, (status, row) in sorted(rows.items()) if statuses[index] is status
            ],
            fields=fields,
            retry=Retry(execution_id=self._failed.id, former_retry=self._former_retry),
            store_objects=seeds.store_objects,
        )

    def _settled_rows(self, seeds: SeedValues) -> dict[int, tuple[NodeStatus, NodeRow]]:
        """Return status and row of each node that is not run again."""
        statuses = parse_node_statuses(self._record["statuses"].decode())
        inputs_name, recorded = parse_name(self._record["inputs"]), parse_rows(self._record)
        found: dict[int, tuple[NodeStatus, NodeRow]] = {}
        for index, row in recorded.items():
            outputs = row.outputs
            is_completed = statuses[index] is NodeStatus.COMPLETED
            if is_completed and outputs is not None and outputs != inputs_name:
                entry = seeds.take(self._failed.id, outputs)
                found[index] = NodeStatus.COMPLETED, NodeRow(index=index, outputs=entry)
            elif statuses[index] is NodeStatus.FAILED and self._was_used(index, statuses):
                found[index] = NodeStatus.FAILED, NodeRow(index=index, error=row.error)
        return found

    def _was_used(self, index: int, statuses: Sequence[NodeStatus]) -> bool:
        """Return whether a completed node went on without the output of this failed one."""
        dependents = self._plan.nodes[index].dependents
        return any(statuses[each] is NodeStatus.COMPLETED for each in dependents)

    def _draft_fields(self, seeds: SeedValues) -> dict[str, bytes]:
        names = ("draft", "names", "pinned", "values")
        is_draft = "draft" in self._record  # else the version says which values are recorded
        found = {name: self._record[name] for name in names if is_draft and name in self._record}
        name = parse_name(found.get("draft"))
        if name is not None:
            found["draft"] = pack_name(seeds.copy(self._failed.id, name, is_value=False))
        return found

    def _job_fields(self, open_nodes: set[int]) -> dict[str, bytes]:
        """Return the jobs at providers with which nodes go on."""
        jobs = {
            place: job_for_retry(unpack(data))
            for place, data in parse_jobs(self._record).items()
            if place[0] in open_nodes
        }
        return {f"j{index}.{item}": pack(job) for (index, item), job in jobs.items() if job}

    async def _answer_fields(
        self, open_nodes: set[int], seeds: SeedValues
    ) -> dict[str, bytes | str]:
        """Return the answers for items of lists with which nodes go on, one batch for each."""
        fields: dict[str, bytes | str] = {}
        batches = parse_answer_batches(self._record)
        for index in sorted(open_nodes & batches.keys()):
            merged: list[Any] = []
            for number in range(1, batches[index] + 1):
                merged += await self._read_batch(index, number)
            if merged:
                fields[f"k{index}.1"] = pack(seeds.put(pack(merged)))
        if fields:
            fields["answer_batches"] = ",".join(f"{name[1:-2]}=1" for name in fields)
        return fields

    async def _read_batch(self, index: int, number: int) -> list[Any]:
        """Return the rows of a batch; none for one that is lost, which is asked for again."""
        data = self._record.get(f"k{index}.{number}")
        batch = b"" if data is None else unpack(data)
        if isinstance(batch, str):
            try:
                batch = await self._retries.read_object(self._failed, batch)
            except EngineError:
                return []
        return list(unpack(batch)) if batch else []


def not_recorded() -> ExecutionNotRetryable:
    """Return the refusal of an execution without the outputs of its nodes."""
    return ExecutionNotRetryable("failed", NOT_RECORDED)
