from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from tests.support.contract.installation import (
    Administration,
    Caller,
    asking,
    cleaned,
    failing,
    never,
)
from tests.support.contract.shapes import moment
from tests.support.gateway.documents import greeting
from tests.support.http.sse_reader import SentEvent, parse
from tests.support.http.target import Stub

PATH = "/api/events"
ROUTES = {"GET /api/events": "session"}
ENOUGH_SECONDS = 20.0


@dataclass
class Watcher:
    """A browser that reads the events of its account."""

    browser: Caller
    caller: Caller
    key_id: str
    seen: list[SentEvent] = field(default_factory=list)

    def watch(
        self, act: Callable[[], Any], until: Callable[[list[SentEvent]], bool], after: str = ""
    ) -> list[SentEvent]:
        """Return the events from an act on, once they are all that is waited for."""
        headers = {"last-event-id": after} if after else {}
        text, has_acted = "", False
        with self.browser.client.stream(
            "GET", PATH, headers=headers, timeout=ENOUGH_SECONDS
        ) as answer:
            assert answer.status_code == 200
            for piece in answer.iter_text():
                text += piece
                if not has_acted:
                    act()
                    has_acted = True
                if until(parse(text)):
                    break
        return parse(text)


def has(*names: str) -> Callable[[list[SentEvent]], bool]:
    """Return whether events of these names are there."""
    return lambda events: set(names) <= {each.name for each in events}


def named(events: list[SentEvent], name: str) -> list[Any]:
    """Return the data of the events of one name."""
    return [each.data for each in events if each.name == name]


@pytest.fixture
def watcher(administration: Administration) -> Iterator[Watcher]:
    browser = administration.browser(administration.account("business"))
    body = {"name": "k", "capabilities": ["workflow:*", "webhook:receive"]}
    made = browser.post("/api/api-keys", body).json()
    for caller in cleaned(administration.with_key(made["key"])):
        yield Watcher(browser=browser, caller=caller, key_id=made["id"])


def test_begin_and_end_of_executions_come_with_their_rows(watcher: Watcher) -> None:
    slug, broken = watcher.caller.save(greeting()), watcher.caller.save(failing())

    def run() -> None:
        watcher.caller.run(slug, {"name": "Ada"})
        watcher.caller.run(broken)

    events = watcher.watch(run, has("execution.completed", "execution.failed"))

    rows = watcher.caller.get("/api/executions").json()["rows"]
    begun = named(events, "execution.started")
    assert {each["id"] for each in begun} == {each["executionId"] for each in rows}
    (completed,), (failed,) = (
        named(events, f"execution.{status}") for status in ("completed", "failed")
    )
    for event in (completed, failed):
        (row,) = [each for each in rows if each["executionId"] == event["id"]]
        assert event == {"id": row["executionId"], "at": event["at"], **row}
        assert moment(event["at"])
        assert event["at"] == row["completedAt"]
    assert completed["result"] == {"text": "Hello Ada"}


def test_a_cancelled_execution_is_told(watcher: Watcher) -> None:
    execution_id = watcher.caller.start(watcher.caller.save(never()))

    def cancel() -> None:
        watcher.browser.post(f"/api/executions/{execution_id}/cancel")

    events = watcher.watch(cancel, has("execution.cancelled"))

    assert [each["id"] for each in named(events, "execution.cancelled")] == [execution_id]
    assert named(events, "execution.started") == []


def test_a_save_is_told_with_the_workflows_row(watcher: Watcher) -> None:
    slug = watcher.caller.save(greeting())

    def save() -> None:
        watcher.caller.put(f"/api/workflows/{slug}", {"tags": ["new"]})

    events = watcher.watch(save, has("workflow.saved"))

    (saved,) = named(events, "workflow.saved")
    (row,) = [each for each in watcher.caller.get("/api/workflows").json() if each["slug"] == slug]
    assert saved == {"id": slug, "at": saved["at"], **row}
    assert saved["tags"] == ["new"]


def test_writes_and_discards_of_drafts_are_told(watcher: Watcher) -> None:
    slug = watcher.caller.save(greeting())
    path = f"/api/workflows/{slug}/draft"

    # A stream may begin with the save before it, if that was in the same millisecond.
    written = watcher.watch(lambda: watcher.caller.put(path, greeting()), says_draft(True))
    gone = watcher.watch(lambda: watcher.caller.delete(path), says_draft(False))

    assert [each["slug"] for each in named(written + gone, "workflow.saved")][-2:] == [slug, slug]


def says_draft(has_draft: bool) -> Callable[[list[SentEvent]], bool]:
    """Return whether an event says that the workflow has a draft, or that it has none."""
    return lambda events: any(
        each["hasDraft"] is has_draft for each in named(events, "workflow.saved")
    )


def test_attempts_of_deliveries_are_told(watcher: Watcher, stub: Stub) -> None:
    hook = f"/api/api-keys/{watcher.key_id}/webhook"
    watcher.browser.put(hook, {"url": f"{stub.url}/hook"})

    events = watcher.watch(
        lambda: watcher.browser.post(f"{hook}/test"),
        lambda found: any(
            each["status"] == "delivered" for each in named(found, "delivery.updated")
        ),
    )

    (row,) = watcher.browser.get(f"{hook}/deliveries").json()["rows"]
    updated = named(events, "delivery.updated")[-1]
    assert updated == {"at": updated["at"], **row}


def test_a_change_of_the_balance_is_told(watcher: Watcher) -> None:
    slug = watcher.caller.save(asking("echo"))

    events = watcher.watch(
        lambda: watcher.caller.run(slug, {"prompt": "a"}),
        lambda found: (
            has("execution.completed", "balance.changed")(found)
            and found[-1].name == "balance.changed"
        ),
    )

    balance = named(events, "balance.changed")[-1]
    assert balance["balance"] == watcher.browser.get("/api/me").json()["credits"]["balance"]
    assert set(balance) == {"id", "at", "kind", "credits", "balance", "executionId"}


def test_a_reader_goes_on_after_the_last_event_that_it_has_seen(watcher: Watcher) -> None:
    slug = watcher.caller.save(greeting())

    def run() -> None:
        for _ in range(3):
            watcher.caller.run(slug, {"name": "Ada"})

    def all_have_ended(events: list[SentEvent]) -> bool:
        return len(named(events, "execution.completed")) == 3

    whole = watcher.watch(run, all_have_ended)
    for position, event in enumerate(whole[:-1]):
        rest = watcher.watch(lambda: None, lambda found: found[-1:] == whole[-1:], after=event.id)

        assert [each.id for each in rest] == [each.id for each in whole[position + 1 :]]


def test_events_of_others_are_not_told(watcher: Watcher, caller: Caller) -> None:
    slug, foreign = watcher.caller.save(greeting()), caller.save(greeting())

    def run() -> None:
        caller.run(foreign, {"name": "Eve"})
        watcher.caller.run(slug, {"name": "Ada"})

    events = watcher.watch(run, has("execution.completed"))

    assert {each["workflowSlug"] for each in named(events, "execution.completed")} == {slug}


def test_events_are_for_sessions_alone(
    caller: Caller, anonymous: httpx2.Client, browser: Caller
) -> None:
    assert anonymous.get(PATH).status_code == 401
    assert caller.get(PATH).json()["code"] == "SESSION_REQUIRED"
    wrong = browser.get(PATH, headers={"last-event-id": "yesterday"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "INVALID_QUERY")
