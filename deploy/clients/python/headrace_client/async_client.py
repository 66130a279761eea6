"""The asynchronous client; made of `client.py`."""

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, Unpack

import httpx

from headrace_client.core import approvals, assets, batches, executions, runs, triggers
from headrace_client.core.session import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT_SECONDS, Session
from headrace_client.drivers.awaiting import AwaitingDriver
from headrace_client.drivers.transport import LIMITS, Server
from headrace_client.models import (
    Approval,
    ApprovalAnswer,
    Asset,
    Batch,
    BatchItem,
    EventTest,
    Execution,
    Occurrence,
    RunEvent,
    StartedBatch,
    StartedOccurrence,
    StartedRun,
    Trigger,
)
from headrace_client.options import (
    BatchInput,
    BatchOptions,
    ExecutionFilters,
    File,
    HookOptions,
    RetryOptions,
    ScheduleOptions,
    StartOptions,
    TriggerChanges,
    Verify,
    WaitOptions,
)
from headrace_client.results import RunResult
from headrace_client.webhooks import verify_webhook


class AsyncExecutions:
    """Runs that were accepted."""

    def __init__(self, driver: AwaitingDriver, session: Session) -> None:
        self._driver = driver
        self._session = session

    async def get(self, execution_id: str) -> Execution:
        """Return an execution with its nodes. Raises NotFoundError."""
        return await self._driver.call(executions.get_execution(self._session, execution_id))

    def list(self, **filters: Unpack[ExecutionFilters]) -> AsyncIterator[Execution]:
        """Iterate over executions, newest first, fetching page after page."""
        return self._driver.iterate(executions.list_executions(self._session, filters))

    def stream(
        self, execution_id: str, *, last_event_id: str = "", **options: Unpack[WaitOptions]
    ) -> AsyncIterator[RunEvent]:
        """Iterate over the events of an execution, after the last one that was seen."""
        return self._driver.iterate(runs.watch(self._session, execution_id, last_event_id, options))

    async def cancel(self, execution_id: str) -> None:
        """Ask for an execution to stop. Raises ConflictError when it has ended."""
        await self._driver.call(executions.cancel_execution(self._session, execution_id))

    async def retry(self, execution_id: str, **options: Unpack[RetryOptions]) -> StartedRun:
        """Run a failed execution again from the nodes that failed."""
        return await self._driver.call(
            executions.retry_execution(self._session, execution_id, options)
        )


class AsyncBatches:
    """Many runs of one workflow with one handle."""

    def __init__(self, driver: AwaitingDriver, session: Session) -> None:
        self._driver = driver
        self._session = session

    async def start(
        self,
        slug: str,
        items: Iterable[BatchInput | Mapping[str, Any]],
        **options: Unpack[BatchOptions],
    ) -> StartedBatch:
        """Begin a run for each item, `{"inputs": {…}, "tags": […]}`, 1,000 at most."""
        return await self._driver.call(batches.start_batch(self._session, slug, items, options))

    async def get(self, batch_id: str) -> Batch:
        """Return a batch with the counts of its items. Raises NotFoundError."""
        return await self._driver.call(batches.get_batch(self._session, batch_id))

    async def wait(self, batch_id: str, **options: Unpack[WaitOptions]) -> Batch:
        """Wait until nothing of the batch is queued or runs. Raises WaitTimeoutError."""
        return await self._driver.call(batches.wait_for_batch(self._session, batch_id, options))

    def items(
        self, batch_id: str, *, status: str | None = None, limit: int | None = None
    ) -> AsyncIterator[BatchItem]:
        """Iterate over items by index, those with a status if one is given."""
        return self._driver.iterate(batches.list_items(self._session, batch_id, status, limit))

    def list(self, *, limit: int | None = None) -> AsyncIterator[Batch]:
        """Iterate over batches, newest first; `limit` is the rows of a page."""
        return self._driver.iterate(batches.list_batches(self._session, limit))

    async def cancel(self, batch_id: str) -> None:
        """Begin no further item, and cancel those that run."""
        await self._driver.call(batches.cancel_batch(self._session, batch_id))

    async def retry(self, batch_id: str) -> StartedBatch:
        """Begin a batch of the failed items. Raises ConflictError where there is none."""
        return await self._driver.call(batches.retry_batch(self._session, batch_id))


