"""Documents and sounds in playgrounds of public workflows, run by accounts that own none."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.files import INVOICE, drop, print_pdf
from tests.support.e2e.workflows import edge, node

pytestmark = pytest.mark.slow
SignIn = Callable[[str], Page]
SAID = "The kettle is blue. It holds one litre."
ADDRESS = "Or an https address"
LENGTH = """each => new Promise((done) => {
  const tell = () => done(each.duration);
  if (each.readyState > 0) tell();
  else each.onloadedmetadata = tell;
})"""
"""Length of a sound, once the browser knows it."""
PATH = "each => new URL(each.src).pathname + new URL(each.src).search"


def publish(stack: RunningStack, document: dict[str, Any]) -> str:
    """Save a public workflow of the demonstration's account; return its slug."""
    status, saved = stack.api("POST", "/api/workflows", {**document, "publicPlayground": True})
    assert status == 201, saved
    return str(saved["slug"])


@pytest.fixture(scope="module")
def invoices(stack: RunningStack) -> str:
    """A public copy of the template."""
    copy = {"copyOf": "invoice-to-json", "name": "Invoices for everyone"}
    status, made = stack.api("POST", "/api/workflows", copy)
    assert status == 201, made
    public = {"publicPlayground": True}
    assert stack.api("PUT", f"/api/workflows/{made['slug']}", public)[0] == 200
    return str(made["slug"])


@pytest.fixture(scope="module")
def notes(stack: RunningStack) -> str:
    """Says a text."""
    form = {"name": "text", "label": "Text", "type": "textarea", "required": True}
    nodes = [
        node("form", "requestInput", 0, fields=[form]),
        node("say", "speak", 1, model="gpt-speech"),
        node("result", "responseOutput", 2),
    ]
    edges = [
        edge("form", "text", "say", "text-in"),
        edge("say", "audio-out", "result", "result-in"),
    ]
    return publish(stack, {"name": "Notes for everyone", "nodes": nodes, "edges": edges})


@pytest.fixture(scope="module")
def transcripts(stack: RunningStack) -> str:
    """Makes a text of a sound."""
    form = {"name": "sound", "label": "Sound", "type": "audio", "required": True}
    nodes = [
        node("form", "requestInput", 0, fields=[form]),
        node("hear", "transcribe", 1, model="gpt-transcribe"),
        node("result", "responseOutput", 2, fields=[{"name": "text"}, {"name": "segments"}]),
    ]
    edges = [
        edge("form", "sound", "hear", "audio-in"),
        edge("hear", "text-out", "result", "text"),
        edge("hear", "segments-out", "result", "segments"),
    ]
    return publish(stack, {"name": "Transcripts for everyone", "nodes": nodes, "edges": edges})


@pytest.fixture(scope="module")
def readings(stack: RunningStack) -> str:
    """Reads a document."""
    form = {"name": "file", "label": "Document", "type": "file", "required": True}
    nodes = [
        node("form", "requestInput", 0, fields=[form]),
        node("read", "documentText", 1, maxPages=3),
        node("result", "responseOutput", 2, fields=[{"name": "pages"}, {"name": "tables"}]),
    ]
    edges = [
        edge("form", "file", "read", "file-in"),
        edge("read", "pages-out", "result", "pages"),
        edge("read", "tables-out", "result", "tables"),
    ]
    return publish(stack, {"name": "Readings for everyone", "nodes": nodes, "edges": edges})


def drop_file(page: Page, name: str, data: bytes, content_type: str = "") -> None:
    drop(page.get_by_label(ADDRESS), name, data, content_type)


def run(page: Page) -> Locator:
    """Run the form; return the region of the result once the run has ended."""
    page.get_by_role("button", name="Run").click()
    result = page.get_by_role("region", name="Result")
    expect(result.get_by_text(re.compile("^(Completed|completed|failed)$")).first).to_be_visible()
    return result


