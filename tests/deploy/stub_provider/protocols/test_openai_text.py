"""OpenAI's text protocol as the stub speaks it."""

import base64
import json
import struct
from typing import Any

import jsonschema_rs
import pytest
from starlette.testclient import TestClient

CHAT = "/v1/chat/completions"
PIXEL = "data:image/png;base64," + base64.b64encode(b"pixel").decode()


def user(content: Any) -> list[dict[str, Any]]:
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": content}]


def events(text: str) -> list[str]:
    assert all(line.startswith("data: ") for line in text.split("\n\n") if line)
    return [line.removeprefix("data: ") for line in text.split("\n\n") if line]


def test_a_chat_answer_names_the_stub_and_echoes_the_last_prompt(stub: TestClient) -> None:
    answer = stub.post(CHAT, json={"model": "gpt-x", "messages": user("Name a red thing")})

    reply = answer.json()
    assert answer.status_code == 200
    assert answer.headers["x-stub-provider"] == "headrace"
    assert answer.headers["x-request-id"].startswith("req_")
    assert reply["object"] == "chat.completion"
    assert reply["model"] == "gpt-x"
    assert reply["choices"][0]["message"]["content"] == "(stub) Name a red thing"
    assert reply["choices"][0]["finish_reason"] == "stop"
    usage = reply["usage"]
    assert usage["prompt_tokens"] == 7
    assert usage["completion_tokens"] == 6
    assert usage["total_tokens"] == 13


def test_the_prompt_is_what_the_user_said_last(stub: TestClient) -> None:
    messages = [*user("One"), *user("Two"), {"role": "assistant", "content": "So"}]

    reply = stub.post(CHAT, json={"model": "m", "messages": messages}).json()

    assert reply["choices"][0]["message"]["content"] == "(stub) Two"


def test_a_stream_adds_up_to_the_whole_answer_and_ends_with_its_usage(stub: TestClient) -> None:
    body = {"model": "m", "messages": user("One two  three\n")}

    whole = stub.post(CHAT, json=body).json()
    options = {"stream": True, "stream_options": {"include_usage": True}}
    answer = stub.post(CHAT, json={**body, **options})

    assert answer.headers["content-type"].startswith("text/event-stream")
    *reported, done = events(answer.text)
    chunks = [json.loads(each) for each in reported]
    assert done == "[DONE]"
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    pieces = [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks[:-1]]
    assert "".join(pieces) == whole["choices"][0]["message"]["content"]
    assert len(pieces) > 4
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert (chunks[-1]["choices"], chunks[-1]["usage"]) == ([], whole["usage"])
    assert {chunk["usage"] is None for chunk in chunks[:-1]} == {True}
    assert len({chunk["id"] for chunk in chunks}) == 1


def test_a_stream_tells_its_usage_only_when_asked_to(stub: TestClient) -> None:
    answer = stub.post(CHAT, json={"model": "m", "stream": True, "messages": user("Hi")})

    assert "usage" not in answer.text


def test_an_answer_ends_where_its_tokens_do(stub: TestClient) -> None:
    body = {"model": "m", "messages": user("A long prompt indeed"), "max_tokens": 3}

    reply = stub.post(CHAT, json=body).json()

    assert reply["choices"][0]["message"]["content"] == "(stub) A lon"
    assert reply["choices"][0]["finish_reason"] == "length"
    assert reply["usage"]["completion_tokens"] == 3


def test_images_are_seen_and_counted(stub: TestClient) -> None:
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": PIXEL}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    ]

    reply = stub.post(CHAT, json={"model": "m", "messages": user(parts)}).json()

    assert reply["choices"][0]["message"]["content"] == "(stub) What is it? [2 images seen]"
    assert reply["usage"]["prompt_tokens"] > 170


