"""Outcome of a test run at the terminal."""

from typing import Any

import pytest

from deploy.client.releases.testing import exit_code, lines_of, report_tests, summary


def expectation(text: str, met: bool | None, reason: str | None = None) -> dict[str, Any]:
    return {"expression": text, "met": met, "values": {"cost": 3}, "reason": reason}


def row(verdict: str | None, *expectations: dict[str, Any], error: Any = None) -> dict[str, Any]:
    return {
        "name": "greets",
        "verdict": verdict,
        "expectations": list(expectations),
        "error": error,
        "durationMs": None if verdict is None else 12,
    }


def run(*rows: dict[str, Any], status: str = "completed") -> dict[str, Any]:
    verdicts = [each["verdict"] for each in rows]
    counts = {word: verdicts.count(word) for word in ("passed", "failed", "error")}
    return {
        "testRunId": "run-1",
        "workflowSlug": "greeting",
        "workflowVersion": None,
        "status": status,
        "counts": counts | {"pending": verdicts.count(None)},
        "creditsCost": 14,
        "createdAt": "2026-03-01T09:30:00.000Z",
        "rows": list(rows),
    }


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (run(row("passed")), 0),
        (run(row("passed"), row("failed")), 1),
        (run(row("passed"), row("error")), 1),
        (run(row("passed"), status="cancelled"), 1),
        (run(row("passed"), row(None)), 1),
    ],
)
def test_only_a_whole_pass_exits_with_0(given: dict[str, Any], code: int) -> None:
    assert exit_code(given) == code


def test_a_test_that_fails_shows_its_expectations_and_their_values() -> None:
    failed = row(
        "failed",
        expectation("true", True),
        expectation("cost < 2.0", False),
        expectation("cost.a", None, "no such member"),
    )

    assert lines_of(row("passed", expectation("true", True))) == ["ok      greets (12 ms)"]
    assert lines_of(failed) == [
        "FAILED  greets (12 ms)",
        "        cost < 2.0",
        "          cost = 3",
        "        cost.a",
        "          no such member",
        "          cost = 3",
    ]
    assert lines_of(row("error", error={"code": "EXECUTION_FAILED", "message": "It broke"})) == [
        "ERROR   greets (12 ms)",
        "        EXECUTION_FAILED: It broke",
    ]
    assert lines_of(row(None)) == ["PENDING greets"]


def test_the_last_line_counts(capsys: pytest.CaptureFixture[str]) -> None:
    whole = run(row("passed"), row("failed"))

    assert report_tests(whole, as_json=False) == 1
    assert summary(whole) == "greeting, the draft: 1 passed, 1 failed, 14 credits (run-1)"
    assert capsys.readouterr().out.endswith(
        "\ngreeting, the draft: 1 passed, 1 failed, 14 credits (run-1)\n"
    )