def test_a_pdf_that_is_dropped_comes_back_as_json(sign_in_as: SignIn, invoices: str) -> None:
    page = sign_in_as("pro")
    page.goto(f"/app/playground/{invoices}")

    drop_file(page, "invoice.pdf", INVOICE.read_bytes(), "application/pdf")

    picture = page.get_by_role("img", name=re.compile("^Page 1 of "))
    expect(picture).to_be_visible()
    assert picture.evaluate("each => each.decode().then(() => each.naturalWidth)") > 200
    expect(page.get_by_text("invoice.pdf")).to_be_visible()
    assert len(page.get_by_label(ADDRESS).input_value()) == 24
    result = run(page)
    for said in ("2026-0831", "Rose and Finch Stationers, York", "Fountain pen", "204"):
        expect(result).to_contain_text(said)
    expect(result).to_contain_text(re.compile(r"linesMakeNet\W+true"))


def test_a_spoken_note_comes_back_as_text(
    sign_in_as: SignIn, stack: RunningStack, notes: str, transcripts: str
) -> None:
    page = sign_in_as("pro")
    page.goto(f"/app/playground/{notes}")
    page.get_by_label("Text").fill(SAID)
    spoken = run(page).locator("audio")
    expect(spoken).to_be_visible()
    assert spoken.evaluate(LENGTH) > 0
    sound = httpx2.get(stack.url + spoken.evaluate(PATH), timeout=30)

    page.goto(f"/app/playground/{transcripts}")
    drop_file(page, "note", sound.content, sound.headers["content-type"])

    expect(page.locator("audio")).to_be_visible()
    result = run(page)
    for sentence in ("The kettle is blue.", "It holds one litre."):
        expect(result).to_contain_text(sentence)


def test_a_table_that_is_dropped_is_shown_and_read(sign_in_as: SignIn, readings: str) -> None:
    page = sign_in_as("pro")
    page.goto(f"/app/playground/{readings}")

    drop_file(page, "amounts.csv", b"name,amount\nAda,120\nBob,80\n")

    expect(page.get_by_role("cell", name="Ada")).to_be_visible()
    result = run(page)
    expect(result).to_contain_text("Bob")
    expect(result).to_contain_text("120")


def test_pages_that_chromium_printed_are_read_one_by_one(
    sign_in_as: SignIn, make_page: MakePage, signed_in: Path, readings: str
) -> None:
    data = print_pdf(make_page(signed_in), "<h1>Kettles</h1>", "<h1>Mugs</h1>")
    page = sign_in_as("pro")
    page.goto(f"/app/playground/{readings}")

    drop_file(page, "goods.pdf", data, "application/pdf")

    first = page.get_by_role("img", name="Page 1 of ")
    expect(first).to_be_visible()
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_role("img", name="Page 2 of ")).to_be_visible()
    result = run(page)
    expect(result).to_contain_text("Kettles")
    expect(result).to_contain_text("Mugs")


def test_its_owner_is_told_why_a_document_cannot_be_read(
    page: Page, make_page: MakePage, signed_in: Path, readings: str
) -> None:
    data = print_pdf(make_page(signed_in), *(f"<p>{number}" for number in range(4)))
    page.goto(f"/app/playground/{readings}")
    drop_file(page, "long.pdf", data, "application/pdf")
    expect(page.get_by_role("img", name="Page 1 of ")).to_be_visible()

    result = run(page)

    expect(result).to_contain_text(re.compile("4 pages"))


def test_a_file_of_another_kind_is_refused_beside_the_field(
    sign_in_as: SignIn, readings: str, complaints: list[str]
) -> None:
    page = sign_in_as("pro")
    page.goto(f"/app/playground/{readings}")

    drop_file(page, "setup.exe", b"MZ\x90\x00" * 100)

    expect(page.get_by_role("alert")).to_be_visible()
    assert page.get_by_label(ADDRESS).input_value() == ""
    complaints.clear()  # Chromium logs the answer 415


def test_visitors_see_the_field_and_sign_in_to_give_a_file(visitor: Page, readings: str) -> None:
    visitor.goto(f"/app/playground/{readings}")

    expect(visitor.get_by_label(ADDRESS)).to_be_visible()
    expect(visitor.get_by_role("link", name="Sign in to run")).to_be_visible()
    expect(visitor.get_by_role("button", name="Choose a file")).to_have_count(0)
