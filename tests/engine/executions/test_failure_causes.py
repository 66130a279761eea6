"""Causes of failed executions: each code of the reference page has one."""

import re
from pathlib import Path

import pytest

from engine.billing.credits import MONEY_CODES
from engine.executions.failure_causes import CODES, FailureCause, cause_of
from engine.telemetry.metrics import CAUSES

ERRORS = Path(__file__).parents[3] / "docs" / "reference" / "errors.md"
INTERNAL = {"left"}
"""Codes that no execution ends with."""


def test_every_code_of_the_page_has_one_cause() -> None:
    _, _, nodes = ERRORS.read_text().partition("## What a node can fail with")
    codes = set(re.findall(r"^\| `(\w+)`", nodes, re.MULTILINE))
    known = [code for each in CODES.values() for code in each]

    assert len(known) == len(set(known))
    assert codes | MONEY_CODES | {"INTERNAL_ERROR"} == set(known) - INTERNAL


def test_causes_are_those_of_the_metric() -> None:
    assert set(CAUSES) == set(FailureCause) == set(CODES)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ({"code": "EXECUTION_FAILED", "nodeCode": "PROVIDER_UNAVAILABLE"}, FailureCause.PROVIDER),
        ({"code": "INSUFFICIENT_CREDITS", "nodeId": "a"}, FailureCause.MONEY),
        ({"code": "INTERNAL_ERROR", "message": "It failed"}, FailureCause.INTERNAL),
        ({"code": "EXECUTION_FAILED", "nodeCode": "of_a_later_release"}, FailureCause.OTHER),
        (None, FailureCause.OTHER),
    ],
)
def test_the_code_of_the_node_comes_first(
    error: dict[str, str] | None, cause: FailureCause
) -> None:
    assert cause_of(error) is cause
