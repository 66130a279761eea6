"""Files in the table of rows: chosen together or dropped, one row for each."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.batches import cell, open_table, started
from tests.support.e2e.workflows import edge, node

pytestmark = pytest.mark.slow
FIELDS = [
    {"name": "note", "label": "Note", "type": "text", "required": False},
    {"name": "document", "label": "Document", "type": "file", "required": True},
]
DROP = """(cell, text) => {
  const data = new DataTransfer();
  data.items.add(new File([text], "dropped.txt", {type: "text/plain"}));
  const options = {bubbles: true, cancelable: true, dataTransfer: data};
  cell.dispatchEvent(new DragEvent("drop", options));
}"""


@pytest.fixture(scope="module", autouse=True)
def workflows(stack: RunningStack) -> None:
    document = {
        "name": "Rows of files",
        "nodes": [
            node("form", "requestInput", 0, fields=FIELDS),
            node("read", "documentText", 1),
            node("result", "responseOutput", 2),
        ],
        "edges": [
            edge("form", "document", "read", "file-in"),
            edge("read", "text-out", "result", "result-in"),
        ],
    }
    status, answer = stack.api("POST", "/api/workflows", document)
    assert status == 201, answer


def test_each_of_several_files_makes_a_row(
    page: Page, tmp_path: Path, complaints: list[str]
) -> None:
    paths = [tmp_path / name for name in ("one.txt", "wrong.txt", "two.md")]
    for path, text in zip(paths, (b"First text", b"\x00", b"Second text"), strict=True):
        path.write_bytes(text)
    open_table(page, "rows-of-files")

    page.get_by_label("Files for Document").set_input_files(paths)

    expect(cell(page, "Document", 2)).to_have_attribute("title", "two.md")
    expect(cell(page, "Document", 1)).to_have_attribute("title", "one.txt")
    expect(page.get_by_role("alert")).to_contain_text("wrong.txt:")
    complaints.clear()  # Chromium logs the 415
    started(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    items = page.get_by_role("table", name="Items").get_by_role("row")
    expect(items.nth(1)).to_contain_text("First text")
    expect(items.nth(2)).to_contain_text("Second text")


def test_a_file_is_dropped_at_a_cell(page: Page) -> None:
    open_table(page, "rows-of-files")

    cell(page, "Document", 2).evaluate(DROP, "A dropped text")
    cell(page, "Note", 1).evaluate(DROP, "No field of files")

    expect(cell(page, "Document", 2)).to_have_attribute("title", "dropped.txt")
    expect(cell(page, "Note", 1)).to_have_value("")
