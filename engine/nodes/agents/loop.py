"""Loop of an agent, replayed over the ends of its children: no other state is kept.

The same task, rules and ends always give the same next round, so that any worker goes on where
another one stopped. A round is the list of the tools of the servers, one turn of the model, the
approvals before its tool calls, or these calls.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from engine.errors import InsufficientCredits, MaxCreditsExceeded
from engine.errors.nodes import BAD_RESPONSE, NodeFailed
from engine.executions.batches import ItemStatus
from engine.executions.node_waits import MAX_MESSAGE, Decision
from engine.models.calls.chat import (
    ChatMessage,
    ChatRole,
    ChatTurn,
    ToolCall,
    ToolSpec,
    read_turn,
    to_plain,
)
from engine.nodes.agents import parts
from engine.nodes.agents.parts import PartKind
from engine.nodes.agents.rounds import (
    AgentChild,
    AgentEnd,
    AgentRules,
    AgentTask,
    EndedChild,
    NextRound,
    Replay,
)
from engine.nodes.agents.steps import AgentStep, StepApproval, StepKind, StepStatus
from engine.nodes.agents.tool_names import (
    TOOL_NOT_FOUND,
    KnownTool,
    check_names,
    remote_tools,
)
from engine.values.model_text import NotJson, find_json
from engine.values.templates import to_json, to_text

MAX_STEPS, MAX_CREDITS = "max_steps", "max_credits"
"""Codes of an agent that would exceed its bounds."""
CANCELLED = "cancelled"
INVALID_ARGUMENTS = "invalid_arguments"
REFUSED = "refused"
TOOL_FAILED = "tool_failed"
MONEY = frozenset({InsufficientCredits.code, MaxCreditsExceeded.code})
"""Codes of children that end the agent."""
MAX_RESULT = 200_000
"""Characters of a tool's result that a model gets; the step has all."""
CUT = "… (the rest is left out)"
LEAST_ASKED = 200
"""Characters of a question besides the arguments."""
ENDED = frozenset({ItemStatus.COMPLETED, ItemStatus.FAILED, ItemStatus.CANCELLED})
STATUSES = {
    ItemStatus.QUEUED: StepStatus.WAITING,
    ItemStatus.PROCESSING: StepStatus.PROCESSING,
    ItemStatus.COMPLETED: StepStatus.COMPLETED,
    ItemStatus.FAILED: StepStatus.FAILED,
    ItemStatus.CANCELLED: StepStatus.CANCELLED,
}


def replay(
    task: AgentTask,
    rules: AgentRules,
    ends: Sequence[EndedChild],
    child_id: Callable[[int], str] = lambda index: "",
) -> Replay:
    """Return the steps of an agent, and its next round or its end.

    `child_id` returns the id of the execution of the child with an index.
    """
    loop = _Loop(task, rules, ends, child_id)
    following: NextRound | AgentEnd | NodeFailed | None
    try:
        following = loop.run()
    except _Stopped as stopped:
        following = stopped.following
    except NodeFailed as failure:
        following = failure
    return Replay(steps=loop.steps, next=following)


class _Stopped(Exception):
    """The record has no further round: one is to begin, or has not ended."""

    def __init__(self, following: NextRound | None) -> None:
        super().__init__()
        self.following = following


