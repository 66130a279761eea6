"""Documents in the editor: stored by Upload, asked for by forms, wired, and seen as values."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.documents.small_pdf import small_pdf
from tests.support.e2e.axe import violations
from tests.support.e2e.editor import card, drafted, socket
from tests.support.e2e.node_settings import await_settings, node, open_settings, save_draft, wire

pytestmark = pytest.mark.slow
DOCUMENT = {"name": "document", "label": "Document", "type": "file", "required": True}
CSV = "Item,Count\nTea,3\nCoffee,12\n"


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "invoice.pdf"
    path.write_bytes(small_pdf("Invoice 42", "Page two"))
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "stock.csv"
    path.write_text(CSV)
    return path


def test_a_stored_document_makes_an_upload_give_files_and_shows_its_pages(
    page: Page, stack: RunningStack, pdf: Path
) -> None:
    slug = save_draft(stack, "Stored document", [node("stored", "upload")])
    panel = open_settings(page, slug, "stored")
    expect(panel.get_by_role("button", name="Choose a file")).to_be_visible()

    panel.get_by_label("Asset").set_input_files(pdf)

    preview = panel.get_by_role("region", name="Preview of invoice.pdf")
    expect(preview.get_by_role("img", name="Page 1 of invoice.pdf")).to_be_visible()
    preview.get_by_role("button", name="Next page").click()
    expect(preview.get_by_role("img", name="Page 2 of invoice.pdf")).to_be_visible()
    expect(panel.get_by_text("PDF, ")).to_be_visible()
    assert violations(page) == []
    saved = drafted(page, stack, slug, lambda each: bool(each["nodes"][0]["data"].get("asset")))
    assert saved["nodes"][0]["data"]["kind"] == "file"
    expect(socket(page, "stored", "file-out")).to_have_attribute("data-type", "file")
    panel.get_by_role("button", name="Remove the file").click()
    await_settings(stack, slug, "stored", {"kind": "file"})


def test_a_field_of_files_has_a_grey_socket_that_no_text_takes(
    page: Page, stack: RunningStack
) -> None:
    slug = save_draft(stack, "Asks for a file", [node("form", "requestInput")])
    panel = open_settings(page, slug, "form")

    panel.get_by_label("Type of the new field").select_option("File")
    panel.get_by_role("button", name="Add a field").click()

    await_settings(
        stack,
        slug,
        "form",
        {"fields": [{"name": "field", "type": "file", "required": False}]},
    )
    dot = socket(page, "form", "field")
    expect(dot).to_have_attribute("aria-label", "output, field, file")
    kinds = ("file", "any", "text", "image", "video", "audio")
    colours = [
        dot.evaluate(f"(it) => getComputedStyle(it).getPropertyValue('--socket-{kind}')")
        for kind in kinds
    ]
    assert len(set(colours)) == len(kinds)
    grey = [int(colours[0].strip()[place : place + 2], 16) for place in (1, 3, 5)]
    assert max(grey) - min(grey) < 32


def test_the_tables_of_a_document_are_tables_beside_the_settings(
    page: Page, stack: RunningStack, table: Path
) -> None:
    nodes = [
        node("form", "requestInput", fields=[DOCUMENT]),
        node("read", "documentText"),
        node("result", "responseOutput", fields=[{"name": "tables"}, {"name": "source"}]),
    ]
    wires = (
        wire("form.document", "read.file-in"),
        wire("read.tables-out", "result.tables"),
        wire("form.document", "result.source"),
    )
    slug = save_draft(stack, "Reads tables", nodes, *wires)
    page.goto(f"/app/editor/{slug}")
    card(page, "read").wait_for()
    page.keyboard.press("Control+Enter")
    page.locator("form").get_by_label("Document", exact=True).set_input_files(table)
    rows = page.get_by_role("region", name="Preview").get_by_role("row")
    expect(rows).to_have_count(3)

    page.get_by_role("button", name="Run the draft").click()

    run = page.get_by_role("region", name="Run", exact=True)
    expect(run.get_by_role("table", name="tables")).to_contain_text("Coffee")
    expect(run.get_by_role("link", name=re.compile(r"\.csv$"))).to_be_visible()
    card(page, "read").locator("header").click()
    page.get_by_role("button", name="Values").click()
    values = page.get_by_role("dialog")
    source = values.get_by_role("region", name="Input")
    expect(source.get_by_role("table", name="file-in")).to_contain_text("Tea")
    found = values.get_by_role("region", name="Output").get_by_role("table", name="tables-out")
    expect(found.get_by_role("columnheader")).to_have_text(["Item", "Count"])
    assert violations(page) == []


def test_the_code_of_a_workflow_that_takes_files_uploads_one_first(
    page: Page, stack: RunningStack
) -> None:
    document = {
        "name": "Code with a file",
        "nodes": [
            {**node("form", "requestInput", fields=[DOCUMENT]), "position": {}},
            {**node("result", "responseOutput"), "position": {}},
        ],
        "edges": [wire("form.document", "result.result-in")],
    }
    _, created = stack.api("POST", "/api/workflows", document)
    page.goto(f"/app/editor/{created['slug']}")
    card(page, "form").wait_for()

    page.get_by_role("button", name="Deploy").click()

    code = page.get_by_role("region", name="curl call")
    expect(code).to_contain_text("-F 'file=@document.pdf;type=application/pdf'")
    expect(code).to_contain_text('"document": "\'"$document_id"\'"')


def test_models_are_offered_to_the_nodes_that_call_them(page: Page, stack: RunningStack) -> None:
    nodes = [node("ask", "assistant"), node("hear", "transcribe"), node("say", "speak")]
    slug = save_draft(stack, "Speech", nodes)
    names = {each["internalName"]: each["name"] for each in stack.api("GET", "/api/models")[1]}
    offered = {}
    for each in ("ask", "hear", "say"):
        panel = open_settings(page, slug, each)
        panel.get_by_role("combobox", name="Model").click()
        choices = page.get_by_role("listbox", name="Choices").locator(".model-name")
        expect(choices.first).to_be_visible()
        offered[each] = set(choices.all_inner_texts())

    assert names["gpt-mini"] in offered["ask"]
    assert names["gpt-transcribe"] in offered["hear"]
    assert names["gpt-speech"] in offered["say"]
    assert not offered["ask"] & (offered["hear"] | offered["say"])
    assert not offered["hear"] & offered["say"]
