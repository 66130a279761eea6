"""PDFs in the stub: each protocol takes them in its form, and answers follow from their text."""

import base64
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from engine.media.documents.types import PDF
from tests.support.documents.bill import BILL, BILL_READ, BILL_SCHEMA
from tests.support.documents.small_pdf import small_pdf

DATA = base64.b64encode(BILL).decode()
WRONG = [
    (PDF, "not base64"),
    (PDF, base64.b64encode(b"name;total").decode()),
    (PDF, base64.b64encode(b"%PDF-1.7 broken").decode()),
    ("text/csv", DATA),
]


def ask_openai(stub: TestClient, kind: str, data: str, **more: Any) -> Any:
    file = {"filename": "bill.pdf", "file_data": f"data:{kind};base64,{data}"}
    content = [{"type": "file", "file": file}, {"type": "text", "text": "Read it"}]
    body = {"model": "m", "messages": [{"role": "user", "content": content}], **more}
    return stub.post("/v1/chat/completions", json=body)


def ask_anthropic(stub: TestClient, kind: str, data: str, **more: Any) -> Any:
    source = {"type": "base64", "media_type": kind, "data": data}
    content = [{"type": "document", "source": source}, {"type": "text", "text": "Read it"}]
    messages = [{"role": "user", "content": content}]
    body = {"model": "m", "max_tokens": 200, "messages": messages, **more}
    headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
    return stub.post("/v1/messages", json=body, headers=headers)


def ask_gemini(stub: TestClient, kind: str, data: str) -> Any:
    parts = [{"inlineData": {"mimeType": kind, "data": data}}, {"text": "Read it"}]
    body = {"contents": [{"role": "user", "parts": parts}]}
    path = "/v1beta/models/gemini-any:generateContent"
    return stub.post(path, json=body, headers={"x-goog-api-key": "k"})


def test_openais_answer_has_the_values_of_the_document(stub: TestClient) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "bill", "schema": BILL_SCHEMA}}

    reply = ask_openai(stub, PDF, DATA, response_format=wanted).json()

    assert json.loads(reply["choices"][0]["message"]["content"]) == BILL_READ
    assert reply["usage"]["prompt_tokens"] > 2 * 258


def test_anthropics_answer_has_the_values_of_the_document(stub: TestClient) -> None:
    wanted = {"format": {"type": "json_schema", "schema": BILL_SCHEMA}}

    reply = ask_anthropic(stub, PDF, DATA, output_config=wanted).json()

    assert json.loads(reply["content"][0]["text"]) == BILL_READ
    assert reply["usage"]["input_tokens"] > 2 * 258


def test_geminis_answer_follows_from_the_document(stub: TestClient) -> None:
    reply = ask_gemini(stub, PDF, DATA).json()

    text = reply["candidates"][0]["content"]["parts"][0]["text"]
    assert "Total: 144.00" in text and "Read it" in text
    assert reply["usageMetadata"]["promptTokenCount"] > 2 * 258


@pytest.mark.parametrize("ask", [ask_openai, ask_anthropic, ask_gemini])
@pytest.mark.parametrize(("kind", "data"), WRONG)
def test_other_types_and_broken_documents_are_refused(
    stub: TestClient, ask: Any, kind: str, data: str
) -> None:
    assert ask(stub, kind, data).status_code == 400


@pytest.mark.parametrize(("pages", "status"), [(100, 200), (101, 400)])
def test_a_document_has_a_hundred_pages_at_most(stub: TestClient, pages: int, status: int) -> None:
    data = base64.b64encode(small_pdf(*["x"] * pages)).decode()

    assert ask_openai(stub, PDF, data).status_code == status


def test_openai_wants_the_name_of_a_file(stub: TestClient) -> None:
    file = {"file_data": f"data:{PDF};base64,{DATA}"}
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": [{"type": "file", "file": file}]}],
    }

    answer = stub.post("/v1/chat/completions", json=body)

    assert (answer.status_code, "filename" in answer.json()["error"]["message"]) == (400, True)
