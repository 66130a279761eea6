"""Each row of the catalogue has tests, or the reason why there is nothing to test."""

import pytest

from tests.catalogue.rows import files, named, rows


@pytest.mark.parametrize("row_id", sorted(files()))
def test_a_mark_names_a_row(row_id: str) -> None:
    assert row_id in rows()


@pytest.mark.parametrize("row_id", sorted(rows()))
def test_a_row_is_told_in_two_sentences(row_id: str) -> None:
    row = rows()[row_id]

    assert row.tried and row.holds


def test_a_row_has_tests_or_the_reason_why_there_are_none() -> None:
    without = [each.id for each in rows().values() if each.id not in files() and not each.absent]

    assert without == []


def test_a_row_that_is_absent_has_no_tests() -> None:
    assert [each for each in files() if rows()[each].absent] == []


def test_a_number_stands_for_its_rows_with_a_letter() -> None:
    assert list(named(["F35"], "F")) == ["F35a", "F35b", "F35c", "F35d", "F35e"]
    assert list(named(["F24"], "F")) == ["F24", "F24b", "F24c", "F24d"]
    assert list(named(["F24b"], "F")) == ["F24b"]


def test_an_unknown_row_is_named() -> None:
    with pytest.raises(ValueError, match="F999 is no row"):
        list(named(["F999"], "F"))