class AsyncTriggers:
    """Schedules and inbound webhooks that start runs."""

    def __init__(self, driver: AwaitingDriver, session: Session) -> None:
        self._driver = driver
        self._session = session

    async def create_schedule(
        self, slug: str, *, name: str, cron: str, **options: Unpack[ScheduleOptions]
    ) -> Trigger:
        """Make a schedule that runs a workflow. Raises InvalidRequestError with the `field`."""
        return await self._driver.call(
            triggers.create_schedule(self._session, slug, name, cron, options)
        )

    async def create_webhook(
        self, slug: str, *, name: str, verify: Verify, **options: Unpack[HookOptions]
    ) -> Trigger:
        """Make an inbound webhook: requests to its `url` run a workflow."""
        return await self._driver.call(
            triggers.create_hook(self._session, slug, name, verify, options)
        )

    async def get(self, trigger_id: str) -> Trigger:
        """Return a trigger with its last occurrence. Raises NotFoundError."""
        return await self._driver.call(triggers.get_trigger(self._session, trigger_id))

    def list(
        self,
        *,
        kind: str | None = None,
        workflow_slug: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Trigger]:
        """Iterate over triggers, newest first; `limit` is the rows of a page."""
        return self._driver.iterate(
            triggers.list_triggers(self._session, kind, workflow_slug, limit)
        )

    async def update(self, trigger_id: str, **changes: Unpack[TriggerChanges]) -> Trigger:
        """Change a trigger, pause it by `enabled`; members that are left out stay."""
        return await self._driver.call(triggers.change_trigger(self._session, trigger_id, changes))

    async def delete(self, trigger_id: str) -> None:
        """Delete a trigger; its executions stay."""
        await self._driver.call(triggers.delete_trigger(self._session, trigger_id))

    async def run(self, trigger_id: str) -> StartedOccurrence:
        """Start a run of a schedule now, beside its due times."""
        return await self._driver.call(triggers.run_trigger(self._session, trigger_id))

    async def rotate(self, trigger_id: str) -> Trigger:
        """Give an inbound webhook another URL; the former one is unknown at once."""
        return await self._driver.call(triggers.rotate_trigger(self._session, trigger_id))

    async def test(
        self, trigger_id: str, body: Any, *, headers: Mapping[str, str] | None = None
    ) -> EventTest:
        """Return the run that an event would start; none is started."""
        return await self._driver.call(triggers.try_event(self._session, trigger_id, body, headers))

    def occurrences(
        self, trigger_id: str, *, status: str | None = None, limit: int | None = None
    ) -> AsyncIterator[Occurrence]:
        """Iterate over the occurrences of a trigger, newest first, with their outcomes."""
        return self._driver.iterate(
            triggers.list_occurrences(self._session, trigger_id, status, limit)
        )

    async def occurrence(self, trigger_id: str, occurrence_id: str) -> Occurrence:
        """Return an occurrence, with the event that caused it while that is kept."""
        return await self._driver.call(
            triggers.get_occurrence(self._session, trigger_id, occurrence_id)
        )

    async def preview(
        self, cron: str, *, timezone: str = "UTC", count: int = 5
    ) -> tuple[datetime, ...]:
        """Return the next due times of a cron expression."""
        return await self._driver.call(triggers.preview(self._session, cron, timezone, count))


class AsyncApprovals:
    """Questions of runs that wait for the answer of a person."""

    def __init__(self, driver: AwaitingDriver, session: Session) -> None:
        self._driver = driver
        self._session = session

    def list(self, *, limit: int | None = None) -> AsyncIterator[Approval]:
        """Iterate over approvals that wait, newest first; `limit` is the rows of a page."""
        return self._driver.iterate(approvals.list_approvals(self._session, limit))

    async def approve(
        self,
        execution_id: str,
        node_id: str,
        fields: Mapping[str, Any] | None = None,
        *,
        note: str | None = None,
    ) -> ApprovalAnswer:
        """Let a run go on. Raises ConflictError with the `decision` of an earlier answer."""
        return await self._driver.call(
            approvals.answer_approval(self._session, execution_id, node_id, "approve", fields, note)
        )

    async def refuse(
        self,
        execution_id: str,
        node_id: str,
        fields: Mapping[str, Any] | None = None,
        *,
        note: str | None = None,
    ) -> ApprovalAnswer:
        """Send a run its other way. Raises ConflictError as `approve`."""
        return await self._driver.call(
            approvals.answer_approval(self._session, execution_id, node_id, "refuse", fields, note)
        )


