"""Sub-workflow: calls another workflow of the account, and waits for its result."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import Outputs
from engine.nodes.support.children import (
    OUTPUT_MISSING,
    ChildrenNode,
    ChildrenSettings,
    ChildrenSpec,
    ChildResult,
    check_shared,
    input_sockets,
    raise_failure,
)
from engine.nodes.support.children_settings import VERSION, called_workflow, read_callee
from engine.nodes.support.failures import ERROR_OUT
from engine.nodes.support.settings import Faults
from engine.values.fields import Field
from engine.values.sockets import Socket, SocketType

RESULT_OUT = "result-out"
WORKFLOW = called_workflow(is_required=True)


class SubWorkflow(ChildrenNode):
    """Starts one child with the wired values, and gives its plain result."""

    type = "subWorkflow"
    category = "Control"
    label = "Sub-workflow"
    description = "Calls another workflow with the wired inputs, and gives its result."
    members = (WORKFLOW, VERSION)

    def read(self, data: Mapping[str, Any], faults: Faults) -> ChildrenSettings:
        return ChildrenSettings(callee=read_callee(WORKFLOW, data, faults))

    def inputs(self, settings: ChildrenSettings) -> Mapping[str, Socket]:
        return input_sockets(settings.interface)

    def outputs(self, settings: ChildrenSettings) -> Mapping[str, Socket]:
        names = settings.interface.outputs if settings.interface else ()
        return dict.fromkeys((RESULT_OUT, *names), Socket(type=SocketType.ANY))

    def begin(
        self, settings: ChildrenSettings, inputs: Mapping[str, Any], fields: Sequence[Field]
    ) -> ChildrenSpec:
        return ChildrenSpec(shared=check_shared(settings, fields, inputs))

    def collect(self, settings: ChildrenSettings, results: Sequence[ChildResult]) -> Outputs:
        (result,) = results
        raise_failure(result)
        members = result.value if isinstance(result.value, dict) else {}
        named = sorted(settings.wired - {RESULT_OUT, ERROR_OUT})
        for name in named:
            if name not in members:
                called = settings.callee.workflow if settings.callee else ""
                message = f"The workflow '{called}' has no output '{name}' any more"
                raise NodeFailed(OUTPUT_MISSING, message)
        return {RESULT_OUT: result.value, **{name: members[name] for name in named}}
