"""Playgrounds with documents and sounds, for the rules of all pages."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.files import INVOICE, drop
from tests.support.e2e.workflows import edge, node

if TYPE_CHECKING:
    from playwright.sync_api import Page

NOTE = "The blue kettle goes to Leeds on Friday. Ada writes the label. The red mugs stay here."
AMOUNTS = b"name,amount,paid\nAda,120,true\nBob,80,false\nEve,45.5,true\n"


def prepare_documents(stack: RunningStack) -> None:
    """Save workflows that read a table, and that say a text and hear it again."""
    form = node(
        "form", "requestInput", 0, fields=[{"name": "file", "label": "File", "type": "file"}]
    )
    tables = {
        "name": "Tables of a file",
        "description": "Reads the tables of a document.",
        "nodes": [
            form,
            node("read", "documentText", 1),
            node("result", "responseOutput", 2, fields=[{"name": "text"}, {"name": "tables"}]),
        ],
        "edges": [
            edge("form", "file", "read", "file-in"),
            edge("read", "text-out", "result", "text"),
            edge("read", "tables-out", "result", "tables"),
        ],
    }
    words = [{"name": "note", "label": "Note", "type": "textarea"}]
    names = ("sound", "text", "segments")
    sound = {
        "name": "Note and back",
        "description": "Says a note, and writes down what was said.",
        "nodes": [
            node("form", "requestInput", 0, fields=words),
            node("say", "speak", 1, model="gpt-speech"),
            node("hear", "transcribe", 2, model="whisper-groq"),
            node("result", "responseOutput", 3, fields=[{"name": name} for name in names]),
        ],
        "edges": [
            edge("form", "note", "say", "text-in"),
            edge("say", "audio-out", "hear", "audio-in"),
            edge("say", "audio-out", "result", "sound"),
            edge("hear", "text-out", "result", "text"),
            edge("hear", "segments-out", "result", "segments"),
        ],
    }
    for document in (tables, sound):
        assert stack.api("POST", "/api/workflows", document)[0] == 201


def run(page: "Page") -> None:
    """Run the form to its end."""
    page.get_by_role("button", name="Run").click()
    page.get_by_role("region", name="Result").get_by_text("completed", exact=True).first.wait_for()


def show_invoice(page: "Page") -> None:
    """Show an invoice with a picture of its page, and its JSON."""
    page.goto("/app/playground/invoice-to-json")
    drop(page.get_by_label("Or an https address"), "invoice.pdf", INVOICE.read_bytes())
    page.get_by_role("img", name="Page 1 of ").evaluate("each => each.decode()")
    run(page)
    page.get_by_role("region", name="Result").locator("summary", has_text="invoice").last.click()
    page.evaluate("scrollTo(0, 0)")


def show_table(page: "Page") -> None:
    """Show a table that was dropped, and the one that was read."""
    page.goto("/app/playground/tables-of-a-file")
    drop(page.get_by_label("Or an https address"), "amounts.csv", AMOUNTS)
    page.get_by_role("cell", name="Ada").first.wait_for()
    run(page)


def show_sound(page: "Page") -> None:
    """Show a sound with its player, and the parts of its transcript."""
    page.goto("/app/playground/note-and-back")
    page.get_by_label("Note").fill(NOTE)
    run(page)
    page.locator("audio").wait_for()


DOCUMENT_PAGES: dict[str, Callable[["Page"], None]] = {
    "playground-document": show_invoice,
    "playground-table": show_table,
    "playground-sound": show_sound,
}
