"""Retries of failed executions: nodes that have completed are not run again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from engine.errors import (
    EngineError,
    ExecutionNotFound,
    ExecutionNotRetryable,
    InvalidGraph,
    NotFound,
    RecordTooNew,
)
from engine.executions.rows import ItemAnswerRow, NodeRow, pack_answers, unpack_answers
from engine.executions.sources import Source
from engine.executions.statuses import ExecutionStatus, NodeStatus, parse_node_statuses
from engine.graph.draft_graph import DraftGraph
from engine.graph.plan import Plan, unpack_names
from engine.graph.plan_digest import is_plan_of
from engine.graph.seeding import seeded_statuses
from engine.models.calls.provider_jobs import job_for_retry
from engine.services.media import MediaService
from engine.services.runs.run_inputs import AssetUse
from engine.services.runs.seed_values import SeedValues
from engine.services.runs.targets import CheckedInputs, Runnable
from engine.store import AlreadyRetried, NewRun, Store, Workflow
from engine.store.executions.record_fields import (
    has_all_outputs,
    pack_name,
    parse_answer_batches,
    parse_jobs,
    parse_name,
    parse_rows,
)
from engine.store.executions.start import Retry, Start
from engine.store.formats import Format
from engine.store.redis.record_packing import pack, unpack
from engine.store.waits.records import kept_waits

GONE = "The version that it ran is not kept any more"
FOREIGN = "It ran a public workflow of another account"
REPLAYED = "It belongs to a replay: replay the former execution again"
NOT_RECORDED = "The outputs of its nodes were not recorded, or are not there any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedExecution:
    """Execution with its whole record, as the target of a retry."""

    store: Store
    media_service: MediaService
    account_id: str
    id: str
    record: Mapping[str, bytes]

    @classmethod
    async def read(
        cls, store: Store, media_service: MediaService, account_id: str, execution_id: str
    ) -> Self:
        """Return an execution. Raises ExecutionNotFound."""
        record = await store.executions.record_for_retry(account_id, execution_id)
        if not record:
            raise ExecutionNotFound
        return cls(
            store=store,
            media_service=media_service,
            account_id=account_id,
            id=execution_id,
            record=record,
        )

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

    @property
    def source(self) -> Source:
        """See `RunTarget.source`."""
        if self.is_draft:
            return Source.APP_DRAFT
        return Source.WORKFLOW if self.slug else Source.MODEL

    @property
    def browser_source(self) -> Source:
        """See `RunTarget.browser_source`."""
        return Source.APP_DRAFT if self.is_draft else Source.APP

    async def find(self, run: NewRun, *, fresh: bool) -> Runnable | AlreadyRetried:
        """See `RunTarget.find`. Raises ExecutionNotRetryable and RecordTooNew."""
        async with run.turn.yielded():  # values of the execution may be objects
            return await self._find()

    async def _find(self) -> Runnable | AlreadyRetried:
        status = self.record["status"].decode()
        if status != ExecutionStatus.FAILED:
            raise ExecutionNotRetryable(status)
        if "owner" in self.record:
            raise ExecutionNotRetryable(status, FOREIGN)
        if self.record.get("source") == Source.REPLAY.encode():
            raise ExecutionNotRetryable(status, REPLAYED)
        former_retry = self.record.get("retry", b"").decode()
        if former_retry and await self._goes_on(former_retry):
            return AlreadyRetried(former_retry)
        if not has_all_outputs(self.record):
            raise not_recorded()
        Format.EXECUTION.check(self.record)
        plan, workflow = await self._find_version()
        if not is_plan_of(plan, self.record):
            raise RecordTooNew(Format.EXECUTION.noun)
        preparation = RetryPreparation(self, plan, former_retry)
        return Runnable(
            plan=plan,
            workflow=workflow,
            is_named_version=workflow is not None,
            make_start=preparation.make_start,
            inputs=await self.read_inputs(),
        )

    async def _goes_on(self, retry_id: str) -> bool:
        """Return whether a retry is on record and was not cancelled."""
        try:
            status = await self.store.executions.status(self.account_id, retry_id)
        except ExecutionNotFound:
            return False
        return status is not ExecutionStatus.CANCELLED

    async def _find_version(self) -> tuple[Plan, Workflow | None]:
        account_id, slug, workflows = self.account_id, self.slug, self.store.workflows
        try:
            if self.is_draft:
                return await self._plan_of_draft(), None
            if not slug:
                return await workflows.plan_of_execution(account_id, "", 0, self.model_ids), None
            version = int(self.record["version"])
            workflow, plan = await workflows.own_plan(account_id, slug, version=version)
        except (NotFound, InvalidGraph):
            raise ExecutionNotRetryable("failed", GONE) from None
        if plan is None:
            raise ExecutionNotRetryable("failed", "A model that it needs is gone")
        return plan, workflow

    async def _plan_of_draft(self) -> Plan:
        graph = unpack(await self._packed("draft"))
        plan = await DraftGraph.of(graph).compile_aside()
        if plan.names != unpack_names(self.record["names"]):
            raise InvalidGraph([])  # a node that is not needed has lost its model
        return plan

    async def read_inputs(self) -> CheckedInputs:
        """Return its inputs. Raises ExecutionNotRetryable and StorageFailed."""
        packed = await self._packed("inputs")
        return CheckedInputs(values=unpack(packed), packed=packed)

    async def _packed(self, field: str) -> bytes:
        """Return a packed value of the record, which may be offloaded."""
        name = parse_name(self.record[field])
        return self.record[field] if name is None else await self.read_object(name)

    async def read_object(self, name: str) -> bytes:
        """Return an object of the execution. Raises ExecutionNotRetryable and StorageFailed."""
        try:
            return await self.store.offloaded.read(self.account_id, self.id, name)
        except FileNotFoundError:
            raise not_recorded() from None


class RetryPreparation:
    """Preparation of one retry: settles the nodes that are not run again."""

    def __init__(self, failed: FailedExecution, plan: Plan, former_retry: str) -> None:
        self._failed = failed
        self._record = failed.record
        self._plan = plan
        self._former_retry = former_retry

    async def make_start(self, run: NewRun, inputs: Mapping[str, Any]) -> Start:
        """Return the start of the new execution."""
        failed = self._failed
        use = AssetUse(failed.media_service, run.account_id, run.execution_id)
        seeds = SeedValues(failed.store, use, not_recorded())
        seeds.add_media(inputs)
        rows = self._settled_rows(seeds)
        statuses = seeded_statuses(
            self._plan, {index: status for index, (status, _) in rows.items()}
        )
        open_nodes = {i for i, each in enumerate(statuses) if each is NodeStatus.PENDING}
        fields = {
            "origin": self._record.get("origin", self._failed.id.encode()),
            **({"tags": self._record["tags"]} if "tags" in self._record else {}),
            **self._draft_fields(seeds),
            **self._job_fields(open_nodes),
            **await self._answer_fields(open_nodes, seeds),
            **kept_waits(self._record, sorted(open_nodes)),
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
        """Return status and row of each node that does not run again."""
        statuses = parse_node_statuses(self._record["statuses"].decode())
        inputs_name, recorded = parse_name(self._record["inputs"]), parse_rows(self._record)
        settled: dict[int, tuple[NodeStatus, NodeRow]] = {}
        for index, row in recorded.items():
            outputs = row.outputs
            is_completed = statuses[index] is NodeStatus.COMPLETED
            if is_completed and outputs is not None and outputs != inputs_name:
                entry = seeds.add_output(self._failed.id, outputs)
                settled[index] = NodeStatus.COMPLETED, NodeRow(index=index, outputs=entry)
            elif statuses[index] is NodeStatus.FAILED and self._was_used(index, statuses):
                failed = NodeRow(index=index, error=row.error)
                if outputs is not None:
                    failed.outputs = seeds.add_output(self._failed.id, outputs)
                settled[index] = NodeStatus.FAILED, failed
        return settled

    def _was_used(self, index: int, statuses: Sequence[NodeStatus]) -> bool:
        """Return whether a completed node went on without the output of this failed one."""
        dependents = self._plan.nodes[index].dependents
        return any(statuses[each] is NodeStatus.COMPLETED for each in dependents)

    def _draft_fields(self, seeds: SeedValues) -> dict[str, bytes]:
        names = ("draft", "names", "pinned", "values")
        is_draft = "draft" in self._record  # else the version says which values are recorded
        fields = {name: self._record[name] for name in names if is_draft and name in self._record}
        name = parse_name(fields.get("draft"))
        if name is not None:
            fields["draft"] = pack_name(seeds.add_copy(self._failed.id, name, is_value=False))
        return fields

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
            merged: list[ItemAnswerRow] = []
            for number in range(1, batches[index] + 1):
                merged += await self._read_batch(index, number)
            if merged:
                fields[f"k{index}.1"] = pack(seeds.add_value(pack_answers(merged)))
        if fields:
            fields["answer_batches"] = ",".join(f"{name[1:-2]}=1" for name in fields)
        return fields

    async def _read_batch(self, index: int, number: int) -> list[ItemAnswerRow]:
        """Return the rows of a batch; none for a lost one, whose calls are made again."""
        data = self._record.get(f"k{index}.{number}")
        batch = b"" if data is None else unpack(data)
        if isinstance(batch, str):
            try:
                batch = await self._failed.read_object(batch)
            except EngineError:
                return []
        return unpack_answers(batch) if batch else []


def not_recorded() -> ExecutionNotRetryable:
    """Return the refusal of an execution without the outputs of its nodes."""
    return ExecutionNotRetryable("failed", NOT_RECORDED)
