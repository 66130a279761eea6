"""Limits of items as they begin: the window of runs, running executions, credits and approval."""

import time
from collections.abc import Callable
from typing import Any

import httpx2

from tests.support.acceptance.running_stack import until
from tests.support.contract.batches import (
    batch_of,
    begun_batch,
    ended_batch,
    inputs_of,
    items_of,
    start_batch,
)
from tests.support.contract.installation import (
    Administration,
    asking,
    field,
    form,
    never,
    workflow,
)
from tests.support.contract.shapes import assert_fits, sentence
from tests.support.gateway.documents import edge, greeting, node
from tests.support.http.target import Stub

NOTHING_MORE_SECONDS = 1.0
"""Pause in which a further item would have begun."""


def in_one_window(
    act: Callable[[], tuple[httpx2.Response, httpx2.Response]],
) -> tuple[httpx2.Response, httpx2.Response]:
    """Return the first and the last of some calls, of which all were in one window."""
    while True:
        first, last = act()
        if first.headers["x-ratelimit-reset"] == last.headers["x-ratelimit-reset"]:
            return first, last


def slow(stub: Stub) -> dict[str, Any]:
    """A call that takes two seconds, and whose failure changes nothing."""
    once = {"attempts": 1}
    return node("slow", "httpRequest", url=f"{stub.url}/slow/2", retry=once, onError="continue")


def test_items_take_half_of_the_window_of_runs(administration: Administration) -> None:
    found: list[dict[str, int]] = []

    def act() -> tuple[httpx2.Response, httpx2.Response]:
        caller = administration.caller("pro")
        slug = caller.save(greeting())
        items = inputs_of("name", *["Ada"] * 60)
        begun = start_batch(caller, slug, items, concurrency=100)
        batch_id = begun.json()["batchId"]
        until(lambda: batch_of(caller, batch_id)["counts"]["completed"] >= 50)
        time.sleep(NOTHING_MORE_SECONDS)
        found.append(batch_of(caller, batch_id)["counts"])
        ran = caller.run(slug, {"name": "Eve"})
        caller.post(f"/api/batches/{batch_id}/cancel")
        caller.clean()
        return begun, ran

    first, last = in_one_window(act)

    assert (found[-1]["completed"], found[-1]["queued"]) == (50, 10)
    assert (first.status_code, first.headers["x-ratelimit-remaining"]) == (202, "99")
    assert (last.status_code, last.headers["x-ratelimit-remaining"]) == (200, "48")


def test_items_take_half_of_the_accounts_executions(administration: Administration) -> None:
    account = administration.account("creator")
    browser = administration.browser(account)  # 20 executions at once, and 60 runs a minute
    slug = browser.save(never())
    batch_id = begun_batch(browser, slug, [{"inputs": {}}] * 25, concurrency=100)

    until(lambda: batch_of(browser, batch_id)["counts"]["processing"] >= 10)
    time.sleep(NOTHING_MORE_SECONDS)
    counts = batch_of(browser, batch_id)["counts"]
    single = [browser.run(slug, {}, "?async=true").status_code for _ in range(10)]
    browser.post(f"/api/batches/{batch_id}/cancel")

    assert (counts["processing"], counts["queued"]) == (10, 15)
    assert single == [202] * 10
    browser.clean()


def test_an_item_that_the_balance_does_not_cover_fails_and_the_batch_goes_on(
    administration: Administration, chat: str, stub: Stub
) -> None:
    account = administration.account("enterprise")  # without an allowance
    caller = administration.with_key(administration.key(account, "workflow:*"))
    nodes = [
        form(field("prompt", "text")),
        slow(stub),
        node("model", "customModel", model=chat),
        node("out", "responseOutput"),
    ]
    edges = [
        edge("in", "prompt", "model", "prompt-in"),
        edge("model", "text-out", "out", "result-in"),
        edge("slow", "response-out", "out", "result-in"),
    ]
    slug, other = caller.save(workflow(nodes, edges)), caller.save(asking(chat))
    estimate = caller.get(f"/api/workflows/{slug}/schema").json()["estimatedCreditCost"]
    administration.top_up(account, "enterprise", 3 * estimate)
    batch_id = begun_batch(caller, slug, inputs_of("prompt", "a", "b", "c"), concurrency=1)

    until(lambda: batch_of(caller, batch_id)["counts"]["processing"])
    spent = [caller.run(other, {"prompt": "a"}).status_code for _ in range(2)]
    ended, rows = ended_batch(caller, batch_id), items_of(caller, batch_id)

    assert spent == [200, 200]
    assert (ended["status"], ended["creditsCost"]) == ("completed", estimate)
    assert [row["status"] for row in rows] == ["completed", "failed", "failed"]
    for row in rows[1:]:
        assert (row["executionId"], row["creditsCost"]) == (None, 0)
        assert_fits(row["error"], {"code": "INSUFFICIENT_CREDITS", "message": sentence})
    caller.clean()


def test_items_of_an_account_that_is_not_approved_any_more_fail(
    administration: Administration, stub: Stub
) -> None:
    account = administration.account("business")
    own = administration.with_key(administration.key(account))
    admin = administration.browser(administration.account("business", role="admin"))
    nodes = [slow(stub), node("text", "textBox", text="a"), node("out", "responseOutput")]
    edges = [
        edge("text", "text-out", "out", "result-in"),
        edge("slow", "response-out", "out", "result-in"),
    ]
    slug = own.save(workflow(nodes, edges))
    batch_id = begun_batch(own, slug, [{"inputs": {}}] * 3, concurrency=1)
    until(lambda: batch_of(own, batch_id)["counts"]["processing"])

    answer = admin.client.patch(f"/api/admin/accounts/{account}", json={"approved": False})
    ended, rows = ended_batch(own, batch_id), items_of(own, batch_id)

    assert answer.status_code == 200, answer.text
    assert ended["status"] == "completed"
    assert [row["status"] for row in rows] == ["completed", "failed", "failed"], rows
    assert {row["error"]["code"] for row in rows[1:]} == {"ACCOUNT_NOT_APPROVED"}
    assert own.post(f"/api/batches/{batch_id}/cancel").status_code == 202
