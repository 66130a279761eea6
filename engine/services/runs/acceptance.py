"""Acceptance of a run: checks its inputs, refers to its media, stores it and sends its hint."""

from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Any, Protocol

from msgspec import Struct

from engine.access.tiers import TierTerms
from engine.errors import InvalidInputs, Unavailable, WorkflowNotFound, WorkflowNotRunnable
from engine.graph.plan import Plan
from engine.ids.idempotency import IdempotencyKey
from engine.services.media import MediaService
from engine.services.runs.run_inputs import AssetUse, Compute, check_run_inputs
from engine.store import SpeculativeAuthorization, StaleWorkflow, Store, Workflow
from engine.store.executions.inputs import NO_TURN, Turn, pack_inputs
from engine.store.executions.start import Start
from engine.values.fields import unknown_inputs

MAX_STALE = 5
"""Attempts at a workflow that is being saved concurrently."""


class Runnable(Struct, frozen=True, kw_only=True):
    """Version of the workflow, or model, to run."""

    plan: Plan
    workflow: Workflow | None = None
    """None: the run is of a draft or of one model."""
    is_named_version: bool = False
    """Whether the caller named the version, which need not be the live one."""
    prepare: "Prepare | None" = None
    """Returns the start of the execution; None: all its nodes wait."""
    inputs: "AcceptedInputs | None" = None
    """Inputs of an execution that is retried; None: those of the caller."""

    @property
    def is_model(self) -> bool:
        """Whether the run is of one model."""
        return self.workflow is None and self.prepare is None


class AcceptedInputs(Struct, frozen=True, kw_only=True):
    """Inputs that were accepted before, with their packed form."""

    values: Mapping[str, Any]
    packed: bytes


class Prepare(Protocol):
    """Returns the start of an execution, given its checked inputs."""

    def __call__(self, new: "NewRun", inputs: Mapping[str, Any], /) -> Awaitable[Start]:
        """Raise EngineError if it cannot begin so."""
        ...


class Find(Protocol):
    """Finds the workflow or model to run; `fresh` bypasses the caches of this process."""

    def __call__(self, *, fresh: bool) -> Awaitable[Runnable]:
        """Raise EngineError if it does not exist for the caller or cannot run."""
        ...


class NewRun(Struct, frozen=True, kw_only=True):
    """A requested run: account, inputs and notifications.

    The members after `inputs` are the parameters of `Executions.accept` with these names.
    """

    account_id: str
    execution_id: str
    inputs: Mapping[str, Any]
    terms: TierTerms
    source: str
    key_id: str
    notifier: str = ""
    watcher: str | None = None
    max_credits: int | None = None
    idempotency_key: IdempotencyKey | None = None
    answer: str = ""
    webhook_url: str | None = None
    authorization: SpeculativeAuthorization | None = None
    depth: int = 1
    request_id: str = ""
    turn: Turn = NO_TURN


class Acceptance(Struct, frozen=True, kw_only=True):
    """Accepts runs for the API and the command line."""

    store: Store
    media_service: MediaService
    allow_http: bool
    """Media inputs may have plain `http` URLs."""

    async def accept(self, run: NewRun, find: Find, compute: Compute) -> tuple[str, ...]:
        """Accept the run and return the warnings for its caller.

        Raises the errors of `find`, `check_run_inputs` and `Executions.accept`, except
        StaleWorkflow.
        """
        for attempt in range(MAX_STALE):
            try:
                return await self._accept(run, await find(fresh=attempt > 0), compute)
            except StaleWorkflow:
                continue
            except (InvalidInputs, WorkflowNotRunnable):
                if attempt:
                    raise
                # Another process may have saved the workflow since this one read it.
        raise Unavailable("The workflow is being saved faster than it can be run")

    async def _accept(self, run: NewRun, found: Runnable, compute: Compute) -> tuple[str, ...]:
        warnings = unknown_inputs(found.plan.fields, run.inputs)
        accepted = found.inputs or await self._check_inputs(run, found, compute)
        start = None
        if found.prepare is not None:  # it may read objects
            async with run.turn.yielded():
                start = await found.prepare(run, accepted.values)
        await self.store.executions.accept(
            account_id=run.account_id,
            workflow=found.workflow,
            is_named_version=found.is_named_version,
            plan=found.plan,
            inputs=accepted.values,
            packed_inputs=accepted.packed,
            source=run.source,
            key_id=run.key_id,
            notifier=run.notifier,
            watcher=run.watcher,
            execution_id=run.execution_id,
            terms=run.terms,
            max_credits=run.max_credits,
            idempotency_key=run.idempotency_key,
            answer=run.answer,
            webhook_url=run.webhook_url,
            authorization=run.authorization,
            depth=run.depth,
            request_id=run.request_id,
            warnings=warnings,
            start=start,
            turn=run.turn,
        )
        return warnings

    async def _check_inputs(self, run: NewRun, found: Runnable, compute: Compute) -> AcceptedInputs:
        inputs = await check_run_inputs(
            found.plan,
            run.inputs,
            AssetUse(self.media_service, run.account_id, run.execution_id),
            is_model=found.is_model,
            allow_http=self.allow_http,
            compute=compute,
        )
        packed = await compute(partial(pack_inputs, found.plan, inputs))
        return AcceptedInputs(values=inputs, packed=packed)


async def find_workflow(
    store: Store, account_id: str, slug: str, *, fresh: bool, version: int | None = None
) -> Runnable:
    """Return a workflow of the account, or a public one; with `version` an own one alone.

    Raises WorkflowNotFound, VersionNotFound, and for an own one WorkflowNotRunnable.
    """
    workflows = store.workflows
    try:
        workflow, plan = await workflows.own_plan(account_id, slug, fresh=fresh, version=version)
    except WorkflowNotFound:
        if version is not None:
            raise
        workflow, plan = await workflows.public_plan(slug, fresh=fresh)
    if plan is None:
        if workflow.account_id != account_id:
            raise WorkflowNotFound
        raise WorkflowNotRunnable(workflow.problems)
    return Runnable(plan=plan, workflow=workflow, is_named_version=version is not None)
