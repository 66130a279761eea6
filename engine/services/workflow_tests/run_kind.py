"""Test runs as lists: how tests and judges begin."""

from msgspec import Struct

from engine.errors import InvalidBody, StorageFailed, Unavailable
from engine.executions.batches import ItemStatus
from engine.executions.execution import Execution
from engine.executions.sources import Source
from engine.graph.document import RecordValues
from engine.ids.executions import item_execution_id
from engine.services.expressions import Expressions
from engine.services.media import MediaService
from engine.services.runs.listed_runs import ItemNotReady, ListedRun
from engine.services.workflow_tests import listed_tests as listed
from engine.services.workflow_tests.expectations import evaluate_inputs
from engine.services.workflow_tests.finish import finish_test_run
from engine.services.workflow_tests.listed_tests import ListedOrder, ListedTest, read_test
from engine.services.workflow_tests.outcomes import names_nodes, read_outcome
from engine.services.workflow_tests.targets import GraphUnderTest, Judging
from engine.store import Batch, NewItem, Store
from engine.store.batches.feeding import FedBatch
from engine.store.workflows.workflow_test_records import WorkflowTest

GONE = "The test is not there any more"


class WorkflowTestKind(Struct, frozen=True):
    """Kind of the lists that run tests of a workflow."""

    store: Store
    media_service: MediaService
    expressions: Expressions
    allow_http: bool
    source: Source = Source.TEST

    async def prepare(
        self, account_id: str, batch: FedBatch, index: int, item: NewItem
    ) -> ListedRun:
        """See `ListKind.prepare`. A judge begins once its test has completed."""
        if "test" in item.inputs:
            return await self._prepare_test(account_id, batch, ListedTest.of(item).test)
        names = (listed.NAMES, listed.JUDGED)
        order = ListedOrder.of(await self.store.lists.facts(account_id, batch.id, *names))
        tested = order.tested_by(index)
        if tested is None:
            raise InvalidBody(GONE)
        return await self._prepare_judge(account_id, batch, tested)

    async def _prepare_test(
        self, account_id: str, batch: FedBatch, test: WorkflowTest
    ) -> ListedRun:
        draft, record_values = None, RecordValues.ALL
        if not batch.version:
            try:
                draft = await self.store.lists.value(account_id, batch.id, listed.DRAFT)
            except (FileNotFoundError, StorageFailed):
                raise Unavailable from None
            facts = await self.store.lists.facts(account_id, batch.id, listed.RECORD_VALUES)
            text = facts.get(listed.RECORD_VALUES, b"").decode()
            record_values = RecordValues(text) if text else RecordValues.ALL
        target = GraphUnderTest(
            store=self.store,
            media_service=self.media_service,
            slug=batch.slug,
            version=batch.version,
            draft=draft,
            record_values=record_values,
            pinned=test.pinned,
            allow_http=self.allow_http,
        )
        return ListedRun(target, test.inputs)

    async def _prepare_judge(self, account_id: str, batch: FedBatch, tested: int) -> ListedRun:
        states = await self.store.batches.item_states(account_id, batch.id)
        if states[tested] in (ItemStatus.QUEUED.code, ItemStatus.PROCESSING.code):
            raise ItemNotReady
        if states[tested] != ItemStatus.COMPLETED.code:
            raise InvalidBody("The test did not complete, so there is nothing to judge")
        try:
            test = (await read_test(self.store, account_id, batch.id, tested)).test
        except FileNotFoundError:
            raise InvalidBody(GONE) from None
        if test.judge is None:
            raise InvalidBody(GONE)
        execution = await self._execution(account_id, batch.id, tested)
        texts = test.judge.inputs
        values = await read_outcome(self.store, execution, with_nodes=names_nodes(texts.values()))
        found = await evaluate_inputs(self.expressions, account_id, texts, values)
        if found.problems:
            problem = found.problems[0]
            place = f"judge.inputs.{problem.name}" if problem.name else "judge.inputs"
            raise InvalidBody(f"'{place}': {problem.reason}", field=place)
        return ListedRun(Judging(self.store, test.judge.workflow), found.results)

    async def _execution(self, account_id: str, list_id: str, index: int) -> Execution:
        return await self.store.executions.get(account_id, item_execution_id(list_id, index))

    async def settle(self, batch: Batch) -> None:
        """See `ListKind.settle`."""
        if not await finish_test_run(self.store, self.expressions, batch):
            raise ItemNotReady
