"""Tools in Anthropic's messages as the stub speaks them."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

PATH = "/v1/messages"
KEYED = {"x-api-key": "sk", "anthropic-version": "2023-06-01"}
USER = {"role": "user", "content": "Where is order A-7?"}
SCHEMA = {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]}
TOOL = {"name": "find-order", "input_schema": SCHEMA}


def ask(stub: TestClient, *messages: Any, script: str = "", **body: Any) -> Any:
    request = {"model": "claude-x", "max_tokens": 100, "messages": [USER, *messages]}
    headers = {**KEYED, "x-stub": script}
    return stub.post(PATH, json={**request, "tools": [TOOL], **body}, headers=headers)


def result_of(call: Any, **more: Any) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": call["id"], "content": "on its way", **more}
    return {"role": "user", "content": [block]}


def test_a_tool_is_called_and_its_result_told(stub: TestClient) -> None:
    first = ask(stub).json()
    thought, text, call = first["content"]
    second = ask(stub, {"role": "assistant", "content": first["content"]}, result_of(call)).json()

    assert first["stop_reason"] == "tool_use"
    assert thought["type"] == "thinking" and thought["signature"]
    assert text == {"type": "text", "text": "(stub) I call find-order."}
    assert (call["name"], call["input"]) == ("find-order", {"number": "A-7"})
    assert second["content"] == [{"type": "text", "text": "(stub) find-order: on its way"}]
    assert second["stop_reason"] == "end_turn"


def test_a_failed_tool_is_told_as_such(stub: TestClient) -> None:
    content = ask(stub).json()["content"]
    failed = result_of(content[-1], is_error=True, content=[{"type": "text", "text": "no"}])

    told = ask(stub, {"role": "assistant", "content": content}, failed).json()

    assert told["content"][0]["text"] == "(stub) find-order failed: no"


def test_a_stream_has_the_blocks_in_pieces(stub: TestClient) -> None:
    text = ask(stub, stream=True).text
    events = [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ")]
    deltas = [each["delta"] for each in events if each["type"] == "content_block_delta"]

    arguments = "".join(each.get("partial_json", "") for each in deltas)
    assert json.loads(arguments) == {"number": "A-7"}
    assert [each["type"] for each in deltas if each["type"] == "signature_delta"]
    assert [each["index"] for each in events if each["type"] == "content_block_start"] == [0, 1, 2]


def test_changed_thoughts_are_refused(stub: TestClient) -> None:
    thought, _, call = ask(stub).json()["content"]
    changed = {"role": "assistant", "content": [{**thought, "thinking": "other"}, call]}

    assert ask(stub, changed, result_of(call)).status_code == 400


@pytest.mark.parametrize(
    "tools",
    [[{}], [{"name": "a b", "input_schema": SCHEMA}], [{**TOOL, "input_schema": {}}], [TOOL] * 2],
)
def test_wrong_tools_are_refused(stub: TestClient, tools: Any) -> None:
    assert ask(stub, tools=tools).status_code == 400


def test_calls_and_results_must_fit(stub: TestClient) -> None:
    call = {"type": "tool_use", "id": "c1", "name": "a", "input": {}}
    asked = {"role": "assistant", "content": [call]}

    for messages in (
        [asked],
        [asked, USER],
        [result_of(call)],
        [asked, result_of(call), result_of(call)],
        [{"role": "assistant", "content": [{"type": "tool_use"}]}],
    ):
        assert ask(stub, *messages).status_code == 400, messages


@pytest.mark.parametrize("odd", ["twice", "no-id", "same-id", "null", "broken", "list", "cut"])
def test_calls_may_be_odd(stub: TestClient, odd: str) -> None:
    content = ask(stub, script=f"call=find-order+find-order odd={odd}").json()["content"]

    calls = [each for each in content if each["type"] == "tool_use"]
    assert len(calls) == (4 if odd == "twice" else 2)
    assert len({each.get("id") for each in calls}) == (1 if odd in ("no-id", "same-id") else 2)
