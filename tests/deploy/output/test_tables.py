import json
from decimal import Decimal

import pytest

from deploy.output.tables import show, table

ROWS = [{"id": "a", "createdAt": 1, "approved": True}, {"id": "bcd", "createdAt": None}]


def test_a_table_is_as_wide_as_it_needs_to_be() -> None:
    assert table(ROWS, ("id", "createdAt", "approved")) == (
        "ID   CREATED AT  APPROVED\na    1           yes\nbcd  -           -"
    )


def test_json_is_one_value_with_everything(capsys: pytest.CaptureFixture[str]) -> None:
    show(ROWS, as_json=True, columns=("id",))

    assert json.loads(capsys.readouterr().out) == ROWS


def test_exact_numbers_are_numbers_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    show({"usd": Decimal("0.0123")}, as_json=True, columns=())

    assert capsys.readouterr().out == '{"usd": 0.0123}\n'


def test_what_has_no_form_in_json_is_not_printed() -> None:
    with pytest.raises(TypeError, match="no form in JSON"):
        show({"one": object()}, as_json=True, columns=())


def test_an_exact_number_inside_a_cell_is_a_number_too() -> None:
    rows = [{"used": {"seconds": Decimal("5.5"), "calls": 1}}]

    assert table(rows, ("used",)) == 'USED\n{"seconds": 5.5, "calls": 1}'


def test_one_row_is_a_table_too(capsys: pytest.CaptureFixture[str]) -> None:
    show(
        {"id": "a", "list": ["x", "y"], "map": {"k": 1}},
        as_json=False,
        columns=("id", "list", "map"),
    )

    assert capsys.readouterr().out == 'ID  LIST  MAP\na   x, y  {"k": 1}\n'


@pytest.mark.A98d
@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31m", "a\x1b]0;b\x07", "a\rb", "\x9b2J"])
def test_names_neither_steer_the_terminal_nor_make_lines(name: str) -> None:
    _, line = table([{"name": name}], ("name",)).split("\n")

    assert line.replace("\N{REPLACEMENT CHARACTER}", "").isprintable()