class AsyncAssets:
    """Pictures, videos, sounds and documents."""

    def __init__(self, driver: AwaitingDriver, session: Session) -> None:
        self._driver = driver
        self._session = session

    async def upload(
        self, file: File, *, name: str | None = None, content_type: str | None = None
    ) -> Asset:
        """Store a path, bytes or an open binary file; inputs take the `id` of the asset.

        The type follows from the name: bytes of a text, such as CSV, need a `name` or a
        `content_type`.
        """
        return await self._driver.call(assets.upload_asset(self._session, file, name, content_type))

    async def get(
        self, asset_id: str, *, width: int | None = None, page: int | None = None
    ) -> Asset:
        """Return an asset with a fresh link, to a smaller picture of it if `width` is given.

        The picture of a PDF is that of its `page`, the first one by default.
        """
        return await self._driver.call(assets.get_asset(self._session, asset_id, width, page))

    def list(self, *, limit: int | None = None) -> AsyncIterator[Asset]:
        """Iterate over assets, newest first; `limit` is the rows of a page."""
        return self._driver.iterate(assets.list_assets(self._session, limit))

    async def delete(self, asset_id: str) -> None:
        """Delete an asset, whatever needs it."""
        await self._driver.call(assets.delete_asset(self._session, asset_id))


class AsyncHeadrace:
    """Client of one installation; for one event loop.

    `timeout` is the time in seconds that a call may take with its wait, pauses and retries,
    `max_retries` the retries of a call after broken connections and 5xx. A 429 is waited for.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float | None = DEFAULT_TIMEOUT_SECONDS,
        max_retries: int = DEFAULT_MAX_RETRIES,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        server = Server.find(api_key, base_url)
        self._session = Session(timeout, max_retries)
        self._driver = AwaitingDriver(http_client or httpx.AsyncClient(limits=LIMITS), server)
        self.executions = AsyncExecutions(self._driver, self._session)
        self.batch = AsyncBatches(self._driver, self._session)
        self.triggers = AsyncTriggers(self._driver, self._session)
        self.approvals = AsyncApprovals(self._driver, self._session)
        self.assets = AsyncAssets(self._driver, self._session)

    async def run(
        self,
        slug: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        **options: Unpack[StartOptions],
    ) -> RunResult:
        """Run a workflow, or a `model`, and wait for its result.

        Raises ExecutionFailedError when a node failed, WaitTimeoutError with the `execution_id`
        of a run that goes on after the timeout, and other ApiErrors of what was refused.
        """
        return await self._driver.call(runs.run(self._session, slug, inputs, options))

    async def start(
        self,
        slug: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        **options: Unpack[StartOptions],
    ) -> StartedRun:
        """Begin a run of a workflow or a `model`, and return at once with its id."""
        return await self._driver.call(runs.start(self._session, slug, inputs, options))

    async def wait(self, execution_id: str, **options: Unpack[WaitOptions]) -> Execution:
        """Wait until an execution has ended, and return it whatever its status.

        Raises WaitTimeoutError.
        """
        return await self._driver.call(executions.wait_for(self._session, execution_id, options))

    def stream(
        self,
        slug: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        **options: Unpack[StartOptions],
    ) -> AsyncIterator[RunEvent]:
        """Run a workflow, or a `model`, and iterate over its events; the last one has the result.

        A broken connection is taken up again after the last event. To stop iterating does not
        stop the run.
        """
        return self._driver.iterate(runs.stream(self._session, slug, inputs, options))

    verify_webhook = staticmethod(verify_webhook)

    async def close(self) -> None:
        """Close all connections."""
        await self._driver.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
