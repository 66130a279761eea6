"""Each row of the catalogue has tests, or the reason why there is nothing to test."""

import subprocess
import sys

import pytest

from tests.catalogue.__main__ import TOOLS, _batches
from tests.catalogue.repository import ROOT
from tests.catalogue.rows import TESTS, files, named, rows


@pytest.mark.parametrize("row_id", sorted(files()))
def test_a_mark_names_a_row(row_id: str) -> None:
    assert row_id in rows()


@pytest.mark.parametrize("row_id", sorted(rows()))
def test_a_row_is_told_in_two_sentences(row_id: str) -> None:
    row = rows()[row_id]

    assert row.tried and row.holds


def test_a_row_that_is_absent_has_no_tests() -> None:
    assert [each for each in files() if rows()[each].absent] == []


def test_a_number_stands_for_its_rows_with_a_letter() -> None:
    assert list(named(["F35"], "F")) == ["F35a", "F35b", "F35c", "F35d", "F35e"]
    assert list(named(["F24"], "F")) == ["F24", "F24b", "F24c", "F24d"]
    assert list(named(["F24b"], "F")) == ["F24b"]


def test_an_unknown_row_is_named() -> None:
    with pytest.raises(ValueError, match="F999 is no row"):
        list(named(["F999"], "F"))


def test_the_tests_of_a_row_are_found_by_its_id() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "tests.catalogue", "F", "F999"], capture_output=True, text=True
    )

    assert found.returncode == 2
    assert "F999 is no row of the catalogue" in found.stderr


def test_tests_that_need_tools_have_a_target_that_brings_them() -> None:
    made = (ROOT / "Makefile").read_text(encoding="utf-8")

    for folder, target in TOOLS.items():
        assert (TESTS / folder).is_dir()
        assert f"\ntools-{target}:" in made


def test_all_rows_run_by_group_and_a_few_at_once() -> None:
    faults = list(named([], "F"))

    assert _batches(faults[:3]) == [faults[:3]]
    assert sorted(each for batch in _batches(faults) for each in batch) == sorted(faults)
    assert all(len({rows()[each].group for each in batch}) == 1 for batch in _batches(faults))
