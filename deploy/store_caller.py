"""Runs and executions in the store itself, where no gateway answers or an account is named."""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO

from deploy.client.api import Answer
from deploy.event_stream import Happening
from deploy.stack import Stack
from deploy.store_access import open_store
from engine.capabilities import covers
from engine.errors import (
    AccountNotApproved,
    CapabilityDenied,
    WorkflowNotFound,
    WorkflowNotRunnable,
)
from engine.events import BEFORE_ALL, parse_event_id
from engine.executions import ExecutionStatus
from engine.fields import unknown_inputs
from engine.graph import Plan
from engine.library import Library
from engine.settings import Settings, load
from engine.store import Account, StaleWorkflow, Store, Workflow
from engine.store.assets import Source
from gateway.events import Narrator
from gateway.naming import node_names
from gateway.run_inputs import AssetUse, check_run_inputs
from gateway.wire import (
    accepted_shape,
    assets_member,
    encode_json,
    execution_shape,
    execution_with_nodes_shape,
)

SOURCE = "api-workflow"
RUN = "workflow:run"
UNTYPED = "application/octet-stream"
PIECE_BYTES = 65_536
MAX_PAGE = 500
LOOK_SECONDS = 0.1
"""Between looks for events."""


class StoreCaller:
    """Accepts executions for an account, with the checks that the API makes."""

    def __init__(self, store: Store, settings: Settings, account: Account, key_id: str) -> None:
        self._store = store
        self._library = Library.of(settings, store)
        self._allow_http = settings.allow_private_urls
        self._account = account
        self._key_id = key_id

    async def field_types(self, slug: str) -> dict[str, str] | None:
        """The type of each field of the workflow."""
        _, plan = await self._plan(slug)
        return {field.name: field.type for field in plan.fields}

    async def upload(self, file: Path) -> str:
        """Store a file as an asset of the account."""
        self._demand_approval()
        with file.open("rb") as stream:
            asset = await self._library.keep(
                self._account.id, UNTYPED, _pieces(stream), source=Source.UPLOAD
            )
        return asset.id

    async def start(self, slug: str, inputs: Mapping[str, Any]) -> Answer:
        """Accept one execution."""
        execution_id, warnings = await self._accept(slug, inputs)
        return accepted_shape(execution_id, warnings=warnings)

    async def watch(self, slug: str, inputs: Mapping[str, Any]) -> AsyncGenerator[Happening, None]:
        """Accept one execution, and look after it."""
        execution_id, _ = await self._accept(slug, inputs, watcher="")
        async for happening in self.events(execution_id, ""):
            yield happening

    async def _accept(
        self, slug: str, inputs: Mapping[str, Any], watcher: str | None = None
    ) -> tuple[str, tuple[str, ...]]:
        self._demand_approval()
        execution_id = str(uuid.uuid4())
        use = AssetUse(self._library, self._account.id, execution_id)
        while True:
            workflow, plan = await self._plan(slug)
            checked = await check_run_inputs(plan, inputs, use, allow_http=self._allow_http)
            warnings = unknown_inputs(plan.fields, inputs)
            try:
                await self._store.executions.accept(
                    account_id=self._account.id,
                    workflow=workflow,
                    plan=plan,
                    inputs=checked,
                    source=SOURCE,
                    key_id=self._key_id,
                    execution_id=execution_id,
                    terms=self._store.tiers.terms(self._account.tier, self._account.role),
                    watcher=watcher,
                    warnings=warnings,
                )
            except StaleWorkflow:
                continue
            return execution_id, warnings

    async def execution(self, execution_id: str) -> Answer:
        """An execution and its nodes."""
        execution = await self._store.executions.get(self._account.id, execution_id)
        names = await node_names(self._store, self._account.id, execution)
        assets = assets_member(self._library.linked_assets(execution.result))
        return _as_sent(execution_with_nodes_shape(execution, names) | assets)

    async def executions(self, *, status: str | None, slug: str | None, limit: int) -> list[Answer]:
        """A page after the other."""
        rows: list[Answer] = []
        cursor: str | None = ""
        while cursor is not None and len(rows) < limit:
            page, cursor = await self._store.executions.list(
                self._account.id,
                status=None if status is None else ExecutionStatus(status),
                workflow_slug=slug,
                limit=min(limit - len(rows), MAX_PAGE),
                cursor=cursor or None,
            )
            rows += [_as_sent(execution_shape(execution)) for execution in page]
        return rows

    async def cancel(self, execution_id: str) -> Answer:
        """Ask for an execution to stop."""
        await self._store.executions.cancel(self._account.id, execution_id)
        return {"executionId": execution_id, "status": "cancel_requested"}

    async def events(self, execution_id: str, after: str) -> AsyncGenerator[Happening, None]:
        """Read until there is no more."""
        seen = parse_event_id(after) if after else BEFORE_ALL
        narrator, is_over = Narrator(self._store, self._account.id, execution_id, seen), False
        while not is_over:
            reading = await narrator.read()
            async for event_id, name, data in narrator.tell(reading):
                yield Happening(id=str(event_id), name=name, data=_as_sent(data))
            is_over = reading.is_all
            await asyncio.sleep(0 if reading.entries else LOOK_SECONDS)

    def _demand_approval(self) -> None:
        if not self._account.approved:
            raise AccountNotApproved

    async def _plan(self, slug: str) -> tuple[Workflow, Plan]:
        workflow, plan = await self._store.workflows.plan(slug, fresh=True)
        if workflow.account_id != self._account.id:
            raise WorkflowNotFound
        if plan is None:
            raise WorkflowNotRunnable(workflow.problems)
        return workflow, plan


def _as_sent(shape: Answer) -> Answer:
    """The answer as HTTP gives it: what is no JSON by itself is by then."""
    sent: Answer = json.loads(encode_json(shape))
    return sent


async def _pieces(stream: BinaryIO) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(stream.read, PIECE_BYTES):
        yield piece


@asynccontextmanager
async def open_store_caller(
    stack: Stack, *, key: str | None, account_id: str | None, slug: str
) -> AsyncIterator[StoreCaller]:
    """A caller for the account that was named, or for the one whose key may run the workflow."""
    if key is None:
        async with open_account_caller(stack, account_id or "") as caller:
            yield caller
        return
    async with open_store(stack.redis_url, stack.settings) as store:
        principal = await store.api_keys.authorize(key)
        held = principal.key.capabilities if principal.key else ()
        if not covers(held, RUN, slug):
            raise CapabilityDenied(RUN)
        yield StoreCaller(store, _settings(stack), principal.account, principal.key_id)


@asynccontextmanager
async def open_account_caller(stack: Stack, account_id: str) -> AsyncIterator[StoreCaller]:
    """A caller for an account."""
    async with open_store(stack.redis_url, stack.settings) as store:
        account = await store.accounts.get(account_id)
        yield StoreCaller(store, _settings(stack), account, "")


def _settings(stack: Stack) -> Settings:
    return load({**stack.settings, **os.environ})
