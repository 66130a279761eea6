"""Running a workflow through the store itself, where no gateway answers or an account is named."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from deploy.callers import Answer
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
from engine.fields import check_inputs, unknown_inputs
from engine.graph import Plan
from engine.store import Account, StaleWorkflow, Store, Workflow
from gateway.events import Narrator
from gateway.naming import node_names
from gateway.wire import accepted_shape, encode_json, execution_with_nodes_shape

SOURCE = "api-workflow"
RUN = "workflow:run"
LOOK_SECONDS = 0.1
"""Between looks for events."""


class StoreCaller:
    """Accepts executions for an account, with the checks that the API makes."""

    def __init__(self, store: Store, account: Account, key_id: str) -> None:
        self._store = store
        self._account = account
        self._key_id = key_id

    async def field_types(self, slug: str) -> dict[str, str]:
        """The type of each field of the workflow."""
        _, plan = await self._plan(slug)
        return {field.name: field.type for field in plan.fields}

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
        if not self._account.approved:
            raise AccountNotApproved
        while True:
            workflow, plan = await self._plan(slug)
            checked = check_inputs(
                plan.fields,
                inputs,
                strict=plan.strict_inputs,
                allow_nul=not plan.has_expressions,
            )
            warnings = unknown_inputs(plan.fields, inputs)
            try:
                accepted = await self._store.executions.accept(
                    account_id=self._account.id,
                    workflow=workflow,
                    plan=plan,
                    inputs=checked,
                    source=SOURCE,
                    key_id=self._key_id,
                    terms=self._store.tiers.terms(self._account.tier, self._account.role),
                    watcher=watcher,
                    warnings=warnings,
                )
            except StaleWorkflow:
                continue
            return accepted.id, warnings

    async def execution(self, execution_id: str) -> Answer:
        """An execution and its nodes."""
        execution = await self._store.executions.get(self._account.id, execution_id)
        names = await node_names(self._store, self._account.id, execution)
        return execution_with_nodes_shape(execution, names)

    async def events(self, execution_id: str, after: str) -> AsyncGenerator[Happening, None]:
        """Read until there is no more."""
        seen = parse_event_id(after) if after else BEFORE_ALL
        narrator, is_over = Narrator(self._store, self._account.id, execution_id, seen), False
        while not is_over:
            reading = await narrator.read()
            async for event_id, name, data in narrator.tell(reading):
                # As over HTTP: what is no JSON by itself is by now.
                shown = json.loads(encode_json(data))
                yield Happening(id=str(event_id), name=name, data=shown)
            is_over = reading.is_all
            await asyncio.sleep(0 if reading.entries else LOOK_SECONDS)

    async def _plan(self, slug: str) -> tuple[Workflow, Plan]:
        workflow, plan = await self._store.workflows.plan(slug, fresh=True)
        if workflow.account_id != self._account.id:
            raise WorkflowNotFound
        if plan is None:
            raise WorkflowNotRunnable(workflow.problems)
        return workflow, plan


@asynccontextmanager
async def open_store_caller(
    stack: Stack, *, key: str | None, account_id: str | None, slug: str
) -> AsyncIterator[StoreCaller]:
    """A caller for the account that was named, or for the one that holds the key."""
    async with open_store(stack.redis_url, stack.settings) as store:
        if key is None:
            account = await store.accounts.get(account_id or "")
            yield StoreCaller(store, account, "")
            return
        principal = await store.api_keys.authorize(key)
        held = principal.key.capabilities if principal.key else ()
        if not covers(held, RUN, slug):
            raise CapabilityDenied(RUN)
        yield StoreCaller(store, principal.account, principal.key_id)
