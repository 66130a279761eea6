"""`python -m tests.catalogue` runs the tests of rows and leaves their results."""

from pathlib import Path

import pytest

from tests.catalogue import runs
from tests.catalogue.__main__ import TOOLS, _batches, main
from tests.catalogue.repository import ROOT
from tests.catalogue.rows import TESTS, named, rows


@pytest.mark.thorough
def test_the_results_of_a_row_are_left_for_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "PROOFS", tmp_path)

    assert main("A", "A98d", "-q") == 0

    [run] = runs.read([tmp_path])
    assert run.rows == ("A98d",)
    assert {(case.rows, case.outcome) for case in run.cases} == {(frozenset({"A98d"}), "held")}


def test_an_unknown_row_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("F", "F999") == 2
    assert "F999 is no row of the catalogue" in capsys.readouterr().err


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
