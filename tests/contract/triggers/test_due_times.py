"""Due times of schedules, which real minutes bring."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.contract.installation import Administration, Caller, asking, field, form, never
from tests.support.contract.triggers import at, greeting, hook, make, schedule

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(600)]
EACH_MINUTE = "* * * * *"
MINUTES = 3
"""Due times that are waited for; the first one may be that of a minute under way."""
BUSY = timedelta(seconds=20)
"""Lateness that is allowed here, where other tests keep the machine busy."""


@pytest.fixture(scope="module")
def owner(administration: Administration) -> Iterator[Caller]:
    browser = administration.browser(administration.account("business"))
    yield browser
    browser.clean()


@pytest.fixture(scope="module")
def schedules(owner: Caller, administration: Administration, stack: Any) -> dict[str, Any]:
    """Schedules of each minute after three of them, by what becomes of their due times."""
    slug, gone, changed = (owner.save(greeting()) for _ in range(3))
    wide = greeting()
    wide["nodes"][0] = form(*(field(name, "text", required=True) for name in ("name", "mark")))
    model = owner.save(asking("contract-chat"))
    bodies = {
        "started": schedule(slug),
        "zone": schedule(slug, timezone="Asia/Kathmandu"),
        "paused": schedule(slug, enabled=False),
        "overlap": schedule(owner.save(never()), inputs={}, overlap="skip"),
        "gone": schedule(gone),
        "changed": schedule(changed),
        "costly": schedule(model, inputs={"prompt": "hi"}, max_credits=0),
        "hook": hook(slug),
    }
    made = {
        name: make(owner, {**body, **({} if name == "hook" else {"cron": EACH_MINUTE})})
        for name, body in bodies.items()
    }
    owner.delete(f"/api/workflows/{gone}")
    assert owner.put(f"/api/workflows/{changed}", wide).status_code == 200
    poor = administration.browser(administration.account("enterprise"))
    body = schedule(poor.save(asking("contract-chat")), inputs={"prompt": "hi"}, cron=EACH_MINUTE)
    made["poor"] = {**make(poor, body), "caller": poor}
    end = datetime.now(UTC) + timedelta(minutes=MINUTES)
    while datetime.now(UTC) < end + BUSY:
        time.sleep(1)
    return made


def rows(owner: Caller, trigger: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the occurrences of the first minutes, oldest first."""
    caller = trigger.get("caller", owner)
    found = caller.get(at(trigger, "/occurrences?limit=200")).json()["rows"][::-1]
    return list(found[:MINUTES])


def outcomes(owner: Caller, trigger: dict[str, Any]) -> set[tuple[str, str | None]]:
    return {(row["status"], row["reason"]) for row in rows(owner, trigger)}


@pytest.mark.parametrize("name", ["started", "zone"])
def test_each_due_time_has_one_occurrence_and_one_run(
    owner: Caller, schedules: dict[str, Any], name: str
) -> None:
    found = rows(owner, schedules[name])

    times = [datetime.fromisoformat(row["at"]) for row in found]
    first = datetime.fromisoformat(schedules[name]["nextAt"])
    assert times == [first + timedelta(minutes=number) for number in range(MINUTES)]
    assert {row["status"] for row in found} == {"started"}
    executions = owner.get(f"/api/executions?triggerId={schedules[name]['id']}&limit=500").json()
    by_occurrence = {row["occurrenceId"]: row for row in executions["rows"]}
    assert len(by_occurrence) == len(executions["rows"])
    for row, due in zip(found, times, strict=True):
        execution = by_occurrence[row["id"]]
        assert execution["executionId"] == row["executionId"]
        assert execution["source"] == "trigger"
        assert timedelta(0) <= datetime.fromisoformat(execution["createdAt"]) - due < BUSY


def test_the_next_time_goes_on(owner: Caller, schedules: dict[str, Any]) -> None:
    trigger = owner.get(at(schedules["started"])).json()

    next_at = datetime.fromisoformat(trigger["nextAt"])
    assert datetime.now(UTC) - BUSY < next_at <= datetime.now(UTC) + timedelta(minutes=1)
    assert trigger["lastOccurrence"]["status"] == "started"


@pytest.mark.parametrize("name", ["paused", "hook"])
def test_others_have_no_due_times(owner: Caller, schedules: dict[str, Any], name: str) -> None:
    assert rows(owner, schedules[name]) == []


def test_none_starts_while_the_last_one_runs(owner: Caller, schedules: dict[str, Any]) -> None:
    first, *others = rows(owner, schedules["overlap"])

    assert first["status"] == "started"
    assert {(row["status"], row["reason"]) for row in others} == {("skipped", "still_running")}
    assert {row["executionId"] for row in others} == {None}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone", "workflow_not_runnable"),
        ("changed", "invalid_inputs"),
        ("costly", "max_credits_exceeded"),
        ("poor", "insufficient_credits"),
    ],
)
def test_a_run_that_cannot_start_leaves_its_reason(
    owner: Caller, schedules: dict[str, Any], name: str, reason: str
) -> None:
    assert outcomes(owner, schedules[name]) == {("failed", reason)}
    assert len(rows(owner, schedules[name])) == MINUTES


def test_time_while_disabled_gives_none(owner: Caller, schedules: dict[str, Any]) -> None:
    enabled = owner.patch(at(schedules["paused"]), {"enabled": True}).json()

    assert datetime.fromisoformat(enabled["nextAt"]) > datetime.now(UTC) - BUSY
    time.sleep(2)
    found = rows(owner, schedules["paused"])
    assert all(datetime.fromisoformat(row["at"]) > datetime.now(UTC) - BUSY for row in found)
