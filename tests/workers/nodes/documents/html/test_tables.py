"""Places that cells cover."""

from workers.nodes.documents.html.tables import TableBuilder
from workers.nodes.documents.limits import CellBudget


def test_covered_places_are_empty() -> None:
    table = TableBuilder(CellBudget())
    table.begin_row()
    table.begin_cell({"rowspan": "3"})
    table.add_text("a")
    table.begin_cell({"colspan": "x"})
    table.add_text("b")
    for text in ("c", "d"):
        table.begin_row()
        table.begin_cell({})
        table.add_text(text)

    assert table.rows == [["a", "b"], ["", "c"], ["", "d"]]
