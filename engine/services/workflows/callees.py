"""Workflows that the nodes of a graph call: found and checked before a save."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from engine.errors import VersionNotFound, WorkflowNotFound
from engine.errors.nodes import SettingFault
from engine.graph.approvals import has_approval
from engine.graph.bodies import Elements
from engine.graph.calls import find_calls
from engine.graph.parsed import Callees
from engine.graph.plan import Plan
from engine.nodes.response_output import ResponseOutputSettings
from engine.nodes.support.children import Callee, CalleeInterface
from engine.store import Store, Workflow

READ_AT_ONCE = 16
"""Workflows that are read together."""
MAX_REACHED = 1_000
"""Workflows that one may call over any number of steps."""


def interface_of(plan: Plan) -> CalleeInterface:
    """Return the inputs and named outputs of a plan."""
    output = None if plan.response_output is None else plan.nodes[plan.response_output].settings
    names = output.names if isinstance(output, ResponseOutputSettings) else ()
    return CalleeInterface(fields=plan.fields, has_result=output is not None, outputs=names)


async def resolve_callees(
    store: Store, account_id: str, nodes: Elements, slug: str | None = None
) -> Callees:
    """Return the workflows that a graph calls, in bodies too, or why they cannot be called.

    With `slug`, the workflow of the graph, none of them may call it over any number of steps.
    """
    calls = find_calls(nodes)
    if not calls:
        return {}
    reading = _Reading(store, account_id)
    await reading.read(calls)
    await reading.read_all_called(calls)
    return {call: reading.check(call, slug) for call in calls}


@dataclass(slots=True)
class _Reading:
    """Versions that were read, and their calls."""

    store: Store
    account_id: str
    found: dict[Callee, tuple[Workflow, Plan | None] | SettingFault] = field(default_factory=dict)
    calls: dict[Callee, Collection[Callee]] = field(default_factory=dict)

    async def read(self, calls: Iterable[Callee]) -> None:
        """Read those of the workflows that were not read before."""
        missing = sorted({call for call in calls if call not in self.found}, key=str)
        for start in range(0, len(missing), READ_AT_ONCE):
            some = missing[start : start + READ_AT_ONCE]
            found = await asyncio.gather(*map(self._read_one, some))
            self.found.update(zip(some, found, strict=True))

    async def _read_one(self, call: Callee) -> tuple[Workflow, Plan | None] | SettingFault:
        owner_id, slug = self.account_id, call.workflow
        try:
            live = await self.store.versions.find_live(owner_id, slug)
            if live is None:  # gone, or never published
                return await self.store.workflows.own_plan(owner_id, slug, fresh=True)
            version = call.version or live  # its plan may be cached
            return await self.store.workflows.own_plan(owner_id, slug, version=version)
        except WorkflowNotFound:
            reason = f"workflow: the account has no workflow '{call.workflow}'"
            return SettingFault(reason, "workflow")
        except VersionNotFound:
            reason = f"version: '{call.workflow}' has no version {call.version}"
            return SettingFault(reason, "version")

    async def read_all_called(self, calls: Collection[Callee]) -> None:
        """Read the workflows that these call over any number of steps, up to a limit."""
        level = set(calls)
        while level and len(self.found) <= MAX_REACHED:
            level = {each for call in level for each in self._calls_of(call)} - self.found.keys()
            await self.read(level)

    def check(self, call: Callee, slug: str | None) -> CalleeInterface | SettingFault:
        """Return the interface of a workflow, or why it cannot be called."""
        found = self.found[call]
        if isinstance(found, SettingFault):
            return found
        workflow, plan = found
        way = () if slug is None else self._find_way(call, slug)
        if way:
            return SettingFault(_loop_words(slug, way), "workflow")
        if not workflow.version:
            reason = f"workflow: '{call.workflow}' has no live version; publish it first"
            return SettingFault(reason, "workflow")
        if plan is None:
            reason = f"workflow: '{call.workflow}' has problems and cannot run"
            return SettingFault(reason, "workflow")
        if len(self.found) > MAX_REACHED:
            reason = f"workflow: it leads to more than {MAX_REACHED} workflows"
            return SettingFault(reason, "workflow")
        return replace(interface_of(plan), has_approval=self._leads_to_approval(call))

    def _calls_of(self, call: Callee) -> Collection[Callee]:
        found = self.found.get(call)
        if found is None or isinstance(found, SettingFault):
            return ()
        if call not in self.calls:
            self.calls[call] = find_calls(found[0].document.nodes)
        return self.calls[call]

    def _leads_to_approval(self, first: Callee) -> bool:
        """Return whether a workflow, or one that it calls over any number of steps, has one."""
        seen, pending = {first}, [first]
        while pending:
            call = pending.pop()
            found = self.found.get(call)
            if found is None or isinstance(found, SettingFault):
                continue
            if has_approval(found[0].document.nodes):
                return True
            more = set(self._calls_of(call)) - seen
            pending += more
            seen |= more
        return False

    def _find_way(self, first: Callee, slug: str) -> Sequence[Callee]:
        """Return the calls from `first` to one of `slug`; none: they do not lead there."""
        ways: dict[Callee, tuple[Callee, ...]] = {first: (first,)}
        pending = [first]
        while pending:
            call = pending.pop(0)
            if call.workflow == slug:
                return ways[call]
            for each in sorted(self._calls_of(call), key=str):
                if each not in ways:
                    ways[each] = (*ways[call], each)
                    pending.append(each)
        return ()


def _loop_words(slug: str | None, way: Sequence[Callee]) -> str:
    if len(way) == 1:
        return "workflow: a workflow cannot call itself"
    names = " → ".join([str(slug), *(call.workflow for call in way)])
    return f"workflow: '{way[0].workflow}' leads back to this workflow: {names}"
