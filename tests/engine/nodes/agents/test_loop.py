"""The loop of an agent over the ends of its children: rounds, results, bounds and failures."""

from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.executions.batches import ItemStatus
from engine.nodes.agents.loop import MAX_RESULT, replay
from engine.nodes.agents.parts import PartKind
from engine.nodes.agents.rounds import (
    AgentChild,
    AgentEnd,
    AgentRules,
    EndedChild,
    NextRound,
    ServerTools,
)
from engine.nodes.agents.steps import StepKind, StepStatus
from tests.support.nodes.agent_rounds import RULES, TASK, ended, failed, rules, texts_of, turn

FIND = ("find-order", {"id": 7})
REFUND = ("refund-order", {"id": 7, "amount": 30})


def next_children(*ends: EndedChild, settings: AgentRules = RULES) -> list[AgentChild]:
    following = replay(TASK, settings, ends).next
    assert isinstance(following, NextRound), following
    return list(following.children)


def failure_of(*ends: EndedChild, settings: AgentRules = RULES) -> NodeFailed:
    following = replay(TASK, settings, ends).next
    assert isinstance(following, NodeFailed), following
    return following


def messages_after(*ends: EndedChild, settings: AgentRules = RULES) -> list[tuple[str, str]]:
    [child] = next_children(*ends, settings=settings)
    assert child.part is PartKind.TURN
    return texts_of(child.inputs["messages"])


def test_the_first_round_is_a_turn_with_the_prompt_and_the_tools() -> None:
    [child] = next_children()

    assert child.part is PartKind.TURN
    assert texts_of(child.inputs["messages"]) == [("user", "Where is order 7?")]
    assert [each["name"] for each in child.inputs["tools"]] == ["find-order", "refund-order"]
    assert child.inputs.keys() == {"messages", "tools"}


def test_a_turn_without_calls_is_the_answer() -> None:
    after = replay(TASK, RULES, [turn("On its way", cost=4)], lambda index: f"child-{index}")

    assert after.next == AgentEnd("On its way")
    [step] = after.steps
    assert (step.number, step.kind, step.name, step.status) == (
        1,
        StepKind.MODEL,
        "demo",
        StepStatus.COMPLETED,
    )
    assert (step.credits_cost, step.duration_ms, step.child_execution_id) == (4, 5, "child-0")
    assert step.output == {"text": "On its way", "calls": []}
    assert texts_of(step.input) == [("user", "Where is order 7?")]


def test_calls_of_one_turn_run_side_by_side_with_the_versions_of_the_task() -> None:
    children = next_children(turn("", FIND, REFUND))

    assert [(each.workflow, each.version, each.inputs) for each in children] == [
        ("find-order", 3, {"id": 7}),
        ("refund-order", 1, {"id": 7, "amount": 30}),
    ]


def test_results_go_to_the_model_in_the_order_of_its_calls() -> None:
    found = messages_after(turn("", FIND, REFUND), ended({"at": "Oslo"}), ended("done"))

    assert found[-2:] == [("tool", '{"at":"Oslo"}'), ("tool", "done")]


def test_a_failed_call_is_a_result_for_the_model() -> None:
    ends = turn("", FIND), failed("http_status", "It was 500")

    assert messages_after(*ends)[-1] == ("tool", "http_status: It was 500")
    step = replay(TASK, RULES, ends).steps[1]
    assert (step.status, step.error) == (
        StepStatus.FAILED,
        {"code": "http_status", "message": "It was 500"},
    )


def test_a_call_of_no_tool_and_one_with_wrong_arguments_are_results_without_a_child() -> None:
    wrong = {"id": "b", "name": "find-order", "arguments": {}, "fault": "No JSON"}
    calls = [{"id": "a", "name": "drop-table", "arguments": {}}, wrong]

    found = messages_after(ended({"text": "", "calls": calls}))

    assert found[-2:] == [("tool", "There is no tool 'drop-table'"), ("tool", "No JSON")]


def test_a_failed_turn_fails_the_node_with_its_code() -> None:
    failure = failure_of(failed("PROVIDER_UNAVAILABLE", "It is down"))

    assert (failure.code, failure.message) == ("PROVIDER_UNAVAILABLE", "It is down")


@pytest.mark.parametrize("code", ["INSUFFICIENT_CREDITS", "MAX_CREDITS_EXCEEDED"])
def test_a_call_that_money_ends_ends_the_agent(code: str) -> None:
    assert failure_of(turn("", FIND), failed(code)).code == code


def test_the_same_ends_give_the_same_round() -> None:
    ends = [turn("", FIND), ended("x")]

    assert replay(TASK, RULES, ends).next == replay(TASK, RULES, ends).next


def test_a_round_that_has_begun_is_waited_for() -> None:
    running = EndedChild(status=ItemStatus.PROCESSING)
    after = replay(TASK, RULES, [turn("", FIND, REFUND), ended("x"), running])

    assert after.next is None
    assert [each.status for each in after.steps] == [
        StepStatus.COMPLETED,
        StepStatus.COMPLETED,
        StepStatus.PROCESSING,
    ]
    assert after.steps[2].duration_ms is None


# -- bounds ---------------------------------------------------------------------------------------


def test_steps_that_would_exceed_the_bound_do_not_begin() -> None:
    two = rules(max_steps=2)

    assert len(next_children(turn("", FIND), settings=two)) == 1
    assert failure_of(turn("", FIND, REFUND), settings=two).code == "max_steps"
    assert failure_of(turn("", FIND), ended("x"), settings=two).code == "max_steps"


