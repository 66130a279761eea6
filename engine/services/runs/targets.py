"""Targets of runs: workflows and models; drafts and failed executions have modules of their own."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec import Struct

from engine.errors import ModelNotFound, VersionNotFound, WorkflowNotFound, WorkflowNotRunnable
from engine.executions.sources import Source
from engine.graph.model_plan import model_plan
from engine.graph.plan import Plan
from engine.models.registry import find_model
from engine.releases.aliases import LIVE, Choice
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
    """Whether the caller or an alias named the version, which need not be the live one."""
    choice: Choice | None = None
    """Choice of the alias that named the version; None: none did, and `live` has no canary."""
    aliases_revision: int | None = None
    """Revision of the aliases of the workflow that the version depends on; None: on none."""
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
    version: int | str | None = None
    """Version of an own workflow, or the name of an alias; None: the live one."""
    source, browser_source = Source.WORKFLOW, Source.APP

    async def find(self, run: NewRun, *, fresh: bool) -> Runnable:
        """See `RunTarget.find`. Raises what `find_workflow` raises.

        The run of an own workflow takes part in the canary of its alias.
        """
        key = run.idempotency_key
        return await find_workflow(
            self.store,
            run.account_id,
            self.slug,
            fresh=fresh,
            version=self.version,
            key=run.execution_id if key is None else key.digest,
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
    store: Store,
    account_id: str,
    slug: str,
    *,
    fresh: bool,
    version: int | str | None = None,
    key: str = "",
) -> Runnable:
    """Return a workflow of the account, or a public one; with `version` an own one alone.

    `version` is a number or the name of an alias. With `key`, that of the run, an alias and the
    live version choose between their version and their canary. Raises WorkflowNotFound,
    VersionNotFound, and for an own one WorkflowNotRunnable.
    """
    workflows = store.workflows
    try:
        if not isinstance(version, int):
            return await _find_release(store, account_id, slug, version, key, fresh=fresh)
        found = await workflows.own_plan(account_id, slug, fresh=fresh, version=version)
        return _runnable(account_id, *found, is_named_version=True)
    except WorkflowNotFound:
        if version is not None:
            raise
    return _runnable(account_id, *await workflows.public_plan(slug, fresh=fresh))


async def _find_release(
    store: Store, account_id: str, slug: str, name: str | None, key: str, *, fresh: bool
) -> Runnable:
    """Return the version that an alias of an own workflow chooses; None names the live version."""
    workflows = store.workflows
    workflow, plan = await workflows.own_plan(account_id, slug, fresh=fresh)
    aliases = workflows.known_aliases(slug)
    choice = aliases.choose(name or LIVE, key)
    if choice is None and name == LIVE:
        choice = Choice(version=workflow.version, alias=LIVE)
    try:
        if choice is None and name is not None:
            raise VersionNotFound
        if choice is not None and choice.version != workflow.version:
            workflow, plan = await workflows.own_plan(account_id, slug, version=choice.version)
    except VersionNotFound:
        if fresh:
            raise
        # Another process may have changed the aliases since this one read them.
        return await _find_release(store, account_id, slug, name, key, fresh=True)
    return _runnable(
        account_id,
        workflow,
        plan,
        is_named_version=choice is not None and choice.is_named_version,
        choice=choice,
        aliases_revision=aliases.revision,
    )


def _runnable(account_id: str, workflow: Workflow, plan: Plan | None, **members: Any) -> Runnable:
    """Return a workflow with its plan. Raises WorkflowNotFound and WorkflowNotRunnable."""
    if plan is None:
        if workflow.account_id != account_id:
            raise WorkflowNotFound
        raise WorkflowNotRunnable(workflow.problems)
    return Runnable(plan=plan, workflow=workflow, **members)
