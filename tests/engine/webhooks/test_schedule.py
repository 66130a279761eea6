from datetime import UTC, datetime

import pytest

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.webhooks.deliveries import DeliveryStatus
from engine.webhooks.schedule import (
    DELAYS_SECONDS,
    FAILING_REASON,
    GONE_REASON,
    judge,
    parse_retry_after,
)

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
ENDED = Execution(
    id="e1",
    account_id="acc_1",
    workflow_slug="echo",
    workflow_version=1,
    source="api-workflow",
    status=ExecutionStatus.COMPLETED,
    created_at=1_000,
    started_at=1_001,
    completed_at=1_250,
    result={"text": "hi"},
)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_2xx_is_delivered(status: int) -> None:
    assert judge(status, attempt=1).status is DeliveryStatus.DELIVERED


@pytest.mark.parametrize("status", [None, 301, 302, 307, 308, 400, 404, 429, 500, 503])
def test_all_else_is_tried_again_on_schedule(status: int | None) -> None:
    delays = [judge(status, attempt=number).delay_seconds for number in range(1, 8)]

    assert delays == list(DELAYS_SECONDS)
    assert judge(status, attempt=8).status is DeliveryStatus.FAILED


def test_delays_are_spread_by_a_fifth() -> None:
    assert judge(500, attempt=3, jitter=0.0).delay_seconds == pytest.approx(96)
    assert judge(500, attempt=3, jitter=1.0).delay_seconds == pytest.approx(144)


@pytest.mark.F38
def test_gone_is_final_and_disables() -> None:
    judgement = judge(410, attempt=1)

    assert judgement.status is DeliveryStatus.FAILED
    assert judgement.disables == GONE_REASON
    assert "5 days" in FAILING_REASON


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("999999999999", 86_400),
        ("Wed, 25 Nov 2026 12:01:30 GMT", 90),
        ("Wed, 25 Nov 2026 11:00:00 GMT", 0),
        ("Wed, 25 Nov 2036 11:00:00 GMT", 86_400),
        ("soon", 0),
        ("-5", 0),
        ("", 0),
        ("Fri, 99 Foo 99999 99:99:99", 0),
        ("٣", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_a_day(text: str, seconds: float) -> None:
    assert parse_retry_after(text, NOW) == seconds


@pytest.mark.F38
def test_retry_after_only_puts_off() -> None:
    assert judge(429, attempt=1, retry_after="60", now=NOW).delay_seconds == 60
    assert judge(429, attempt=3, retry_after="1", now=NOW).delay_seconds == 120
