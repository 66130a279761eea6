"""Acceptance of a run: checks its inputs, refers to its media, stores it and sends its hint."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from engine.errors import (
    EngineError,
    IdempotencyKeyReused,
    InvalidInputs,
    Unavailable,
    WorkflowNotRunnable,
)
from engine.services.media import MediaService
from engine.services.runs.inner_plans import inner_plans_of
from engine.services.runs.run_inputs import AssetUse, WorkRunner, check_run_inputs, run_here
from engine.services.runs.targets import CheckedInputs, Runnable, RunTarget
from engine.store import (
    AcceptVerdict,
    AlreadyRetried,
    NewExecution,
    NewRun,
    RunVerdict,
    StaleWorkflow,
    Store,
)
from engine.store.executions.inputs import pack_inputs
from engine.values.fields import unknown_inputs

MAX_STALE = 5
"""Attempts at a workflow that is being saved concurrently."""


class Acceptance(Struct, frozen=True, kw_only=True):
    """Accepts runs for the API and the command line."""

    store: Store
    media_service: MediaService
    allow_http: bool
    """Media inputs may have plain `http` URLs."""

    async def accept(
        self,
        run: NewRun,
        target: RunTarget,
        inputs: Mapping[str, Any],
        runner: WorkRunner = run_here,
    ) -> RunVerdict:
        """Accept the run of a target with the caller's inputs.

        A repeated call gets the first answer, whatever has changed since. Raises the errors of
        `RunTarget.find`, `check_run_inputs` and `ExecutionAcceptance.accept`.
        """
        try:
            verdict = await self._accept_latest(run, target, inputs, runner)
        except (IdempotencyKeyReused, Unavailable):
            raise
        except EngineError:
            replay = await self.store.acceptance.find_replay(run.account_id, run.idempotency_key)
            if replay is None:
                raise
            return replay
        if isinstance(verdict, AlreadyRetried):  # maybe by the first call with the key
            replay = await self.store.acceptance.find_replay(run.account_id, run.idempotency_key)
            return replay or verdict
        return verdict

    async def _accept_latest(
        self, run: NewRun, target: RunTarget, inputs: Mapping[str, Any], runner: WorkRunner
    ) -> RunVerdict:
        for attempt in range(MAX_STALE):
            try:
                runnable = await target.find(run, fresh=attempt > 0)
                if isinstance(runnable, AlreadyRetried):
                    return runnable
                verdict = await self._accept_found(run, runnable, inputs, runner)
            except (InvalidInputs, WorkflowNotRunnable):
                if attempt:
                    raise
                continue  # another process may have saved the workflow since this one read it
            if not isinstance(verdict, StaleWorkflow):
                return verdict
        raise Unavailable("The workflow is being saved faster than it can be run")

    async def _accept_found(
        self, run: NewRun, runnable: Runnable, inputs: Mapping[str, Any], runner: WorkRunner
    ) -> AcceptVerdict:
        checked = runnable.inputs or await self._check_inputs(run, runnable, inputs, runner)
        start = None
        if runnable.make_start is not None:
            async with run.turn.yielded():  # it may read objects
                start = await runnable.make_start(run, checked.values)
        owner_id = run.account_id if runnable.workflow is None else runnable.workflow.account_id
        inner = await inner_plans_of(self.store, owner_id, runnable.plan)
        return await self.store.acceptance.accept(
            NewExecution(
                run=run,
                plan=runnable.plan,
                inputs=checked.values,
                packed_inputs=checked.packed,
                workflow=runnable.workflow,
                is_named_version=runnable.is_named_version,
                choice=runnable.choice,
                aliases_revision=runnable.aliases_revision,
                inner=inner,
                start=start,
                warnings=(*run.warnings, *unknown_inputs(runnable.plan.fields, inputs)),
            )
        )

    async def _check_inputs(
        self, run: NewRun, runnable: Runnable, inputs: Mapping[str, Any], runner: WorkRunner
    ) -> CheckedInputs:
        checked = await check_run_inputs(
            runnable.plan,
            inputs,
            AssetUse(self.media_service, run.account_id, run.execution_id),
            is_model=runnable.is_model,
            allow_http=self.allow_http,
            runner=runner,
        )
        packed = await runner(partial(pack_inputs, runnable.plan, checked))
        return CheckedInputs(values=checked, packed=packed)
