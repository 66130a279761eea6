"""PDFs: pages that are turned, form fields, damage and limits."""

import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.support.documents import DocumentOptions
from tests.support.documents.small_pdf import FONT, assemble, pdf_of, put, small_pdf
from workers.nodes.documents.pdf.reading import read_pdf

OPTIONS = DocumentOptions()


@pytest.mark.parametrize(
    ("turn", "matrix"),
    [
        (0, "1 0 0 1 {0} {1}"),
        (90, "0 1 -1 0 {2} {0}"),
        (180, "-1 0 0 -1 {3} {2}"),
        (270, "0 -1 1 0 {1} {3}"),
    ],
)
def test_a_turned_page_is_read_as_it_is_seen(turn: int, matrix: str) -> None:
    content = [
        f"BT /F1 12 Tf {matrix.format(50, 700 - 14 * n, 100 + 14 * n, 545)} Tm ({text}) Tj ET"
        for n, text in enumerate(("Upper line", "Lower line"))
    ]

    contents = read_pdf(pdf_of([" ".join(content).encode()], b"/Rotate %d" % turn), OPTIONS)

    assert contents.text == "Upper line\nLower line"


def test_form_fields_are_read_where_they_stand() -> None:
    field = (
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (Ada Lovelace) "
        b"/Rect [100 695 300 712] >>"
    )
    page = b"/Annots [%s]" % field

    assert read_pdf(pdf_of([put(50, 700, "Name:")], page), OPTIONS).text == "Name: Ada Lovelace"


def test_a_damaged_table_of_places_is_repaired() -> None:
    data = small_pdf("Still here").replace(b"startxref\n", b"startxref\n9")

    assert read_pdf(data, OPTIONS).text == "Still here"


def test_a_file_that_is_cut_is_read_as_far_as_it_goes_or_fails() -> None:
    data = small_pdf("First", "Second")

    with pytest.raises(NodeFailed, match="broken"):
        read_pdf(data[:120], OPTIONS)
    assert read_pdf(data[:-80], OPTIONS).pages == ("First", "Second")


def test_pages_have_a_limit() -> None:
    with pytest.raises(NodeFailed, match="3 pages; at most 2"):
        read_pdf(small_pdf("a", "b", "c"), DocumentOptions(max_pages=2))


def test_a_pdf_without_a_page_is_broken() -> None:
    data = assemble(
        [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>", FONT]
    )

    with pytest.raises(NodeFailed, match="broken"):
        read_pdf(data, OPTIONS)
