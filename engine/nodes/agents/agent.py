"""Agent: a model that calls tools in a loop, until it answers."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.models.calls.call_checks import JSON_SCHEMA
from engine.models.calls.chat import ChatMessage, ChatRole, to_plain
from engine.models.manifest import Category
from engine.nodes.agents import parts
from engine.nodes.agents.parts import PartKind, inlets, one_node_graph, part_name
from engine.nodes.agents.rounds import AgentRules, AgentTask, ServerTools
from engine.nodes.agents.rounds_node import PartGraph, RoundsNode
from engine.nodes.agents.tool_settings import (
    APPROVE,
    TOOLS,
    ToolEntry,
    check_approvals,
    secrets_of_tools,
)
from engine.nodes.approval import ANSWER_OUT as APPROVAL_ANSWER
from engine.nodes.assistant import ANSWER_SCHEMA, JSON_OUT, NO_SCHEMA, TEXT_OUT
from engine.nodes.support.base import SecretName
from engine.nodes.support.children import Callee
from engine.nodes.support.expressions import VALUE_IN
from engine.nodes.support.fan_out import MODEL, missing_model
from engine.nodes.support.model_calls import (
    PROMPT,
    PROMPT_INLET,
    SYSTEM,
    SYSTEM_INLET,
    ModelNodeKind,
    ModelSettings,
    model_calls,
    model_members,
    model_needs,
    model_reads,
    model_sockets,
    read_model_settings,
    sketch_model_sockets,
)
from engine.nodes.support.model_files import FILE_IN, links_at
from engine.nodes.support.policy import RETRY
from engine.nodes.support.settings import VALUES, Faults, whole
from engine.values.fields import Field
from engine.values.sockets import Socket, Sockets, SocketType
from engine.values.templates import to_text

STEPS_OUT = "steps-out"
FILE_SOCKET = Socket(type=SocketType.ANY, many=True)
MAX_STEPS = whole(
    "maxSteps", "Most calls of the model and of tools; more fail the node.", 1, 50, default=12
)
MAX_CREDITS = whole(
    "maxCredits", "Credits that the steps may cost; then no further one begins.", 1, 2**53 - 1
)
OWN = (TOOLS, APPROVE, MAX_STEPS, MAX_CREDITS, ANSWER_SCHEMA)
NODE_KIND = ModelNodeKind(
    category=Category.TEXT,
    inlets=(PROMPT_INLET, SYSTEM_INLET),
    options=("temperature", "maxTokens"),
    own=frozenset(each.name for each in OWN),
    templates=(PROMPT, SYSTEM),
    takes_params=False,
    sockets=frozenset({FILE_IN}),
)
APPROVAL_DATA = {
    "title": "Call the tool {{ tool }}?",
    "message": "{{ shown }}",
    "onTimeout": "refuse",
}
APPROVAL_SOCKETS = {parts.TOOL: parts.TOOL, parts.SHOWN: parts.SHOWN, parts.ARGUMENTS: VALUE_IN}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """Model call, tools and bounds."""

    call: ModelSettings
    tools: tuple[ToolEntry, ...]
    approve: tuple[str, ...]
    max_steps: int
    max_credits: int | None
    schema: Mapping[str, Any] | None
    turn: Mapping[str, Any]
    """Settings of the nodes `agentTurn`."""

    @property
    def rules(self) -> AgentRules:
        """The settings as the loop needs them."""
        return AgentRules(
            model=self.call.model.internal_name,
            servers=tuple(
                ServerTools(position=each.position, tool=each.tool)
                for each in self.tools
                if each.server
            ),
            approve=self.approve,
            max_steps=self.max_steps,
            max_credits=self.max_credits,
            schema=self.schema,
        )


class Agent(RoundsNode):
    """Begins a child for each model call and each tool call, until the model answers."""

    type = "agent"
    category = "LLMs"
    label = "Agent"
    description = "A model that calls tools, workflows among them, until it has the answer."
    members = model_members(NODE_KIND, *OWN)

    def read(self, data: Mapping[str, Any], faults: Faults) -> AgentSettings | None:
        tools, approve = TOOLS.read(data, faults), APPROVE.read(data, faults)
        max_steps, max_credits = MAX_STEPS.read(data, faults), MAX_CREDITS.read(data, faults)
        schema = ANSWER_SCHEMA.read(data, faults)
        check_approvals(tools, approve, faults)
        call = read_model_settings(data, NODE_KIND, faults)
        if call is None:
            return None
        return AgentSettings(
            call=call,
            tools=tools,
            approve=approve,
            max_steps=max_steps,
            max_credits=max_credits,
            schema=schema,
            turn=_turn_data(call, data),
        )

    def unavailable_reason(self) -> str | None:
        return missing_model(NODE_KIND.category, NODE_KIND.refuses)

    def sketch(self, data: Mapping[str, Any]) -> Sockets:
        settings = self.read(data, Faults())
        if settings is not None:
            return Sockets(self.inputs(settings), self.outputs(settings))
        inputs = {**sketch_model_sockets(data, NODE_KIND), FILE_IN: FILE_SOCKET}
        return Sockets(inputs, _outputs(has_schema=bool(data.get(JSON_SCHEMA))))

    def inputs(self, settings: AgentSettings) -> Mapping[str, Socket]:
        return {**model_sockets(settings.call, NODE_KIND), FILE_IN: FILE_SOCKET}

    def outputs(self, settings: AgentSettings) -> Mapping[str, Socket]:
        return _outputs(has_schema=settings.schema is not None)

    def needs(self, data: Mapping[str, Any]) -> Mapping[str, Socket]:
        return model_needs(data, NODE_KIND)

    def reads(self, settings: AgentSettings, socket: str) -> Collection[str] | None:
        return model_reads(settings.call, socket)

    def secret_uses(self, data: Mapping[str, Any]) -> Iterable[SecretName]:
        return secrets_of_tools(data)

    def callees(self, settings: AgentSettings) -> Sequence[Callee]:
        return [Callee(workflow=each.workflow) for each in settings.tools if each.workflow]

    def parts(self, settings: AgentSettings) -> Mapping[str, PartGraph]:
        turn_sockets = inlets(parts.SYSTEM, parts.MESSAGES, parts.TOOLS, parts.SCHEMA)
        turn = one_node_graph("agentTurn", settings.turn, turn_sockets, parts.TURN_OUT)
        found = {part_name(PartKind.TURN): turn}
        for each in (entry for entry in settings.tools if entry.server):
            data, place = each.server_data, each.position
            call = inlets(parts.TOOL, parts.ARGUMENTS)
            found[part_name(PartKind.TOOLS, place)] = one_node_graph(
                "agentTools", data, {}, parts.TOOLS_OUT
            )
            found[part_name(PartKind.CALL, place)] = one_node_graph(
                "agentToolCall", data, call, parts.ANSWER_OUT
            )
        if settings.approve:
            found[part_name(PartKind.APPROVAL)] = one_node_graph(
                "approval", APPROVAL_DATA, APPROVAL_SOCKETS, APPROVAL_ANSWER
            )
        return found

    def read_task(self, settings: AgentSettings, inputs: Mapping[str, Any]) -> AgentTask:
        """Return the task of a run of the node, without its workflows. Raises NodeFailed."""
        sockets = {each.socket for each in NODE_KIND.inlets}
        texts = {
            name: to_text(value) if name in sockets and isinstance(value, list) else value
            for name, value in inputs.items()
        }
        [values] = model_calls(settings.call, NODE_KIND, texts).values
        return AgentTask(
            prompt=to_text(values.get(PROMPT)),
            system=to_text(values.get(SYSTEM)),
            files=tuple(links_at(inputs)),
        )

    def sample(
        self, settings: Any, inputs: Mapping[str, Any], fields: Sequence[Field]
    ) -> Mapping[str, Any]:
        if None in (inputs.get(FILE_IN) or ()):  # a file that is not known before the run
            return {}
        try:
            known = self.read_task(settings, inputs)
        except NodeFailed:  # some of the values are not known before the run
            return {}
        message = ChatMessage(role=ChatRole.USER, text=known.prompt, files=known.files)
        return {parts.SYSTEM: known.system or None, parts.MESSAGES: to_plain([message])}


def _turn_data(call: ModelSettings, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a node `agentTurn`, which gets prompt and system with the chat."""
    values = {name: call.values[name] for name in call.values if name not in (PROMPT, SYSTEM)}
    return {
        MODEL.name: call.model.internal_name,
        VALUES.name: values,
        RETRY.name: data.get(RETRY.name),
    }


def _outputs(*, has_schema: bool) -> dict[str, Socket]:
    return {
        TEXT_OUT: Socket(type=SocketType.TEXT),
        JSON_OUT: Socket(type=SocketType.ANY, refusal="" if has_schema else NO_SCHEMA),
        STEPS_OUT: Socket(type=SocketType.ANY),
    }
