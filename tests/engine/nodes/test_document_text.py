"""Document Text: its options, its lists, and its calls to the context."""

from dataclasses import dataclass
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.nodes import document_text, image_text, node_type
from engine.nodes.support.base import USUAL_DOCUMENT, WorkKind
from engine.nodes.support.documents import DocumentOptions, DocumentText
from engine.process.extras import install_hint
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"documentText": NodeSample(WorkKind.CPU, "Utilities", {"maxPages": 20})}
FIRST, SECOND = "https://a.example/1.pdf", "https://a.example/2.csv"


@dataclass
class Broken(FakeContext):
    """No document can be read."""

    async def read_document(
        self, url: str, options: DocumentOptions = USUAL_DOCUMENT
    ) -> DocumentText:
        raise NodeFailed("document_unreadable", "The document is broken")


def two_documents() -> FakeContext:
    return FakeContext(
        documents={
            FIRST: DocumentText(
                content_type="application/pdf", pages=("One", "", "Two"), tables=([["a"]],)
            ),
            SECOND: DocumentText(
                content_type="text/csv", pages=("| b |",), tables=([["b"]], [["c", None]])
            ),
        }
    )


async def test_a_document_gives_its_text_pages_and_tables() -> None:
    given = await run_node("documentText", {}, {"file-in": FIRST}, context=two_documents())

    assert given == {
        "text-out": "One\n\nTwo",
        "pages-out": ["One", "", "Two"],
        "tables-out": [[["a"]]],
    }


async def test_a_list_gives_a_text_for_each_document_and_all_pages_and_tables_in_order() -> None:
    given = await run_node(
        "documentText", {}, {"file-in": [FIRST, SECOND]}, context=two_documents()
    )

    assert given == {
        "text-out": ["One\n\nTwo", "| b |"],
        "pages-out": ["One", "", "Two", "| b |"],
        "tables-out": [[["a"]], [["b"]], [["c", None]]],
    }


async def test_outputs_without_an_edge_are_left_out_but_for_the_text() -> None:
    wired = [
        await run_node(
            "documentText",
            {},
            {"file-in": FIRST},
            context=two_documents(),
            wired=frozenset({output}),
        )
        for output in ("text-out", "pages-out", "tables-out")
    ]

    assert [list(each) for each in wired] == [
        ["text-out"],
        ["text-out", "pages-out"],
        ["text-out", "tables-out"],
    ]


@pytest.mark.parametrize(("name", "most"), [("MAX_CHARACTERS", 10), ("MAX_CELLS", 3)])
async def test_a_list_fails_before_its_documents_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    monkeypatch.setattr(document_text, name, most)
    context = two_documents()

    one = await run_node("documentText", {}, {"file-in": [SECOND]}, context=context)
    with pytest.raises(NodeFailed, match="have more than") as caught:
        await run_node("documentText", {}, {"file-in": [FIRST, SECOND, FIRST]}, context=context)

    assert one["text-out"] == ["| b |"]
    assert caught.value.code == "document_unreadable"


@pytest.mark.parametrize(
    ("data", "options"),
    [
        ({}, DocumentOptions(max_pages=500, reads_pictures=False)),
        ({"maxPages": 2_000, "ocr": "never"}, DocumentOptions(max_pages=2_000)),
        ({"maxPages": 1.0, "ocr": "auto"}, DocumentOptions(max_pages=1, reads_pictures=True)),
    ],
)
async def test_options_reach_the_reader(
    monkeypatch: pytest.MonkeyPatch, data: dict[str, Any], options: DocumentOptions
) -> None:
    monkeypatch.setattr(image_text, "is_installed", lambda: True)
    context = two_documents()

    await run_node("documentText", data, {"file-in": FIRST}, context=context)

    assert context.document_options == [options]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"maxPages": 0}, "maxPages must be a whole number from 1 to 2000"),
        ({"maxPages": 2_001}, "maxPages must be a whole number from 1 to 2000"),
        ({"ocr": "always"}, "ocr must be one of never, auto"),
    ],
)
def test_other_options_are_faults(data: dict[str, Any], reason: str) -> None:
    kind = node_type("documentText")
    assert kind is not None

    with pytest.raises(SettingsError) as caught:
        kind.parse(data)

    assert caught.value.reasons == (reason,)


def test_pictures_without_the_extra_are_a_problem_at_save_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(image_text, "is_installed", lambda: False)
    kind = node_type("documentText")
    assert kind is not None

    kind.parse({"ocr": "never"})
    with pytest.raises(SettingsError) as caught:
        kind.parse({"ocr": "auto"})

    assert install_hint("local-ocr") in caught.value.reasons[0]


@pytest.mark.parametrize(
    ("wired", "message"),
    [
        (None, "'file-in' takes the URL of a document, not null"),
        ([FIRST, 2], "Item 2: 'file-in' takes the URL of a document, not a number"),
        ([FIRST] * 101, "at most 100 items, not 101"),
    ],
)
async def test_what_is_no_document_fails_the_node(wired: Any, message: str) -> None:
    with pytest.raises(NodeFailed) as caught:
        await run_node("documentText", {}, {"file-in": wired})

    assert caught.value.code == "invalid_value"
    assert message in caught.value.message


async def test_a_failure_in_a_list_names_its_item() -> None:
    with pytest.raises(NodeFailed) as caught:
        await run_node("documentText", {}, {"file-in": [FIRST]}, context=Broken())

    assert caught.value.code == "document_unreadable"
    assert caught.value.message == "Item 1: The document is broken"
