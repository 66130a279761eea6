"""Targets of runs: workflows and models; drafts and failed executions have modules of their own."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec import Struct

from engine.errors import ModelNotFound, WorkflowNotFound, WorkflowNotRunnable
from engine.executions.sources import Source
from engine.graph.model_plan import model_plan
from engine.graph.plan import Plan
from engine.models.registry import find_model
from engine.store import AlreadyRetried, NewRun, Store, Workflow
from engine.store.executions.start import Start

MakeStart = Callable[[NewRun, Mapping[str, Any]], Awaitable[Start]]
"""Returns the start of an execution, given its checked inputs. Raises EngineError."""


class CheckedInputs(Struct, frozen=True, kw_only=True):
    """Checked inputs with their packed form."""

    values: Mapping[str, Any]
    packed: bytes


class Runnable(Struct, frozen=True, kw_only=True):
    """Version of the workflow, or model, to run."""

    plan: Plan
    workflow: Workflow | None = None
    """None: the run is of a draft or of one model."""
    is_named_version: bool = False
    """Whether the caller named the version, which need not be the live one."""
    make_start: MakeStart | None = None
    """None: all nodes of the execution wait."""
    inputs: CheckedInputs | None = None
    """Inputs of an execution that is retried; None: those of the caller."""

    @property
    def is_model(self) -> bool:
        """Whether the run is of one model."""
        return self.workflow is None and self.make_start is None


class RunTarget(Protocol):
    """Workflow, draft, model or failed execution that a caller wants to run."""

    @property
    def source(self) -> Source:
        """Source of its executions when a key starts them."""
        ...

    @property
    def browser_source(self) -> Source:
        """Source of its executions when a session starts them."""
        ...

    async def find(self, run: NewRun, *, fresh: bool) -> Runnable | AlreadyRetried:
        """Return the plan to run; `fresh` reads it from the store past this process's cache.

        Raises EngineError when the caller has no such target, or when it cannot run.
        """
        ...


@dataclass(frozen=True, slots=True)
class SavedWorkflow:
    """Workflow of the caller's account, or a public one, by slug."""

    store: Store
    slug: str
    version: int | None = None
    """Version of an own workflow; None: the live one."""
    source, browser_source = Source.WORKFLOW, Source.APP

    async def find(self, run: NewRun, *, fresh: bool) -> Runnable:
        """See `RunTarget.find`. Raises what `find_workflow` raises."""
        return await find_workflow(
            self.store, run.account_id, self.slug, fresh=fresh, version=self.version
        )


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """Model of the registry, by internal name."""

    internal_name: str
    source, browser_source = Source.MODEL, Source.APP

    async def find(self, run: NewRun, *, fresh: bool) -> Runnable:
        """See `RunTarget.find`. Raises ModelNotFound."""
        model = find_model(self.internal_name)
        if model is None or not model.enabled:
            raise ModelNotFound
        return Runnable(plan=model_plan(model))


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
