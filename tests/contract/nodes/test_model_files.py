"""Files of models over HTTP: PDFs as they are, or their text, at prices that are known before."""

from typing import Any

import httpx2
import pytest

from engine.media.documents.types import PDF
from tests.support.contract.installation import Caller, workflow
from tests.support.contract.replays import ended_replay, start_replay
from tests.support.documents.bill import BILL, BILL_READ, BILL_SCHEMA
from tests.support.documents.small_pdf import small_pdf
from tests.support.gateway.documents import edge, node

LETTER = small_pdf("Dear Ada, the lid broke.")
LONG = small_pdf(*["Page"] * 5)
FORM = node("form", "requestInput", fields=[{"name": "paper", "type": "file"}])
OUT = node("out", "responseOutput")


def upload(caller: Caller, data: bytes, kind: str = PDF, name: str = "a.pdf") -> str:
    answer = caller.request("POST", "/api/assets", files={"file": (name, data, kind)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def reading(kind: str, output: str, **data: Any) -> dict[str, Any]:
    """Return a workflow with a node of a model that gets the file of the form."""
    asked = node("m", kind, **{"prompt": "Read it", **data})
    edges = [edge("form", "paper", "m", "file-in"), edge("m", output, "out", "result-in")]
    return workflow([FORM, asked, OUT], edges)


def run(caller: Caller, document: dict[str, Any], asset: str, query: str = "") -> httpx2.Response:
    return caller.run(caller.save(document), {"paper": asset}, query)


def result(caller: Caller, document: dict[str, Any], asset: str) -> Any:
    answer = run(caller, document, asset)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def refused(answer: httpx2.Response, code: str) -> str:
    body = answer.json()
    assert body["code"] == code, body
    return str(body["error"])


def test_a_pdf_gives_one_json_as_it_is_and_as_text(
    caller: Caller, reader: str, writer: str
) -> None:
    bill = upload(caller, BILL)

    found = [
        result(caller, reading("assistant", "json-out", model=name, jsonSchema=BILL_SCHEMA), bill)
        for name in (reader, writer)
    ]

    assert found == [BILL_READ, BILL_READ]


def test_other_documents_are_text_before_the_prompt(caller: Caller, reader: str) -> None:
    notes = upload(caller, b"# Lids", "text/markdown", "notes.md")

    text = result(caller, reading("assistant", "text-out", model=reader), notes)["text"]

    assert text == '(stub) <document index="1">\n# Lids\n</document>\n\nRead it'


def test_a_run_without_the_file_asks_without_it(caller: Caller, reader: str) -> None:
    slug = caller.save(reading("assistant", "text-out", model=reader))

    assert caller.run(slug).json()["result"] == {"text": "(stub) Read it"}


def test_an_agent_reads_files(caller: Caller, reader: str, writer: str) -> None:
    letter = upload(caller, LETTER)

    for name in (reader, writer):
        text = result(caller, reading("agent", "text-out", model=name), letter)["text"]
        assert "the lid broke" in text and "Read it" in text


def test_a_model_takes_a_file_or_a_list_of_them(caller: Caller, reader: str) -> None:
    bill, letter = upload(caller, BILL), upload(caller, LETTER)

    for files in (bill, [bill, letter]):
        answer = caller.run_model(reader, {"prompt": "Read it", "file": files})
        assert answer.status_code == 200, answer.text
        text = answer.json()["result"]["text"]
        assert ("Mill Lane" in text, "the lid broke" in text) == (True, files != bill)


def test_a_form_of_a_workflow_takes_one_file(caller: Caller, reader: str) -> None:
    bill = upload(caller, BILL)
    slug = caller.save(reading("assistant", "text-out", model=reader))

    answer = caller.run(slug, {"paper": [bill, bill]})

    assert "must be the id of an asset or a URL" in refused(answer, "INVALID_INPUTS")


@pytest.mark.parametrize("listed", [False, True])
def test_a_model_takes_no_other_file(caller: Caller, reader: str, listed: bool) -> None:
    table = upload(caller, b"a,b\n1,2\n", "text/csv", "a.csv")
    files = [upload(caller, BILL), table] if listed else table

    answer = caller.run_model(reader, {"prompt": "Read it", "file": files})

    assert answer.status_code == 400
    assert "documentText" in refused(answer, "INVALID_INPUTS")


def test_files_cost_no_more_than_what_is_reserved(caller: Caller, reader: str, writer: str) -> None:
    paper = upload(caller, LONG)
    for name in (reader, writer):
        document = reading("assistant", "text-out", model=name)
        refusal = run(caller, document, paper, "?max_credits=1")
        estimate = refusal.json()["estimate"]

        answer = run(caller, document, paper, f"?max_credits={estimate}")

        assert refusal.status_code == 402 and estimate >= 10
        assert answer.status_code == 200, answer.text
        assert 0 < answer.json()["cost"] <= estimate
        # The pages alone have 5 × 258 tokens at the provider: the bound of the price counts.
        assert (answer.json()["cost"] == estimate) is (name == reader)


def test_the_file_of_an_agent_costs_no_more_than_the_bound_of_the_price(
    caller: Caller, reader: str
) -> None:
    paper = upload(caller, small_pdf(*["Page"] * 50))

    answer = run(caller, reading("agent", "text-out", model=reader), paper)

    # 50 × 258 tokens at the provider are 155 credits; `atMost`, or what goes beside the file, 14.
    assert answer.status_code == 200, answer.text
    assert 12 <= answer.json()["cost"] <= 15


def test_a_draft_takes_over_the_answer_for_the_same_file(caller: Caller, reader: str) -> None:
    bill = upload(caller, BILL)
    slug = caller.save(reading("assistant", "text-out", model=reader))
    first = caller.run(slug, {"paper": bill}).json()
    path = f"/api/workflows/{slug}/draft"
    document = caller.get(f"/api/workflows/{slug}").json()
    members = {name: document[name] for name in ("name", "nodes", "edges")}
    assert caller.put(path, members).status_code == 200

    body = {"inputs": {"paper": bill}, "from": first["executionId"]}
    again = caller.post(f"{path}/run", body).json()

    assert again["result"] == first["result"]
    assert (first["cost"] > 0, again["cost"]) == (True, 0)


def test_a_replay_finds_what_was_recorded_for_the_same_file(caller: Caller, reader: str) -> None:
    bill = upload(caller, BILL)
    slug = caller.save(reading("assistant", "text-out", model=reader))
    caller.run(slug, {"paper": bill})

    begun = start_replay(caller, slug, last=1, against=1, calls="recorded").json()
    ended = ended_replay(caller, begun["replayId"])

    [row] = ended["rows"]
    assert (row["verdict"], row["after"]["creditsCost"]) == ("same", 0)
