"""The report keeps the last run of each row, and the figures of each test's largest."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.catalogue.records import Kept, Record, latest_planted, load, merged, save
from tests.catalogue.runs import Case, Run

CASE = Case(
    name="tests.x::test_kills",
    rows=frozenset({"F01"}),
    outcome="held",
    seconds=2.0,
    figures={"kills": "20", "recovery_p99_seconds": "4.5"},
)
RUN = Run(rows=("F01",), ended="2026-12-01 10:00", commit="aaaa", machine="2 cores", cases=(CASE,))
LATER = replace(RUN, ended="2026-12-01 11:00", commit="bbbb")


def with_figures(run: Run, outcome: str = "held", **figures: str) -> Run:
    return replace(run, cases=(replace(CASE, outcome=outcome, figures=figures),))


def record(*runs: Run) -> Record:
    return merged({}, runs)["F01"]


def test_a_later_run_takes_the_place_of_an_earlier_one() -> None:
    assert record(RUN, LATER).commit == "bbbb"


def test_an_earlier_run_is_left_out() -> None:
    assert merged(merged({}, [LATER]), [RUN])["F01"].commit == "bbbb"


def test_a_run_of_other_rows_leaves_a_row_as_it_was() -> None:
    """A test with two marks runs for either; the row has other tests, which did not run."""
    assert merged({}, [replace(RUN, rows=("F02",))]).keys() == {"F02"}


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [(["held", "held"], "held"), (["held", "skipped"], "skipped"), (["failed", "held"], "failed")],
)
def test_a_row_holds_if_all_of_its_tests_hold(outcomes: list[str], expected: str) -> None:
    cases = tuple(replace(CASE, outcome=each, why="reason") for each in outcomes)

    assert record(replace(RUN, cases=cases)).outcome == expected


def test_a_row_without_a_collected_test_failed() -> None:
    assert record(replace(RUN, cases=())).outcome == "failed"


def test_figures_of_the_largest_run_that_held_are_kept() -> None:
    figures = record(with_figures(RUN, kills="300", lost="0"), with_figures(LATER, kills="20"))

    assert figures.figures[CASE.name].values == {"kills": "300", "lost": "0"}
    assert figures.figures[CASE.name].commit == "aaaa"


def test_a_slow_run_is_not_a_large_one() -> None:
    slow = with_figures(RUN, kills="20", recovery_p99_seconds="900")

    assert record(slow, LATER).figures[CASE.name].commit == "bbbb"


def test_figures_of_a_run_that_failed_are_told_until_the_test_holds() -> None:
    large = with_figures(RUN, kills="300")
    failed = with_figures(replace(RUN, ended="2026-12-01 10:30"), "failed", kills="5", lost="1")

    assert record(large, failed).figures[CASE.name].values["lost"] == "1"
    assert record(large, failed, LATER).figures[CASE.name].commit == "bbbb"


def test_figures_of_a_test_that_is_gone_are_forgotten() -> None:
    renamed = replace(LATER, cases=(replace(CASE, name="tests.x::test_renamed"),))

    assert list(record(RUN, renamed).figures) == ["tests.x::test_renamed"]


def test_records_are_read_as_they_were_written(tmp_path: Path) -> None:
    kept = Kept(rows=merged({}, [RUN]), planted={"at": 1, "commit": "aaaa", "faults": []})
    save(tmp_path / "kept.json", kept)

    assert load(tmp_path / "kept.json") == kept
    assert load(tmp_path / "none.json") == Kept()


@pytest.mark.parametrize(("at", "expected"), [(1, 2), (3, 3)])
def test_the_last_run_of_planted_faults_is_kept(at: int, expected: int, tmp_path: Path) -> None:
    (tmp_path / "planted.json").write_text(json.dumps({"at": at}))

    assert latest_planted(Kept(planted={"at": 2}), [tmp_path, tmp_path / "none"])["at"] == expected