def test_a_schema_gets_an_object_that_fits_it(stub: TestClient) -> None:
    schema = {
        "type": "object",
        "properties": {
            "title": {"type": "string", "maxLength": 12},
            "tags": {"type": "array", "items": {"type": "string"}, "minItems": 3, "maxItems": 3},
            "price": {"type": "integer", "minimum": 10, "maximum": 20},
        },
        "required": ["title", "tags", "price"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "thing", "schema": schema}}

    reply = stub.post(
        CHAT, json={"model": "m", "messages": user("A mug"), "response_format": wanted}
    ).json()

    made = json.loads(reply["choices"][0]["message"]["content"])
    jsonschema_rs.validate(schema, made)
    assert made["title"].startswith("(stub) A mug"[:12])


def test_an_object_without_a_schema_is_json(stub: TestClient) -> None:
    wanted = {"type": "json_object"}

    reply = stub.post(
        CHAT, json={"model": "m", "messages": user("A mug"), "response_format": wanted}
    ).json()

    made = json.loads(reply["choices"][0]["message"]["content"])
    assert made == {"stub": True, "text": "(stub) A mug"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": user("Hi")}, "model"),
        ({"model": "m"}, "messages"),
        ({"model": "m", "messages": []}, "messages"),
        ({"model": "m", "messages": user([{"type": "video"}])}, "messages"),
        (
            {
                "model": "m",
                "messages": user(
                    [{"type": "image_url", "image_url": {"url": "data:image/x,aGk="}}]
                ),
            },
            "messages",
        ),
        (
            {
                "model": "m",
                "messages": user(
                    [{"type": "image_url", "image_url": {"url": "data:image/x;base64,%%"}}]
                ),
            },
            "messages",
        ),
        (
            {"model": "m", "messages": user("x"), "response_format": {"type": "json_schema"}},
            "response_format",
        ),
    ],
)
def test_what_is_wrong_with_a_chat_is_said_in_openais_form(
    stub: TestClient, body: dict[str, Any], param: str
) -> None:
    answer = stub.post(CHAT, json=body)

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert error.keys() == {"message", "type", "param", "code"}


def test_a_body_that_is_not_json_is_refused(stub: TestClient) -> None:
    answer = stub.post(CHAT, content=b"{nothing")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, None)


def test_a_wrong_key_is_refused(stub: TestClient) -> None:
    body = {"model": "m", "messages": user("Hi")}

    refused = stub.post(CHAT, json=body, headers={"authorization": "Bearer sk-wrong"})
    taken = stub.post(CHAT, json=body, headers={"authorization": "Bearer sk-right"})

    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
    assert taken.status_code == 200


def test_vectors_are_the_texts_own_and_of_length_one(stub: TestClient) -> None:
    def embed(**body: Any) -> list[Any]:
        answer = stub.post("/v1/embeddings", json={"model": "m", "dimensions": 8, **body})
        return [each["embedding"] for each in answer.json()["data"]]

    one, other = embed(input=["red", "blue"])
    again = embed(input="red")[0]
    packed = embed(input="red", encoding_format="base64")[0]

    assert one == again != other
    assert sum(number**2 for number in one) == pytest.approx(1)
    assert struct.unpack("<8f", base64.b64decode(packed)) == pytest.approx(one)


def test_texts_that_share_words_have_near_vectors(stub: TestClient) -> None:
    texts = [
        "How do I send a parcel back?",
        "Parcels are sent back for free",
        "Reset your password",
    ]
    body = {"model": "m", "input": texts}

    question, near, far = (
        each["embedding"] for each in stub.post("/v1/embeddings", json=body).json()["data"]
    )

    def product(one: list[float], other: list[float]) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True))

    assert product(question, near) > product(question, far) + 0.2


def test_models_are_listed_and_any_name_is_known(stub: TestClient) -> None:
    names = [each["id"] for each in stub.get("/v1/models").json()["data"]]

    assert "stub-text" in names
    assert stub.get("/v1/models/acme/any").json()["id"] == "acme/any"
