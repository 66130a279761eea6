"""Verdicts on items of replays, by how the earlier and the new execution ended."""

from typing import Any

import pytest

from engine.services.replays.verdicts import VERDICTS, Outcome, compare


def completed(result: Any = "a") -> Outcome:
    return Outcome(status="completed", error=None, credits=2, duration_ms=5, result=result)


def failed(code: str, node: str = "n", **members: Any) -> Outcome:
    error = {
        "code": "EXECUTION_FAILED",
        "nodeCode": code,
        "nodeId": node,
        "message": "No",
        **members,
    }
    return Outcome(status="failed", error=error, credits=0, duration_ms=7)


REFUSED = Outcome.refused({"code": "INVALID_INPUTS", "message": "No"})


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        (completed(), completed(), "same"),
        (completed(), completed("b"), "different"),
        (completed(), failed("http_error"), "failed"),
        (completed(), REFUSED, "failed"),
        (completed(), failed("replay_unmatched"), "unmatched"),
        (failed("http_error"), failed("replay_unmatched"), "unmatched"),
        (failed("http_error"), failed("http_error", message="Other words"), "same"),
        (failed("http_error"), failed("timed_out"), "different"),
        (failed("http_error"), failed("http_error", "m"), "different"),
        (failed("http_error"), completed(), "different"),
        (failed("http_error"), REFUSED, "different"),
        (None, completed(), "failed"),
        (None, failed("http_error"), "failed"),
    ],
)
def test_a_verdict_follows_from_both_ends(
    before: Outcome | None, after: Outcome, word: str
) -> None:
    verdict = compare(before, after, lambda one, other: False)

    assert VERDICTS[verdict.code].word == word
    assert bool(verdict.value["changes"]) == (word == "different")


def test_a_verdict_has_what_readers_see_beside() -> None:
    found = compare(completed({"text": "a"}), completed({"text": "b"}), lambda one, other: False)

    assert found.value == {
        "changes": [["result.text", "a", "b"]],
        "hasMore": False,
        "node": None,
        "before": {"status": "completed", "creditsCost": 2, "durationMs": 5, "error": None},
        "after": {"status": "completed", "creditsCost": 2, "durationMs": 5, "error": None},
    }


def test_an_unmatched_node_is_named_with_its_reason() -> None:
    after = failed("replay_unmatched", "ask", reason="Nothing was recorded")

    found = compare(completed(), after, lambda one, other: False)

    assert found.value["node"] == {"id": "ask", "reason": "Nothing was recorded"}
    assert found.value["after"]["error"]["nodeCode"] == "replay_unmatched"


def test_an_earlier_execution_that_is_gone_is_said() -> None:
    found = compare(None, completed(), lambda one, other: False)

    assert found.value["before"] is None
    assert found.value["after"]["error"]["code"] == "EXECUTION_NOT_FOUND"
