"""Rows of CSV and TSV."""

import pytest

from engine.errors.nodes import NodeFailed
from workers.nodes.documents import tabular
from workers.nodes.documents.limits import CellBudget
from workers.nodes.documents.tabular import read_tabular, sniff

CSV, TSV = "text/csv", "text/tab-separated-values"


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n1,7;3,1\n", ";"),
        ("a\tb\n1,2\t3\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("alone\nby itself\n", ","),
        ('"x;y",b\n"1;2",3\n', ","),
        ("", ","),
    ],
)
def test_the_delimiter_is_that_of_most_rows(text: str, delimiter: str) -> None:
    assert sniff(text) == delimiter


def test_cells_are_texts_with_their_quotes_and_lines() -> None:
    contents = read_tabular(CSV, '\ufeffname,n\r\n"a ""b""\nc",007\r\n\r\nx\r\n'.encode())

    assert contents.tables == ([["name", "n"], ['a "b"\nc', "007"], ["x"]],)
    assert contents.text == '| name | n |\n| --- | --- |\n| a "b" c | 007 |\n| x |  |'


def test_tabs_alone_separate_a_tsv() -> None:
    assert read_tabular(TSV, b"a,b,c\t1\n").tables == ([["a,b,c", "1"]],)


def test_an_empty_file_has_no_table() -> None:
    contents = read_tabular(CSV, b"")

    assert (contents.text, contents.tables) == ("", ())


def test_cells_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabular, "CellBudget", lambda: CellBudget(5))

    with pytest.raises(NodeFailed, match="more than 5 cells"):
        read_tabular(CSV, b"a,b\n" * 3)