class _Loop:
    """One replay."""

    def __init__(
        self,
        task: AgentTask,
        rules: AgentRules,
        ends: Sequence[EndedChild],
        child_id: Callable[[int], str],
    ) -> None:
        self._task = task
        self._rules = rules
        self._ends = ends
        self._child_id = child_id
        self._at = 0
        """Index of the first child of the next round."""
        self._tools: dict[str, KnownTool] = {}
        user = ChatMessage(role=ChatRole.USER, text=task.prompt, files=task.files)
        self._messages = [user]
        self._new = 0
        """Position of the first message that the model has not seen."""
        self._spent = 0
        self.steps: list[AgentStep] = []

    def run(self) -> AgentEnd:
        """Return the end of the agent. Raises _Stopped or NodeFailed."""
        self._find_tools()
        while True:
            turn = self._take_turn()
            if not turn.calls:
                return self._finish(turn.text)
            self._messages.append(turn.message())
            self._new = len(self._messages)
            self._call_tools(turn.calls)

    # -- rounds -----------------------------------------------------------------------------------

    def _run(self, children: Sequence[AgentChild], steps: Sequence[int]) -> Sequence[EndedChild]:
        """Return the ends of a round; `steps` are the positions of its steps, if it has some."""
        first, after = self._at, self._at + len(children)
        found = self._ends[first:after]
        if len(found) < len(children):
            raise _Stopped(NextRound(children))
        for place, (index, end) in zip(steps, enumerate(found, first), strict=False):
            self._note(place, index, end)
        self._at = after
        self._spent += sum(each.credits_cost for each in found)
        if any(each.status not in ENDED for each in found):
            raise _Stopped(None)
        for each in found:
            if each.error is not None and each.error["code"] in MONEY:
                raise _failure(each)
        return found

    def _note(self, place: int, index: int, end: EndedChild) -> None:
        """Add the state of a child to its step."""
        step, is_ended = self.steps[place], end.status in ENDED
        self.steps[place] = replace(
            step,
            status=STATUSES[end.status],
            error=end.error,
            credits_cost=end.credits_cost,
            duration_ms=end.duration_ms if is_ended else None,
            child_execution_id=self._child_id(index),
        )

    def _plan(self, kind: StepKind, inputs: Sequence[tuple[str, Any]]) -> list[int]:
        """Add steps by their names and inputs; return their positions. Raises NodeFailed."""
        rules, planned = self._rules, len(self.steps) + len(inputs)
        if planned > rules.max_steps:
            message = f"The agent has not finished within {rules.max_steps} steps (maxSteps)"
            raise NodeFailed(MAX_STEPS, message)
        if rules.max_credits is not None and self._spent >= rules.max_credits:
            message = (
                f"The steps of the agent have cost {self._spent} credits, "
                f"and maxCredits is {rules.max_credits}"
            )
            raise NodeFailed(MAX_CREDITS, message)
        first = len(self.steps)
        for number, (name, value) in enumerate(inputs, first + 1):
            self.steps.append(AgentStep(number=number, kind=kind, name=name, input=value))
        return list(range(first, planned))

    # -- tools ------------------------------------------------------------------------------------

    def _find_tools(self) -> None:
        """List the tools of the servers in the first round. Raises NodeFailed."""
        found = list(self._task.workflows)
        servers = self._rules.servers
        if servers:
            listed = self._run(
                [
                    AgentChild(part=PartKind.TOOLS, server=each.position, inputs={})
                    for each in servers
                ],
                (),
            )
            for server, end in zip(servers, listed, strict=True):
                if end.status is not ItemStatus.COMPLETED:
                    raise _failure(end, f"Tools of server {server.position + 1}: ")
                found += remote_tools(server.position, server.tool, end.value)
        self._tools = check_names(found, self._rules.approve)

    def _call_tools(self, calls: Sequence[ToolCall]) -> None:
        """Call the tools that the model has asked for, and add their results to the chat."""
        places = self._plan(StepKind.TOOL, [(each.name, dict(each.arguments)) for each in calls])
        results: dict[int, ChatMessage] = {}
        valid = []
        for place, call in zip(places, calls, strict=True):
            fault = self._fault(call)
            if fault is None:
                valid.append((place, call))
            else:
                results[place] = self._refuse(place, call, *fault)
        approved = self._approve(valid, results)
        children = [self._child_of(call) for _, call in approved]
        if children:
            ends = self._run(children, [place for place, _ in approved])
            for (place, call), end in zip(approved, ends, strict=True):
                results[place] = self._take_result(place, call, end)
        self._messages += [results[place] for place in places]

    def _fault(self, call: ToolCall) -> tuple[str, str] | None:
        """Return code and sentence for a call that cannot be made."""
        if call.name not in self._tools:
            return TOOL_NOT_FOUND, f"There is no tool '{call.name}'"
        return (INVALID_ARGUMENTS, call.fault) if call.fault else None

    def _refuse(self, place: int, call: ToolCall, code: str, message: str) -> ChatMessage:
        """Note that a call is not made; return its result for the model."""
        error = {"code": code, "message": message}
        step = self.steps[place]
        self.steps[place] = replace(step, status=StepStatus.FAILED, error=error, duration_ms=0)
        return _result(call, message, is_error=True)

    def _approve(
        self, calls: Sequence[tuple[int, ToolCall]], results: dict[int, ChatMessage]
    ) -> Sequence[tuple[int, ToolCall]]:
        """Return the calls that may be made; the results get those that a person refuses."""
        asked = [each for each in calls if each[1].name in self._rules.approve]
        if not asked:
            return calls
        first = self._at
        for number, (place, _) in enumerate(asked, first):
            is_asked = number < len(self._ends)
            approval = StepApproval(child_execution_id=self._child_id(number) if is_asked else "")
            self.steps[place] = replace(self.steps[place], approval=approval)
        ends = self._run([_question(call) for _, call in asked], ())
        refused = set()
        for number, ((place, call), end) in enumerate(zip(asked, ends, strict=True), first):
            reason = self._take_decision(place, number, end)
            if reason is not None:
                refused.add(place)
                results[place] = self._refuse(place, call, REFUSED, reason)
        return [each for each in calls if each[0] not in refused]

    def _take_decision(self, place: int, index: int, end: EndedChild) -> str | None:
        """Note the answer of a person; return the reason of a refusal for the model."""
        if end.status is not ItemStatus.COMPLETED or not isinstance(end.value, dict):
            raise _failure(end, "Approval: ")
        answer = end.value
        approval = StepApproval(
            decision=answer.get("decision"),
            note=answer.get("note"),
            by=answer.get("by"),
            at=answer.get("at"),
            child_execution_id=self._child_id(index),
        )
        self.steps[place] = replace(self.steps[place], approval=approval)
        if approval.decision == Decision.APPROVE:
            return None
        if (approval.by or {}).get("kind") == "timeout":
            return "The call was refused: nobody approved it in time"
        note = f", with the note: {approval.note}" if approval.note else ""
        return f"A person refused the call{note}"

    def _child_of(self, call: ToolCall) -> AgentChild:
        tool = self._tools[call.name]
        if tool.server is None:
            inputs = dict(call.arguments)
            return AgentChild(workflow=tool.workflow, version=tool.version, inputs=inputs)
        inputs = {parts.TOOL: tool.remote_name, parts.ARGUMENTS: dict(call.arguments)}
        return AgentChild(part=PartKind.CALL, server=tool.server, inputs=inputs)

    def _take_result(self, place: int, call: ToolCall, end: EndedChild) -> ChatMessage:
        """Note the end of a call; return its result for the model."""
        if end.status is not ItemStatus.COMPLETED:
            error = end.error or {"code": CANCELLED, "message": "The call was cancelled"}
            self.steps[place] = replace(self.steps[place], error=error)
            return _result(call, f"{error['code']}: {error['message']}", is_error=True)
        if self._tools[call.name].server is None:
            self.steps[place] = replace(self.steps[place], output=end.value)
            return _result(call, to_text(end.value))
        answer = end.value if isinstance(end.value, dict) else {}
        text, is_error = str(answer.get("text") or ""), answer.get("isError") is True
        value = answer.get("value")
        output = text if value is None else value
        failed = {"code": TOOL_FAILED, "message": text[:MAX_MESSAGE]} if is_error else None
        status = StepStatus.FAILED if is_error else StepStatus.COMPLETED
        step = self.steps[place]
        self.steps[place] = replace(step, output=output, error=failed, status=status)
        return _result(call, text or to_text(value), is_error=is_error)

    # -- turns ------------------------------------------------------------------------------------

    def _take_turn(self) -> ChatTurn:
        """Return the next turn of the model. Raises _Stopped or NodeFailed."""
        new = to_plain(self._messages[self._new :])
        [place] = self._plan(StepKind.MODEL, [(self._rules.model, new)])
        specs = [
            ToolSpec(name=each.name, description=each.description, parameters=each.parameters)
            for each in self._tools.values()
        ]
        inputs = {
            parts.SYSTEM: self._task.system or None,
            parts.MESSAGES: to_plain(self._messages),
            parts.TOOLS: to_plain(specs),
            parts.SCHEMA: self._rules.schema,
        }
        given = {name: value for name, value in inputs.items() if value is not None}
        [end] = self._run([AgentChild(part=PartKind.TURN, inputs=given)], [place])
        if end.status is not ItemStatus.COMPLETED:
            raise _failure(end)
        turn = read_turn(end.value)
        shown = {"text": turn.text, "calls": [_shown(each) for each in turn.calls]}
        self.steps[place] = replace(self.steps[place], output=shown)
        return turn

    def _finish(self, text: str) -> AgentEnd:
        if self._rules.schema is None:
            return AgentEnd(text)
        try:
            return AgentEnd(text, find_json(text))
        except NotJson:
            raise NodeFailed(BAD_RESPONSE, "The model's answer is not JSON") from None


def _question(call: ToolCall) -> AgentChild:
    shown = to_json(dict(call.arguments))
    most = MAX_MESSAGE - LEAST_ASKED
    shown = shown if len(shown) <= most else f"{shown[:most]}{CUT}"
    inputs = {parts.TOOL: call.name, parts.SHOWN: shown, parts.ARGUMENTS: dict(call.arguments)}
    return AgentChild(part=PartKind.APPROVAL, inputs=inputs)


def _shown(call: ToolCall) -> Mapping[str, Any]:
    return {"id": call.id, "name": call.name, "arguments": dict(call.arguments)}


def _result(call: ToolCall, text: str, *, is_error: bool = False) -> ChatMessage:
    shown = text if len(text) <= MAX_RESULT else f"{text[:MAX_RESULT]}{CUT}"
    return ChatMessage(role=ChatRole.TOOL, text=shown, call_id=call.id, is_error=is_error)


def _failure(end: EndedChild, prefix: str = "") -> NodeFailed:
    if end.error is None:
        return NodeFailed(CANCELLED, f"{prefix}The child was cancelled")
    return NodeFailed(end.error["code"], f"{prefix}{end.error['message']}")
