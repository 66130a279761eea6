"""Files that tests drop into pages, and documents as real programs write them."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

ROOT = Path(__file__).parents[3]
INVOICE = ROOT / "examples" / "files" / "invoice.pdf"
"""An invoice that Chromium has printed."""
DROP = """(element, {name, type, bytes}) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, {type}));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    const options = {bubbles: true, cancelable: true, dataTransfer: data};
    element.dispatchEvent(new DragEvent(kind, options));
  }
}"""
"""Drop a file, as a browser tells of one that comes from a folder."""


def drop(target: "Locator", name: str, data: bytes, content_type: str = "") -> None:
    """Drop a file onto an element; browsers leave the type of some kinds empty."""
    target.evaluate(DROP, {"name": name, "type": content_type, "bytes": list(data)})


def print_pdf(page: "Page", *bodies: str) -> bytes:
    """Return a PDF that Chromium prints, with a page for each piece of HTML."""
    pages = (f'<section style="break-after: page">{each}</section>' for each in bodies[:-1])
    page.set_content(f"<!doctype html><body>{''.join(pages)}<section>{bodies[-1]}</section>")
    return page.pdf(format="A5")
