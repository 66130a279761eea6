"""Tools in OpenAI's chats as the stub speaks them."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

CHAT = "/v1/chat/completions"
USER = {"role": "user", "content": "Where is order A-7?"}
SCHEMA = {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]}
TOOL = {"type": "function", "function": {"name": "find-order", "parameters": SCHEMA}}


def ask(stub: TestClient, *messages: Any, script: str = "", **body: Any) -> Any:
    request = {"model": "m", "messages": [USER, *messages], "tools": [TOOL], **body}
    return stub.post(CHAT, json=request, headers={"x-stub": script})


def message_of(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["choices"][0]["message"]


def result_of(call: Any, content: str = "on its way") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call["id"], "content": content}


def test_a_tool_is_called_and_its_result_told(stub: TestClient) -> None:
    first = ask(stub)
    asked = message_of(first)
    (call,) = asked["tool_calls"]
    second = ask(stub, asked, result_of(call))

    assert first.json()["choices"][0]["finish_reason"] == "tool_calls"
    assert asked["content"] == "(stub) I call find-order."
    assert call["function"]["name"] == "find-order"
    assert json.loads(call["function"]["arguments"]) == {"number": "A-7"}
    assert message_of(second)["content"] == "(stub) find-order: on its way"
    assert second.json()["choices"][0]["finish_reason"] == "stop"


def test_no_tool_is_called_where_none_may_be(stub: TestClient) -> None:
    assert "tool_calls" not in message_of(ask(stub, tool_choice="none"))


def test_a_stream_has_the_calls_in_pieces(stub: TestClient) -> None:
    lines = ask(stub, stream=True).text.split("\n\n")
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines if "{" in line]
    deltas = [each["choices"][0]["delta"] for each in chunks]
    pieces = [each["tool_calls"][0] for each in deltas if "tool_calls" in each]

    assert pieces[0]["id"] and pieces[0]["function"] == {"name": "find-order", "arguments": ""}
    assert json.loads("".join(each["function"]["arguments"] for each in pieces)) == {
        "number": "A-7"
    }
    assert {each["index"] for each in pieces} == {0}
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_signatures_of_gemini_must_come_back(stub: TestClient) -> None:
    asked = message_of(ask(stub, model="gemini-x"))
    (call,) = asked["tool_calls"]
    bare = {**asked, "tool_calls": [{k: v for k, v in call.items() if k != "extra_content"}]}

    assert ask(stub, asked, result_of(call), model="gemini-x").status_code == 200
    refused = ask(stub, bare, result_of(call), model="gemini-x")
    assert (refused.status_code, "thought_signature" in refused.text) == (400, True)


@pytest.mark.parametrize(
    "tools",
    [
        {},
        [],
        [{}],
        [{"function": {"name": "find order"}}],
        [{"function": {"name": "a", "parameters": []}}],
        [{"function": {"name": "a", "parameters": {"type": "array"}}}],
        [{"function": {"name": "a", "description": 1}}],
        [TOOL, TOOL],
    ],
)
def test_wrong_tools_are_refused(stub: TestClient, tools: Any) -> None:
    assert ask(stub, tools=tools).status_code == 400


def test_calls_and_results_must_fit(stub: TestClient) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "a", "arguments": "{}"}}
    asked = {"role": "assistant", "content": None, "tool_calls": [call]}

    for messages in (
        [asked],
        [asked, USER],
        [result_of(call)],
        [asked, result_of(call), result_of(call)],
        [{**asked, "tool_calls": [{}]}],
        [{**asked, "tool_calls": "x"}],
    ):
        assert ask(stub, *messages).status_code == 400, messages


@pytest.mark.parametrize("odd", ["twice", "no-id", "same-id", "null", "broken", "list", "cut"])
def test_calls_may_be_odd(stub: TestClient, odd: str) -> None:
    calls = message_of(ask(stub, script=f"call=find-order+find-order odd={odd}"))["tool_calls"]

    arguments = calls[0]["function"]["arguments"]
    ids = {each.get("id") for each in calls}
    assert (len(calls), len(ids)) == {
        "twice": (4, 2),
        "no-id": (2, 1),
        "same-id": (2, 1),
    }.get(odd, (2, 2))
    assert arguments == {"null": None, "list": "[1]"}.get(
        odd, '{"broken": ' if odd in ("broken", "cut") else '{"number":"A-7"}'
    )


def test_an_unknown_oddity_is_refused(stub: TestClient) -> None:
    assert ask(stub, script="odd=strange").status_code == 400
