import base64
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

PATH = "/v1/messages"
KEYED = {"x-api-key": "sk", "anthropic-version": "2023-06-01"}


def body_of(content: Any = "Name a red thing", **rest: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": content}]
    return {"model": "claude-x", "max_tokens": 100, "messages": messages, **rest}


def test_a_message_names_the_stub_and_tells_its_usage(stub: TestClient) -> None:
    answer = stub.post(PATH, json=body_of(system="Be brief"), headers=KEYED)

    reply = answer.json()
    assert answer.headers["request-id"].startswith("req_")
    assert (reply["type"], reply["role"], reply["model"]) == ("message", "assistant", "claude-x")
    assert reply["content"] == [{"type": "text", "text": "(stub) Name a red thing"}]
    assert (reply["stop_reason"], reply["stop_sequence"]) == ("end_turn", None)
    assert reply["usage"] == {"input_tokens": 6, "output_tokens": 6}


def test_the_prompt_is_what_the_user_said_last(stub: TestClient) -> None:
    body = body_of()
    body["messages"].append({"role": "assistant", "content": "A rose, then"})

    reply = stub.post(PATH, json=body, headers=KEYED).json()

    assert reply["content"][0]["text"] == "(stub) Name a red thing"


def test_a_message_ends_at_max_tokens(stub: TestClient) -> None:
    reply = stub.post(PATH, json=body_of(max_tokens=2), headers=KEYED).json()

    assert reply["content"][0]["text"] == "(stub) N"
    assert reply["stop_reason"] == "max_tokens"
    assert reply["usage"]["output_tokens"] == 2


def test_a_stream_has_the_events_of_its_protocol(stub: TestClient) -> None:
    answer = stub.post(PATH, json=body_of(stream=True), headers=KEYED)

    reported = [block.split("\n") for block in answer.text.split("\n\n") if block]
    kinds = [event.removeprefix("event: ") for event, _ in reported]
    values = [json.loads(data.removeprefix("data: ")) for _, data in reported]
    deltas = [value["delta"]["text"] for value in values if value["type"] == "content_block_delta"]
    assert kinds == [value["type"] for value in values]
    assert kinds[:3] == ["message_start", "content_block_start", "ping"]
    assert kinds[3:-3] == ["content_block_delta"] * len(deltas)
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert "".join(deltas) == "(stub) Name a red thing"
    assert values[0]["message"]["usage"]["input_tokens"] == 4
    assert values[-2]["delta"]["stop_reason"] == "end_turn"
    assert values[-2]["usage"] == {"output_tokens": 6}


def test_images_are_taken_as_base64_and_by_url(stub: TestClient) -> None:
    data = base64.b64encode(b"pixel").decode()
    parts = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        {"type": "text", "text": "What is it?"},
    ]

    reply = stub.post(PATH, json=body_of(parts), headers=KEYED).json()

    assert reply["content"][0]["text"] == "(stub) What is it? [2 images seen]"


def test_a_tool_that_must_be_used_is_used(stub: TestClient) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 4}},
        "required": ["n"],
    }
    tools = {"tools": [{"name": "count", "input_schema": schema}]}
    choice = {"tool_choice": {"type": "tool", "name": "count"}}

    reply = stub.post(PATH, json=body_of(**tools, **choice), headers=KEYED).json()

    assert reply["stop_reason"] == "tool_use"
    assert reply["content"][0]["name"] == "count"
    assert reply["content"][0]["input"] == {"n": 4}


def test_a_format_gets_a_text_that_fits_it(stub: TestClient) -> None:
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    wanted = {"output_config": {"format": {"type": "json_schema", "schema": schema}}}

    reply = stub.post(PATH, json=body_of(**wanted), headers=KEYED).json()

    assert json.loads(reply["content"][0]["text"]) == {"ok": True}


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({"anthropic-version": "2023-06-01"}, 401, "authentication_error"),
        ({**KEYED, "x-api-key": "sk-wrong"}, 401, "authentication_error"),
        ({"x-api-key": "sk"}, 400, "invalid_request_error"),
    ],
)
def test_a_call_without_its_headers_is_refused(
    stub: TestClient, headers: dict[str, str], status: int, kind: str
) -> None:
    answer = stub.post(PATH, json=body_of(), headers=headers)

    assert answer.status_code == status
    assert answer.json()["type"] == "error"
    assert answer.json()["error"]["type"] == kind
    assert answer.json()["request_id"] == answer.headers["request-id"]


def test_a_bearer_token_is_a_key_too(stub: TestClient) -> None:
    headers = {"authorization": "Bearer sk", "anthropic-version": "2023-06-01"}

    assert stub.post(PATH, json=body_of(), headers=headers).status_code == 200


@pytest.mark.parametrize("name", ["model", "max_tokens", "messages"])
def test_a_message_without_what_it_needs_is_refused(stub: TestClient, name: str) -> None:
    body = body_of()
    del body[name]

    answer = stub.post(PATH, json=body, headers=KEYED)

    assert (answer.status_code, answer.json()["error"]["message"]) == (
        400,
        f"{name}: Field required",
    )


@pytest.mark.parametrize(
    "content",
    [
        7,
        [{"type": "song"}],
        [
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "%%"},
            }
        ],
        [{"type": "image", "source": {"type": "base64", "media_type": "a/b", "data": "aGk="}}],
    ],
)
def test_content_that_is_none_is_refused(stub: TestClient, content: Any) -> None:
    answer = stub.post(PATH, json=body_of(content), headers=KEYED)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("status", "kind"), [(429, "rate_limit_error"), (500, "api_error"), (529, "overloaded_error")]
)
def test_a_scripted_failure_has_anthropics_form(stub: TestClient, status: int, kind: str) -> None:
    answer = stub.post(PATH, json=body_of(), headers={**KEYED, "x-stub": f"fail={status}"})

    assert answer.status_code == status
    assert answer.json()["error"]["type"] == kind
    assert ("anthropic-ratelimit-requests-reset" in answer.headers) == (status == 429)
