"""DOCX: headings, lists, links, tables and notes, in the order of the body."""

import pytest

from engine.nodes.support.documents import DocumentOptions, DocumentText
from tests.support.documents.office_files import docx, relations
from workers.nodes.documents.office.docx import read_docx

STYLES = """
<w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>
<w:style w:styleId="Mine"><w:name w:val="Mine"/><w:basedOn w:val="H1"/></w:style>
<w:style w:styleId="Outlined"><w:name w:val="x"/><w:pPr><w:outlineLvl w:val="2"/></w:pPr></w:style>
<w:style w:styleId="Item"><w:name w:val="Item"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr>
</w:pPr></w:style>
"""
NUMBERING = """
<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl>
</w:abstractNum>
<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/></w:lvl>
<w:lvl w:ilvl="1"><w:numFmt w:val="lowerLetter"/></w:lvl></w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>
<w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>
"""


def read(body: str, **parts: str) -> DocumentText:
    return read_docx(docx(body, **parts), DocumentOptions())


def p(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def cell(content: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{content}</w:tc>"


def row(*cells: str) -> str:
    return f"<w:tr>{''.join(cells)}</w:tr>"


@pytest.mark.parametrize(
    ("style", "shown"),
    [("H1", "# Text"), ("Mine", "# Text"), ("Outlined", "### Text"), ("Else", "Text")],
)
def test_headings_follow_from_their_style(style: str, shown: str) -> None:
    body = p("Text", f'<w:pStyle w:val="{style}"/>')

    assert read(body, styles=STYLES).text == shown


def test_items_of_lists_stand_below_each_other_with_their_numbers() -> None:
    def item(text: str, number: int, level: int = 0) -> str:
        places = f'<w:ilvl w:val="{level}"/><w:numId w:val="{number}"/>'
        return p(text, f"<w:numPr>{places}</w:numPr>")

    body = (
        p("Before")
        + item("a", 2)
        + item("b", 2)
        + item("c", 2, level=1)
        + item("d", 2)
        + p("Between")
        + p("e", '<w:pStyle w:val="Item"/>')
    )

    assert read(body, styles=STYLES, numbering=NUMBERING).text == (
        "Before\n\n1. a\n2. b\n  1. c\n3. d\n\nBetween\n\n- e"
    )


def test_links_are_kept_with_their_text() -> None:
    body = (
        '<w:p><w:r><w:t xml:space="preserve">See </w:t></w:r><w:hyperlink r:id="rId1"><w:r><w:t>'
        'the page</w:t></w:r></w:hyperlink><w:hyperlink r:id="rId2"><w:r><w:t>!</w:t></w:r>'
        "</w:hyperlink></w:p>"
    )
    rels = relations(rId1="https://a.example/x", rId2="file:///etc/passwd")

    assert read(body, rels=rels).text == "See [the page](https://a.example/x)!"


def test_tables_stand_in_their_place_and_by_themselves() -> None:
    inner = f"<w:tbl>{row(cell(p('in')), cell(p('ner')))}</w:tbl>"
    table = (
        "<w:tbl>"
        + row(cell(p("Wide"), '<w:gridSpan w:val="2"/>'))
        + row(cell(p("High"), '<w:vMerge w:val="restart"/>'), cell(p("1") + p("2")))
        + row(cell(p("hidden"), "<w:vMerge/>"), cell(p("a|b") + inner))
        + "</w:tbl>"
    )

    contents = read(p("Before") + table + p("After"))

    assert contents.text == (
        "Before\n\n| Wide |  |\n| --- | --- |\n| High | 1 2 |\n|  | a\\|b in ner |\n\nAfter"
    )
    assert contents.tables == (
        [["Wide", ""], ["High", "1\n2"], ["", "a|b\nin\nner"]],
        [["in", "ner"]],
    )


def test_deleted_texts_and_field_codes_are_left_out_and_notes_stand_at_the_end() -> None:
    body = (
        "<w:p><w:r><w:t>Kept</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t> added</w:t></w:r></w:ins><w:r><w:instrText>PAGE</w:instrText></w:r>"
        '<w:r><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:footnoteReference w:id="2"/></w:r></w:p>'
    )
    notes = f'<w:footnote w:id="2">{p("A note")}</w:footnote>'

    assert read(body, footnotes=notes).text == "Kept added\tb\nc[^2]\n\n[^2]: A note"


def test_frames_of_content_are_read_through() -> None:
    body = f"<w:sdt><w:sdtContent>{p('Inside')}</w:sdtContent></w:sdt>"

    assert read(body).text == "Inside"
