"""The report tells of each row whether it holds now, and why not."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.catalogue import report
from tests.catalogue.records import Figures, Kept, Record
from tests.catalogue.repository import commit
from tests.catalogue.rows import Row

ROW = Row(id="F01", tried="A process is killed", holds="Nothing is lost")
RECORD = Record(
    outcome="held",
    why="",
    tests=2,
    seconds=4.25,
    ended="2026-12-01 10:00",
    commit=commit(),
    machine="2 cores",
    figures={
        "tests.x::test_kills": Figures(
            values={"kills": "300", "lost": "0", "recovery_p50_seconds": "3.0512"},
            outcome="held",
            ended="2026-12-01 10:00",
            commit="aaaa",
        )
    },
)


@pytest.fixture(autouse=True)
def one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "rows", lambda: {"F01": ROW})
    monkeypatch.setattr(report, "files", lambda: {"F01": [Path(__file__)]})


@pytest.fixture
def unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "changed_since", lambda *_: ())


@pytest.mark.usefixtures("unchanged")
def test_a_row_whose_tests_held_holds() -> None:
    assert report.state(ROW, replace(RECORD, commit="aaaa")).word == "held"


def test_a_row_that_held_before_the_product_changed_is_stale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed = lambda _, *paths: ("engine/log.py",) if "engine" in paths else ()  # noqa: E731
    monkeypatch.setattr(report, "changed_since", changed)
    found = report.state(ROW, replace(RECORD, commit="aaaa"))

    assert found.word == "stale"
    assert found.why == "held at aaaa; since then 1 file of the product changed"


@pytest.mark.parametrize("text", ["unknown", "aaaa+", "0" * 40])
def test_a_row_of_an_unknown_state_of_the_files_is_stale(text: str) -> None:
    assert report.state(ROW, replace(RECORD, commit=text)).word == "stale"


def test_a_row_that_failed_says_why() -> None:
    found = report.state(ROW, replace(RECORD, outcome="failed", why="test_kills: one was lost"))

    assert (found.word, found.why) == ("failed", "test_kills: one was lost")


def test_a_row_that_never_ran_is_told() -> None:
    assert report.state(ROW, None).word == "not run"


def test_a_row_without_tests_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "files", dict)

    assert report.state(ROW, None).word == "without a test"
    assert report.state(replace(ROW, absent="no such mode"), None).word == "nothing to test"


@pytest.mark.usefixtures("unchanged")
def test_the_page_has_rows_sums_recovery_and_figures() -> None:
    page = report.render(Kept(rows={"F01": replace(RECORD, commit="aaaa")}))

    assert "| F01 | A process is killed | held | 2 | 4.2 | aaaa | 2026-12-01 10:00 |" in page
    assert "| processes killed | 300 |" in page
    assert "| faults injected | 300 |" in page
    assert "| executions lost | 0 |" in page
    assert "recovery p50 seconds 3.05" in page
    assert "kills 300, lost 0" in page
    assert "not green" not in page


def test_the_page_says_which_rows_are_not_green() -> None:
    page = report.render(Kept())

    assert "| F01 | A process is killed | not run | its tests have not run |" in page


def test_the_page_says_which_planted_faults_were_not_caught() -> None:
    faults = [{"name": "a fence is open", "caughtBy": ""}, {"name": "b", "caughtBy": "test_b"}]
    page = report.render(Kept(planted={"commit": "a" * 40, "at": 1_796_083_200, "faults": faults}))

    assert "| 2 | 1 | aaaaaaaaaa | 2026-12-01 00:00 |" in page
    assert "Not caught: a fence is open." in page
