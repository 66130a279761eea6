"""Runs and executions in the store itself, without a gateway or for a named account."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO

from deploy.client.api import Answer
from deploy.client.callers import Page, read_pages
from deploy.client.event_stream import StreamEvent
from deploy.stack.location import Stack
from deploy.stack.store_access import open_store
from engine.access.capabilities import check_ceiling
from engine.executions.events import BEFORE_ALL, parse_event_id
from engine.executions.execution import ExecutionStatus
from engine.executions.sources import Source
from engine.services.media import MediaService
from engine.services.runs.acceptance import Acceptance
from engine.services.runs.node_values import read_node
from engine.services.runs.retries import FailedExecution
from engine.services.runs.targets import RunTarget, SavedWorkflow, find_workflow
from engine.settings import Settings, load
from engine.store import Accepted, AlreadyRetried, ExecutionFilter, NewRun, Principal, Store
from engine.store.media import AssetSource
from gateway.auth.principal import check_approved, check_capability
from gateway.http.responses import encode_json
from gateway.http.types import Payload
from gateway.runs.event_feed import EventData, EventFeed
from gateway.runs.node_names import node_names
from gateway.runs.retry_access import check_retry
from gateway.runs.types import AcceptedView, ExecutionRow, ExecutionView
from gateway.runs.values import NodeValuesView

RUN = "workflow:run"
UNTYPED = "application/octet-stream"
PIECE_BYTES = 65_536
POLL_SECONDS = 0.1
"""Interval between reads of events."""


class StoreCaller:
    """Accepts executions for an account, with the checks of the API."""

    def __init__(self, store: Store, settings: Settings, principal: Principal) -> None:
        self._store = store
        self._media_service = MediaService.of(settings, store)
        self._allow_http = settings.allow_private_urls
        self._principal = principal
        self._account = principal.account

    async def field_types(self, slug: str) -> dict[str, str] | None:
        """Return the type of each field of the workflow."""
        found = await find_workflow(self._store, self._account.id, slug, fresh=True)
        return {field.name: field.type for field in found.plan.fields}

    async def upload(self, file: Path) -> str:
        """Store a file as an asset of the account; return its id."""
        check_approved(self._principal)
        with file.open("rb") as stream:
            asset = await self._media_service.keep(
                self._account.id, UNTYPED, _pieces(stream), source=AssetSource.UPLOAD
            )
        return asset.id

    async def start(self, slug: str, inputs: Mapping[str, Any]) -> Answer:
        """Accept one execution."""
        execution_id, warnings = await self._accept(slug, inputs)
        return _as_sent(AcceptedView.for_execution(execution_id, warnings=warnings))

    async def watch(
        self, slug: str, inputs: Mapping[str, Any]
    ) -> AsyncGenerator[StreamEvent, None]:
        """Accept one execution and yield its events."""
        execution_id, _ = await self._accept(slug, inputs, watcher="")
        async for stream_event in self.events(execution_id, ""):
            yield stream_event

    async def _accept(
        self, slug: str, inputs: Mapping[str, Any], watcher: str | None = None
    ) -> tuple[str, tuple[str, ...]]:
        check_capability(self._principal, RUN, slug)
        return await self._begin(SavedWorkflow(self._store, slug), inputs, watcher)

    async def _begin(
        self, target: RunTarget, inputs: Mapping[str, Any], watcher: str | None = None
    ) -> tuple[str, tuple[str, ...]]:
        """Accept a run; return the execution, and warnings for the caller."""
        check_approved(self._principal)
        run = NewRun(
            account_id=self._account.id,
            terms=self._principal.terms,
            source=Source.WORKFLOW,
            key_id=self._principal.key_id,
            watcher=watcher,
        )
        acceptance = Acceptance(
            store=self._store, media_service=self._media_service, allow_http=self._allow_http
        )
        match await acceptance.accept(run, target, inputs):
            case Accepted() as accepted:
                return accepted.id, accepted.warnings
            case AlreadyRetried() as retried:
                return retried.execution_id, ()
            case verdict:
                raise RuntimeError(f"an authorized run without a key got {verdict}")

    async def execution(self, execution_id: str) -> Answer:
        """Return an execution and its nodes."""
        executions, account_id = self._store.executions, self._account.id
        execution = await executions.get(account_id, execution_id)
        details = await executions.details(account_id, execution_id)
        names = await node_names(self._store, self._account.id, execution.id, execution)
        links = self._media_service.linked_assets(execution.result)
        return _as_sent(ExecutionView.with_nodes(execution, details, names, links))

    async def node(self, execution_id: str, node_id: str) -> Answer:
        """Return the values and attempts of a node of an execution."""
        found = await read_node(self._store, self._account.id, execution_id, node_id)
        return _as_sent(NodeValuesView.of_node(found, execution_id, node_id, self._media_service))

    async def executions(self, *, status: str | None, slug: str | None, limit: int) -> list[Answer]:
        """Return the newest executions, read page by page."""
        statuses = () if status is None else (ExecutionStatus(status),)
        wanted = ExecutionFilter(statuses=statuses, workflow_slug=slug)

        async def read(count: int, cursor: str | None) -> Page:
            page, following = await self._store.executions.list(
                self._account.id,
                wanted,
                limit=count,
                cursor=cursor,
            )
            return [_as_sent(ExecutionRow.of(execution)) for execution in page], following

        return await read_pages(read, limit)

    async def cancel(self, execution_id: str) -> Answer:
        """Request the cancellation of an execution."""
        await self._store.executions.cancel(self._account.id, execution_id)
        return {"executionId": execution_id, "status": "cancel_requested"}

    async def retry(self, execution_id: str) -> Answer:
        """Accept a retry of a failed execution."""
        failed = await FailedExecution.read(
            self._store, self._media_service, self._account.id, execution_id
        )
        check_retry(self._principal, failed)
        started, _ = await self._begin(failed, {})
        return _as_sent(AcceptedView.for_execution(started))

    async def events(self, execution_id: str, after: str) -> AsyncGenerator[StreamEvent, None]:
        """Yield events until the execution has ended."""
        last = parse_event_id(after) if after else BEFORE_ALL
        feed, is_over = EventFeed(self._store, self._account.id, execution_id, last), False
        while not is_over:
            page = await feed.read()
            async for event_id, name, data in feed.translate(page):
                yield StreamEvent(id=str(event_id), name=name, data=_as_sent(data))
            is_over = page.is_all
            await asyncio.sleep(0 if page.entries else POLL_SECONDS)


def _as_sent(answer: EventData | Payload) -> Answer:
    """Return the answer as HTTP would give it, all values in JSON types."""
    sent: Answer = json.loads(encode_json(answer))
    return sent


async def _pieces(stream: BinaryIO) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(stream.read, PIECE_BYTES):
        yield piece


@asynccontextmanager
async def open_store_caller(
    stack: Stack, *, key: str | None, account_id: str | None
) -> AsyncIterator[StoreCaller]:
    """Yield a caller for the owner of a key, or for an account, which needs no key."""
    async with open_store(stack.redis_url, stack.settings) as store:
        if key is not None:
            principal = await store.api_keys.authorize(key)
            check_ceiling((), principal.terms.tier, principal.terms.ceiling)
        else:
            account = await store.accounts.get(account_id or "")
            terms = store.tiers.terms(account.tier, account.role)
            principal = Principal(account=account, terms=terms)
        yield StoreCaller(store, load({**stack.settings, **os.environ}), principal)
