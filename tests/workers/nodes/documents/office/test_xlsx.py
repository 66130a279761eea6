"""XLSX: sheets as tables of JSON values."""

from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.support.documents import MAX_CELLS, DocumentOptions
from tests.support.documents.office_files import xlsx
from workers.nodes.documents.office.xlsx import read_xlsx

STYLES = (
    '<numFmts><numFmt numFmtId="164" formatCode="dd.mm.yyyy\\ hh:mm"/>'
    '<numFmt numFmtId="165" formatCode="#,##0.00\\ &quot;days&quot;;[Red]-0"/>'
    '<numFmt numFmtId="166" formatCode="[h]:mm"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/>'
    '<xf numFmtId="166"/><xf numFmtId="21"/></cellXfs>'
)


def table(*rows: str, **parts: str) -> list[list[Any]]:
    (found,) = read_xlsx(xlsx(*rows, **parts), DocumentOptions()).tables
    return found


def cell(value: str, reference: str = "A1", **attributes: str) -> str:
    more = "".join(f' {name}="{text}"' for name, text in attributes.items())
    return f'<row><c r="{reference}"{more}><v>{value}</v></c></row>'


@pytest.mark.parametrize(
    ("xml", "value"),
    [
        (cell("3"), 3),
        (cell("3.0"), 3),
        (cell("-0.25"), -0.25),
        (cell("1e3"), 1_000),
        (cell("9007199254740993"), 9007199254740992.0),
        (cell("1", t="b"), True),
        (cell("0", t="b"), False),
        (cell("#DIV/0!", t="e"), "#DIV/0!"),
        (cell("total", t="str"), "total"),
        (cell("1", t="s"), "second"),
        ('<row><c t="inlineStr"><is><t>in</t><r><t>line</t></r></is></c></row>', "inline"),
        (cell("46082", s="1"), "2026-03-01"),
        (cell("46082.520833333336", s="2"), "2026-03-01T12:30:00"),
        (cell("46082", s="3"), 46082),
        (cell("1.25", s="4"), "PT30H0M0S"),
        (cell("0.34375", s="5"), "08:15:00"),
    ],
)
def test_cells_are_json_values(xml: str, value: Any) -> None:
    texts = "<si><t>first</t></si><si><t>sec</t><rPh><t>hint</t></rPh><r><t>ond</t></r></si>"

    [[found]] = table(xml, styles=STYLES, texts=texts)

    assert (found, type(found)) == (value, type(value))


def test_dates_may_count_from_1904() -> None:
    assert table(cell("1", s="1"), styles=STYLES, workbook='<workbookPr date1904="1"/>') == [
        ["1904-01-02"]
    ]


def test_a_formula_without_a_saved_value_is_null() -> None:
    row = '<row><c><f>1+1</f><v>2</v></c><c><f>1+1</f><v/></c><c r="C1"><v>4</v></c></row>'

    assert table(row) == [[2, None, 4]]


def test_rows_are_as_wide_as_the_widest_and_empty_ones_are_left_out() -> None:
    assert table(cell("1", "B2"), "<row/>", '<row><c r="A9" s="1"/></row>', cell("2", "AA12")) == [
        [None, 1, *[None] * 25],
        [*[None] * 26, 2],
    ]


def test_a_sheet_is_a_page_with_its_name() -> None:
    contents = read_xlsx(xlsx(cell("1"), cell("2")), DocumentOptions())

    assert contents.pages == ("# Data\n\n| 1 |\n| --- |\n| 2 |",)


def test_cells_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    data = xlsx(*[cell("1", "XFD1")] * 300)

    with pytest.raises(NodeFailed, match="more than 2000000 cells"):
        read_xlsx(data, DocumentOptions())
    assert MAX_CELLS == 2_000_000
