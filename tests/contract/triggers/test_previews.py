"""Previews of schedules."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, sentence

ROUTES = {"POST /api/triggers/preview": "any key or session"}
PATH = "/api/triggers/preview"


def preview(caller: Caller, cron: Any, **members: Any) -> list[datetime]:
    answer = caller.post(PATH, {"cron": cron, **members})
    assert answer.status_code == 200, answer.text
    assert_fits(answer.json(), {"at": list})
    return [datetime.fromisoformat(each) for each in answer.json()["at"]]


def refused(answer: httpx2.Response, field: str) -> None:
    assert answer.status_code == 400
    body = {"error": sentence, "code": "INVALID_TRIGGER", "field": field, "reason": sentence}
    assert_fits(answer.json(), body)


def test_it_gives_the_next_due_times(caller: Caller) -> None:
    times = preview(caller, "*/15 * * * *", count=4)

    now = datetime.now(UTC)
    assert now - timedelta(minutes=1) < times[0] <= now + timedelta(minutes=15)
    assert [later - times[0] for later in times] == [timedelta(minutes=15 * n) for n in range(4)]
    assert times[0].minute % 15 == 0


def test_the_time_zone_counts(caller: Caller) -> None:
    times = preview(caller, "30 9 * * *", timezone="Asia/Kolkata", count=3)

    local = [each.astimezone(ZoneInfo("Asia/Kolkata")) for each in times]
    assert [(each.hour, each.minute) for each in local] == [(9, 30)] * 3


def test_it_gives_five_in_utc_unless_told_otherwise(caller: Caller) -> None:
    times = preview(caller, "@daily")

    assert len(times) == 5
    assert {(each.hour, each.minute) for each in times} == {(0, 0)}


@pytest.mark.parametrize("name", ["hourly", "daily", "weekly", "monthly", "yearly"])
def test_five_names_stand_for_expressions(caller: Caller, name: str) -> None:
    assert len(preview(caller, f"@{name}", count=2)) == 2


@pytest.mark.parametrize(
    "cron",
    [
        None,
        5,
        "",
        "* * * *",
        "* * * * * *",
        "61 * * * *",
        "@minutely",
        "0 0 30 2 *",
        "*/100 * * * *",
    ],
)
def test_a_wrong_expression_is_refused(caller: Caller, cron: Any) -> None:
    refused(caller.post(PATH, {"cron": cron}), "cron")


@pytest.mark.parametrize("timezone", [None, 5, "", "Mars/Base", "../etc/passwd", "CET+1"])
def test_a_wrong_time_zone_is_refused(caller: Caller, timezone: Any) -> None:
    refused(caller.post(PATH, {"cron": "@daily", "timezone": timezone}), "timezone")


@pytest.mark.parametrize("count", [0, 101, 2.5, "3", None])
def test_a_wrong_count_is_refused(caller: Caller, count: Any) -> None:
    refused(caller.post(PATH, {"cron": "@daily", "count": count}), "count")


def test_other_members_are_refused(caller: Caller) -> None:
    refused(caller.post(PATH, {"cron": "@daily", "zone": "UTC"}), "zone")


def test_an_account_that_is_not_approved_may_look(administration: Administration) -> None:
    browser = administration.browser(administration.account("pro", approved=False))

    assert len(preview(browser, "@hourly", count=1)) == 1
