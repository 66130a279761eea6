"""Outcome of a replay at the terminal."""

from typing import Any

import pytest

from deploy.client.releases.replays import ReplayOptions, report_replay, shown_row
from deploy.client.releases.replays import exit_code as code_of

NONE = {"same": 0, "different": 0, "failed": 0, "unmatched": 0}


def options(**more: Any) -> ReplayOptions:
    members: dict[str, Any] = {"last": 5, "execution_ids": (), "against": "draft"}
    return ReplayOptions(slug="a", calls="recorded", **members | more)


def replay(*rows: dict[str, Any], status: str = "completed", **counts: int) -> dict[str, Any]:
    return {"replayId": "r-1", "status": status, "counts": NONE | counts, "rows": list(rows)}


def row(verdict: str, *changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    ids = {"executionId": "e-1", "replayExecutionId": "e-2"}
    return {**ids, "verdict": verdict, "changes": list(changes), **more}


@pytest.mark.parametrize(
    ("given", "members"),
    [
        ({}, {"last": 5, "against": "draft"}),
        ({"against": "3"}, {"last": 5, "against": 3}),
        ({"against": "live"}, {"last": 5, "against": "live"}),
        ({"execution_ids": ("e-1",)}, {"executionIds": ["e-1"], "against": "draft"}),
    ],
)
def test_a_number_means_a_version_and_a_word_a_name(
    given: dict[str, Any], members: dict[str, Any]
) -> None:
    assert options(**given).body() == {**members, "calls": "recorded"}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (replay(same=4), 0),
        (replay(same=4, different=1), 3),
        (replay(same=4, different=1, unmatched=1), 1),
        (replay(same=4, failed=1), 1),
        (replay(same=4, status="cancelled"), 1),
        (replay(same=1, different=1, status="processing"), 0),
    ],
)
def test_the_exit_code_tells_differences_from_what_could_not_be_compared(
    given: dict[str, Any], code: int
) -> None:
    assert code_of(given) == code


def test_a_row_shows_its_first_change_or_the_node_that_was_not_called() -> None:
    first = {"path": "result.text", "before": "Dear Ada", "after": "x" * 99}
    second = {"path": "result.n", "before": 1, "after": None}
    unmatched = row("unmatched", node={"id": "draft", "reason": "The prompt differs"})

    assert shown_row(row("same"))["change"] is None
    assert shown_row(row("different", second))["change"] == "result.n: 1 → null"
    assert shown_row(unmatched)["change"] == "draft: The prompt differs"
    long = shown_row(row("different", first, second))["change"]
    assert long == f'result.text: "Dear Ada" → "{"x" * 58}… and 1 more'


def test_long_values_are_shown_from_before_their_first_difference() -> None:
    same = "The kettle boils fast and looks lovely on the stove. " * 3
    change = {"path": "result.text", "before": f"{same}Dear Ada", "after": f"{same}Hey Ada"}

    shown = shown_row(row("different", change))["change"]

    assert shown == 'result.text: … the stove. Dear Ada" → … the stove. Hey Ada"'


def test_a_report_with_unmatched_runs_says_how_they_can_be_compared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    unmatched = row("unmatched", node={"id": "draft", "reason": "The prompt differs"})

    assert report_replay(replay(unmatched, unmatched=1), as_json=False) == 1

    assert capsys.readouterr().err.endswith("`--calls live` calls them, and is charged.\n")


def test_the_report_has_a_row_for_each_run_and_the_counts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    change = {"path": "result", "before": "a", "after": "b"}

    code = report_replay(replay(row("different", change), different=1), as_json=False)

    out, err = capsys.readouterr()
    assert code == 3
    assert out.splitlines()[1].split()[:3] == ["e-1", "different", "e-2"]
    assert out.splitlines()[-1] == "r-1  completed: 1 different"
    assert err == "headrace: The runs of the replay r-1 differ: 1 different.\n"
