"""PPTX: slides with titles, texts and tables."""

import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.support.documents import DocumentOptions
from tests.support.documents.office_files import pptx
from workers.nodes.documents.office.pptx import read_pptx


def shape(kind: str, *paragraphs: str) -> str:
    return (
        f'<p:sp><p:nvSpPr><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr>'
        f"<p:txBody>{''.join(paragraphs)}</p:txBody></p:sp>"
    )


def p(text: str, level: int = 0) -> str:
    return f'<a:p><a:pPr lvl="{level}"/><a:r><a:t>{text}</a:t></a:r></a:p>'


def cell(text: str, **attributes: str) -> str:
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<a:tc{more}><a:txBody>{p(text)}</a:txBody></a:tc>"


def test_a_slide_is_a_page_with_its_title_and_items() -> None:
    first = shape("title", p("One")) + shape("body", p("a"), p("b", 1)) + shape("sldNum", p("1"))
    second = f"<p:grpSp>{shape('ctrTitle', p('Two'))}</p:grpSp>{shape('body', p('alone'))}"

    contents = read_pptx(pptx(first, second), DocumentOptions())

    assert contents.pages == ("# One\n\n- a\n  - b", "# Two\n\nalone")


def test_a_table_is_given_by_itself_too() -> None:
    rows = f"<a:tr>{cell('A', gridSpan='2')}{cell('', hMerge='1')}</a:tr>"
    rows += f"<a:tr>{cell('1')}{cell('2')}</a:tr>"
    frame = f"<p:graphicFrame><a:graphic><a:tbl>{rows}</a:tbl></a:graphic></p:graphicFrame>"

    contents = read_pptx(pptx(frame), DocumentOptions())

    assert contents.tables == ([["A", ""], ["1", "2"]],)
    assert contents.pages == ("| A |  |\n| --- | --- |\n| 1 | 2 |",)


def test_more_slides_than_pages_fail() -> None:
    with pytest.raises(NodeFailed, match="3 slides; at most 2"):
        read_pptx(pptx("", "", ""), DocumentOptions(max_pages=2))