def test_no_step_begins_once_the_steps_have_cost_the_bound() -> None:
    ten = rules(max_credits=10)

    assert next_children(turn("", FIND, cost=9), settings=ten)
    assert (
        failure_of(turn("", FIND, cost=9), ended("x", cost=1), settings=ten).code == "max_credits"
    )
    paid = replay(TASK, ten, [turn("The answer", cost=12)])
    assert paid.next == AgentEnd("The answer")


def test_a_large_result_is_cut_for_the_model_and_whole_in_the_step() -> None:
    large = "x" * (MAX_RESULT + 1)
    ends = turn("", FIND), ended(large)

    assert len(messages_after(*ends)[-1][1]) < MAX_RESULT + 100
    assert replay(TASK, RULES, ends).steps[1].output == large


# -- answers by a schema --------------------------------------------------------------------------


def test_an_answer_by_a_schema_is_parsed() -> None:
    settings = rules(schema={"type": "object"})

    [child] = next_children(settings=settings)
    assert child.inputs["schema"] == {"type": "object"}
    assert replay(TASK, settings, [turn('{"a": 1}')]).next == AgentEnd('{"a": 1}', {"a": 1})
    assert failure_of(turn("no"), settings=settings).code == "PROVIDER_BAD_RESPONSE"


# -- approvals ------------------------------------------------------------------------------------


def answer(decision: str, **members: Any) -> EndedChild:
    return ended({"decision": decision, "by": {"kind": "key"}, "at": "then", **members})


def test_a_person_is_asked_before_chosen_tools_and_all_calls_wait() -> None:
    settings = rules(approve=("refund-order",))

    [asked] = next_children(turn("", FIND, REFUND), settings=settings)

    assert asked.part is PartKind.APPROVAL
    assert asked.inputs == {
        "tool": "refund-order",
        "shown": '{"id":7,"amount":30}',
        "arguments": {"id": 7, "amount": 30},
    }
    ends = turn("", FIND, REFUND), answer("approve")
    assert [each.workflow for each in next_children(*ends, settings=settings)] == [
        "find-order",
        "refund-order",
    ]


def test_a_refusal_is_a_result_for_the_model() -> None:
    settings = rules(approve=("refund-order",))
    ends = [turn("", FIND, REFUND), answer("refuse", note="Too much")]

    assert [each.workflow for each in next_children(*ends, settings=settings)] == ["find-order"]
    found = messages_after(*ends, ended("Oslo"), settings=settings)
    assert found[-2:] == [
        ("tool", "Oslo"),
        ("tool", "A person refused the call, with the note: Too much"),
    ]
    step = replay(TASK, settings, ends).steps[2]
    assert step.error is not None and step.error["code"] == "refused"
    assert step.approval is not None
    assert (step.approval.decision, step.approval.note) == ("refuse", "Too much")


def test_a_call_that_nobody_approves_is_refused() -> None:
    settings = rules(approve=("refund-order",))
    end = answer("refuse", by={"kind": "timeout"})

    assert messages_after(turn("", REFUND), end, settings=settings)[-1] == (
        "tool",
        "The call was refused: nobody approved it in time",
    )


def test_a_name_to_approve_of_no_tool_fails_the_node() -> None:
    failure = failure_of(settings=rules(approve=("refund_order",)))

    assert (failure.code, "refund_order" in failure.message) == ("tool_not_found", True)


# -- tools of servers -----------------------------------------------------------------------------

SERVER = rules(servers=(ServerTools(position=2),))
LISTED = [{"name": "get weather", "description": "Tells it", "inputSchema": {"type": "object"}}]


def test_tools_of_servers_are_listed_first_and_get_names_for_models() -> None:
    [listing] = next_children(settings=SERVER)
    assert (listing.part, listing.server) == (PartKind.TOOLS, 2)

    [child] = next_children(ended(LISTED), settings=SERVER)
    assert [each["name"] for each in child.inputs["tools"]][-1] == "get_weather"
    assert replay(TASK, SERVER, [ended(LISTED)]).steps[0].kind is StepKind.MODEL

    call = turn("", ("get_weather", {"at": "Oslo"}))
    [child] = next_children(ended(LISTED), call, settings=SERVER)
    assert (child.part, child.server) == (PartKind.CALL, 2)
    assert child.inputs == {"tool": "get weather", "arguments": {"at": "Oslo"}}


def test_an_error_of_a_remote_tool_is_a_result_and_a_failed_step() -> None:
    ends = [
        ended(LISTED),
        turn("", ("get_weather", {})),
        ended({"text": "No such place", "value": None, "isError": True}),
    ]

    assert messages_after(*ends, settings=SERVER)[-1] == ("tool", "No such place")
    step = replay(TASK, SERVER, ends).steps[1]
    assert (step.status, step.error) == (
        StepStatus.FAILED,
        {"code": "tool_failed", "message": "No such place"},
    )


def test_tools_with_one_name_fail_the_node() -> None:
    listed = [{"name": "find-order", "inputSchema": {}}]

    assert failure_of(ended(listed), settings=SERVER).code == "tool_names_collide"


def test_a_server_that_cannot_be_listed_fails_the_node() -> None:
    failure = failure_of(failed("url_blocked", "It is private"), settings=SERVER)

    assert (failure.code, failure.message) == (
        "url_blocked",
        "Tools of server 3: It is private",
    )
