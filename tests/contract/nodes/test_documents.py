"""Nodes on documents and their texts over HTTP: reading, splitting, and nearest items."""

from typing import Any

import pytest

from engine.media.documents.types import CSV, PDF, XLSX
from tests.support.contract.approvals import node_of
from tests.support.contract.installation import Caller, workflow
from tests.support.documents.office_files import xlsx
from tests.support.documents.small_pdf import small_pdf
from tests.support.gateway.documents import edge, node

FORM = node("form", "requestInput", fields=[{"name": "paper", "type": "file"}])
OUTPUTS = ("text-out", "pages-out", "tables-out")
OUT = node("out", "responseOutput", fields=[{"name": name} for name in OUTPUTS])
SHEET = xlsx('<row r="1"><c r="A1"><v>1.5</v></c><c r="B1" t="b"><v>1</v></c></row>')
TEXT = "Lids are sold in pairs. Cups are not. " * 9


def reading(**data: Any) -> dict[str, Any]:
    """Return a workflow that answers with all outputs of a document of its form."""
    edges = [edge("form", "paper", "read", "file-in")]
    edges += [edge("read", name, "out", name) for name in OUTPUTS]
    return workflow([FORM, node("read", "documentText", **data), OUT], edges)


def read(caller: Caller, data: bytes, content_type: str, **settings: Any) -> Any:
    """Return the ended execution that reads a document."""
    headers = {"content-type": content_type}
    asset = caller.request("POST", "/api/assets", content=data, headers=headers)
    assert asset.status_code == 201, asset.text
    slug = caller.save(reading(**settings))
    return caller.ended(caller.start(slug, {"paper": asset.json()["id"]}))


def outputs(caller: Caller, data: bytes, content_type: str) -> tuple[Any, ...]:
    result = read(caller, data, content_type)["result"]
    return tuple(result[name] for name in OUTPUTS)


def test_a_pdf_has_a_text_for_each_page(caller: Caller) -> None:
    text, pages, tables = outputs(caller, small_pdf("One lid", "Two lids"), PDF)

    assert (pages, tables) == (["One lid", "Two lids"], [])
    assert text == "One lid\n\nTwo lids"


def test_cells_of_text_files_are_texts_and_those_of_sheets_values(caller: Caller) -> None:
    text, pages, tables = outputs(caller, b"name,count\nlid,2\n", CSV)

    assert tables == [[["name", "count"], ["lid", "2"]]]
    assert pages == [text] and "| lid | 2 |" in text
    assert outputs(caller, SHEET, XLSX)[2] == [[[1.5, True]]]


@pytest.mark.parametrize(
    ("data", "settings", "reason"),
    [
        (small_pdf("a")[:200], {}, "broken"),
        (small_pdf(*"abc"), {"maxPages": 2}, "3 pages; at most 2"),
    ],
)
def test_a_document_that_cannot_be_read_fails_with_the_reason(
    caller: Caller, data: bytes, settings: dict[str, Any], reason: str
) -> None:
    execution = read(caller, data, PDF, **settings)

    assert execution["status"] == "failed"
    assert node_of(execution, "read")["error"]["code"] == "document_unreadable"
    assert reason in execution["error"]["message"]


@pytest.mark.parametrize(
    ("kind", "data", "field"),
    [
        ("documentText", {"maxPages": 0}, "maxPages"),
        ("documentText", {"maxPages": 2_001}, "maxPages"),
        ("documentText", {"ocr": "always"}, "ocr"),
        ("splitText", {"by": "pages"}, "by"),
        ("splitText", {"size": 10, "overlap": 10}, "overlap"),
        ("nearest", {"k": 0}, "k"),
    ],
)
def test_settings_out_of_range_are_problems_at_save(
    caller: Caller, kind: str, data: dict[str, Any], field: str
) -> None:
    refused = caller.create(workflow([node("n", kind, **data)], []))

    assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_GRAPH"), refused.text
    assert any(each["reason"].startswith(field) for each in refused.json()["problems"])


@pytest.mark.parametrize("by", ["characters", "sentences", "headings"])
def test_chunks_without_their_overlap_are_the_text(caller: Caller, by: str) -> None:
    text = node("text", "textBox", text=TEXT)
    split = node("split", "splitText", size=50, overlap=8, by=by)
    edges = [
        edge("text", "text-out", "split", "text-in"),
        edge("split", "chunks-out", "out", "result-in"),
    ]

    chunks = caller.result([text, split, node("out", "responseOutput")], edges)

    assert max(map(len, chunks)) <= 50
    assert chunks[0] + "".join(chunk[8:] for chunk in chunks[1:]) == TEXT


def nearest(caller: Caller, query: Any, vectors: Any, items: Any, k: int = 2) -> Any:
    """Return the ended execution of a node `nearest` with these inputs."""
    names = {"query": query, "vectors": vectors, "items": items}
    form = node("form", "requestInput", fields=[{"name": name, "type": "json"} for name in names])
    end = node("out", "responseOutput", fields=[{"name": "items"}, {"name": "scores"}])
    edges = [
        *(edge("form", name, "near", f"{name}-in") for name in names),
        *(edge("near", f"{name}-out", "out", name) for name in ("items", "scores")),
    ]
    slug = caller.save(workflow([form, node("near", "nearest", k=k), end], edges))
    return caller.ended(caller.start(slug, names))


def test_the_nearest_items_come_with_their_cosines(caller: Caller) -> None:
    vectors = [[0, 1], [2, 0], [1, 1], [0, 0]]

    found = nearest(caller, [3, 0], vectors, ["up", "right", "both", "none"], k=4)["result"]

    assert found["items"] == ["right", "both", "up", "none"]
    assert found["scores"] == pytest.approx([1, 0.5**0.5, 0, 0])


@pytest.mark.parametrize(
    ("query", "vectors", "items"),
    [([1, 0], [[1, 0]], ["a", "b"]), ([1, 0], [[1, 0, 0]], ["a"]), ([1, "x"], [[1, 0]], ["a"])],
)
def test_vectors_that_do_not_fit_fail_the_node(
    caller: Caller, query: Any, vectors: Any, items: Any
) -> None:
    execution = nearest(caller, query, vectors, items)

    assert node_of(execution, "near")["error"]["code"] == "invalid_value"
