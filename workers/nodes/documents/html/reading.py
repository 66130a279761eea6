"""Markdown of HTML, tag by tag."""

import re
from html.parser import HTMLParser

from engine.media.documents.types import HTML
from engine.nodes.support.documents import DocumentText, Table
from workers.nodes.documents.html.tables import TableBuilder
from workers.nodes.documents.limits import CellBudget
from workers.nodes.documents.links import link_text
from workers.nodes.documents.markdown import heading, table_text
from workers.nodes.documents.texts import decode

SILENT = frozenset({"script", "style", "noscript", "template", "head", "svg", "iframe", "object"})
"""Elements whose contents are left out."""
VOID = frozenset(
    {
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"),
        *("param", "source", "track", "wbr"),
    }
)
ENDED_BY_NEXT = frozenset({"p", "li", "td", "th", "tr", "option", "dt", "dd"})
"""Elements that the next one of their kind ends."""
BLOCKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd"),
        *("details", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form"),
        *("header", "hr", "html", "legend", "main", "nav", "ol", "option", "p", "section"),
        *("select", "summary", "ul"),
    }
)
HEADINGS = {f"h{level}": level for level in range(1, 7)}
HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
SPACES = re.compile(r"[ \t\r\n\f]+")
MAX_DEPTH = 100
PIECE = 65_536


def read_html(content_type: str, data: bytes) -> DocumentText:
    """Return the contents of an HTML file. Raises NodeFailed (document_unreadable)."""
    text, reader = decode(data), _HtmlReader()
    for start in range(0, len(text), PIECE):
        reader.feed(text[start : start + PIECE])
    reader.close()
    reader.finish()
    tables = tuple(reader.tables)
    return DocumentText(content_type=HTML, pages=("\n\n".join(reader.blocks),), tables=tables)


class _HtmlReader(HTMLParser):
    """Collects blocks of Markdown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[str] = []
        self.tables: list[Table] = []
        self._cells = CellBudget()
        self._parts: list[str] = []
        self._links: list[tuple[int, str]] = []
        """Open links: the number of parts before each, and its URL."""
        self._lists: list[int | None] = []
        """Open lists: the next number of an item; None: it has none."""
        self._mark = ""
        self._level = 0
        self._silent: list[str] = []
        self._pre = 0
        self._open_tables: list[TableBuilder] = []
        self._is_item = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if self._silent == [tag] and tag in ENDED_BY_NEXT:
            self._silent.clear()
        if self._silent or tag in SILENT or _is_hidden(values):
            self._leave_out(tag)
            return
        if tag in HEADINGS:
            self.end_block()
            self._level = HEADINGS[tag]
        elif tag == "li":
            self._begin_item()
        elif tag in ("table", "tr", "td", "th"):
            self._begin_table_part(tag, values)
        elif tag in BLOCKS:
            self._begin_block(tag, values)
        else:
            self._begin_inline(tag, values)

    def _leave_out(self, tag: str) -> None:
        if tag in BLOCKS and not self._silent:
            self.end_block()
        if tag not in VOID and (not self._silent or self._silent[-1] == tag):
            self._silent.append(tag)

    def finish(self) -> None:
        """Write what the end of the file leaves open."""
        while self._open_tables:
            self._end_table()
        self.end_block()

    def _begin_block(self, tag: str, values: dict[str, str]) -> None:
        self.end_block()
        if tag in ("ul", "ol") and len(self._lists) < MAX_DEPTH:
            start = values.get("start", "1")
            number = int(start) if start.isdigit() and len(start) < 9 else 1
            self._lists.append(number if tag == "ol" else None)

    def _begin_inline(self, tag: str, values: dict[str, str]) -> None:
        if tag == "br":
            self._parts.append("\n")
        elif tag == "a" and len(self._links) < MAX_DEPTH:
            self._links.append((len(self._parts), values.get("href", "")))
        elif tag == "img" and values.get("alt", "").strip():
            self._parts.append(f" {values['alt'].strip()} ")
        elif tag == "pre":
            self.end_block()
            self._pre += 1

    def _begin_item(self) -> None:
        self.end_block()
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        mark = "-" if number is None else f"{number}."
        self._mark = f"{'  ' * max(0, len(self._lists) - 1)}{mark} "

    def _begin_table_part(self, tag: str, values: dict[str, str]) -> None:
        if tag == "table":
            if not self._open_tables:
                self.end_block()
            if len(self._open_tables) < MAX_DEPTH:
                self._end_cell()
                self._open_tables.append(TableBuilder(self._cells))
        elif self._open_tables:
            self._end_cell()
            if tag == "tr":
                self._open_tables[-1].begin_row()
            else:
                self._open_tables[-1].begin_cell(values)

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if self._silent[-1] == tag:
                self._silent.pop()
            return
        if tag == "a" and self._links:
            at, url = self._links.pop()
            text = "".join(self._parts[at:])
            self._parts[at:] = [link_text(text, url, ("/", "./", "../"))]
        elif tag == "table" and self._open_tables:
            self._end_table()
        elif tag in ("td", "th", "tr"):
            self._end_cell()
        elif tag == "pre" and self._pre:
            self.end_block()
            self._pre -= 1
        elif tag in ("ul", "ol"):
            self.end_block()
            if self._lists:
                self._lists.pop()
        elif tag in BLOCKS or tag in HEADINGS or tag == "li":
            self.end_block()
            self._mark = ""

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(data if self._pre else SPACES.sub(" ", data))

    def end_block(self) -> None:
        """Write the text since the last block; in a cell it goes on."""
        if self._open_tables:
            self._parts.append("\n")
            return
        text = self._take_text()
        level, self._level = self._level, 0
        if not text:
            return
        if level:
            self._add(heading(level, text))
        elif self._pre:
            self._add(f"```\n{text}\n```")
        elif self._mark:
            self._add(f"{self._mark}{text}", is_item=True)
            self._mark = ""
        else:
            self._add(text)

    def _add(self, text: str, *, is_item: bool = False) -> None:
        if is_item and self._is_item:
            self.blocks[-1] += f"\n{text}"
        else:
            self.blocks.append(text)
        self._is_item = is_item

    def _take_text(self) -> str:
        text = "".join(self._parts)
        self._parts, self._links = [], []
        if self._pre:
            return text.strip("\n")
        lines = (SPACES.sub(" ", line).strip() for line in text.split("\n"))
        return "\n".join(line for line in lines if line)

    def _end_cell(self) -> None:
        if self._open_tables:
            self._open_tables[-1].add_text(self._take_text())

    def _end_table(self) -> None:
        self._end_cell()
        table = self._open_tables.pop().rows
        if not table:
            return
        self.tables.append(table)
        if self._open_tables:
            inner = "\n".join(" ".join(filter(None, row)) for row in table)
            self._open_tables[-1].add_text(inner)
        else:
            self._add(table_text(table))


def _is_hidden(values: dict[str, str]) -> bool:
    return "hidden" in values or bool(HIDDEN.search(values.get("style", "")))
