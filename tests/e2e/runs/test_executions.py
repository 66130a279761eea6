"""Executions: the list with its filters, and one of them, from an id to the cause."""

import json
import re
import secrets
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.executions import ended, panel, run
from tests.support.e2e.receiver import Received, receiving
from tests.support.e2e.workflows import calling, greeting

pytestmark = pytest.mark.slow
MANY = 10_000
PAGE_ROWS = 500


@pytest.fixture
def shop() -> Iterator[Received]:
    """The server that a node calls."""
    with receiving() as received:
        yield received


def test_filters_are_in_the_address_and_apply_together(page: Page, stack: RunningStack) -> None:
    for name in ("Filtered", "Filtered too"):
        stack.api("POST", "/api/workflows", greeting(name))
        ended(stack, run(stack, name.lower().replace(" ", "-")))
    page.goto("/app/executions")
    rows = page.get_by_role("table", name="Executions").get_by_role("rowheader")
    expect(rows.filter(has_text="filtered-too")).to_have_count(1)

    page.get_by_label("Workflow").select_option("Filtered too")
    page.get_by_role("checkbox", name="Completed").check()
    page.get_by_label("Time", exact=True).select_option("Last hour")
    page.get_by_role("button", name="More filters").click()
    page.get_by_label("Source").select_option("API, workflow")
    page.get_by_label("Version").fill("1")

    expect(rows).to_have_count(1)
    expect(page).to_have_url(
        re.compile("workflowSlug=filtered-too.*status=completed.*range=1h.*source=.*version=1")
    )
    page.reload()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("Version")).to_have_value("1")
    page.get_by_label("Version").fill("2")
    expect(page.get_by_text("No execution matches")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(rows.filter(has_text="filtered")).to_have_count(2)
    expect(page).to_have_url(re.compile("/app/executions$"))


def test_a_time_and_the_start_of_an_id_filter(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("In time"))
    execution_id = run(stack, "in-time")
    page.goto("/app/executions?workflowSlug=in-time")
    rows = page.get_by_role("table", name="Executions").get_by_role("rowheader")
    expect(rows).to_have_count(1)

    page.get_by_label("Start of an id").fill(execution_id[:10].upper())
    expect(page).to_have_url(re.compile(f"q={execution_id[:10]}"))
    expect(rows).to_have_count(1)
    page.get_by_label("Time", exact=True).select_option("From … to …")
    page.get_by_label("To", exact=True).fill("2026-01-01T00:00:00")

    expect(page.get_by_text("No execution matches")).to_be_visible()


def test_the_list_follows_what_happens(page: Page, stack: RunningStack, shop: Received) -> None:
    shop.answers.clear()
    stack.api("POST", "/api/workflows", calling("List follows", shop.url))
    page.goto("/app/executions?workflowSlug=list-follows")
    expect(page.get_by_text("No execution matches")).to_be_visible()

    run(stack, "list-follows")
    row = page.get_by_role("row", name="list-follows")
    expect(row).to_contain_text("processing")
    shop.answers.set()

    expect(row).to_contain_text("completed")


def test_a_list_that_could_not_be_read_for_a_moment_is_read_again(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    stack.api("POST", "/api/workflows", greeting("Read again"))
    page.goto("/app/executions?workflowSlug=read-again")
    expect(page.get_by_text("No execution matches")).to_be_visible()
    refusal = {"error": "The store cannot be reached", "code": "UNAVAILABLE"}
    page.route(
        re.compile(r"/api/executions\?"),
        lambda route: route.fulfill(status=503, json=refusal),
        times=2,
    )

    run(stack, "read-again")

    expect(page.get_by_role("row", name="read-again")).to_contain_text("completed")
    complaints[:] = [each for each in complaints if "503" not in each]


def test_what_has_no_key_and_no_model_is_found_and_one_of_a_request(
    page: Page, stack: RunningStack
) -> None:
    stack.api("POST", "/api/workflows", greeting("Keyless"))
    found = ended(stack, run(stack, "keyless"))
    page.goto("/app/playground/keyless")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("region", name="Your runs").get_by_role("button").first.wait_for()
    page.goto("/app/executions?workflowSlug=keyless")
    rows = page.get_by_role("table", name="Executions").get_by_role("rowheader")
    expect(rows).to_have_count(2)

    page.get_by_role("button", name="More filters").click()
    page.get_by_label("Model").select_option("No model")
    expect(rows).to_have_count(2)
    page.get_by_label("API key").select_option("No key (pages)")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile("modelId=-&keyId=-"))
    page.get_by_label("API key").select_option("All keys")
    page.get_by_label("X-Request-Id").fill(found["httpRequestId"])
    expect(rows).to_have_count(1)


def test_the_trace_of_a_run_is_a_link_a_filter_and_found_by_the_search(
    page: Page, stack: RunningStack
) -> None:
    trace_id = secrets.token_hex(16)
    stack.api("POST", "/api/workflows", greeting("Traced"))
    ended(stack, run(stack, "traced"))
    answer = httpx2.post(
        f"{stack.url}/api/workflows/traced/run",
        json={"inputs": {"name": "Ada"}},
        headers={"x-api-key": stack.key, "traceparent": f"00-{trace_id}-{'2b' * 8}-00"},
    )
    execution_id = answer.json()["executionId"]
    page.goto("/app/executions?workflowSlug=traced")
    rows = page.get_by_role("table", name="Executions").get_by_role("rowheader")
    expect(rows).to_have_count(2)

    page.get_by_role("button", name="More filters").click()
    page.get_by_label("Trace").fill(trace_id[:8])
    expect(rows).to_have_count(2)
    page.get_by_label("Trace").fill(trace_id)
    expect(rows).to_have_count(1)
    page.keyboard.press("Escape")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Id, slug, name or key").fill(trace_id)
    page.get_by_role("option", name="in this trace").click()

    expect(page).to_have_url(re.compile(execution_id))
    link = page.get_by_role("link", name=trace_id)
    expect(link).to_have_attribute("href", f"https://traces.example/trace/{trace_id}")


def test_running_executions_are_counted_and_cancelled_together(
    page: Page, stack: RunningStack, shop: Received
) -> None:
    shop.answers.clear()
    stack.api("POST", "/api/workflows", calling("Cancelled many", shop.url))
    for _ in range(3):
        run(stack, "cancelled-many")
    page.goto("/app/executions?workflowSlug=cancelled-many")

    page.get_by_role("button", name="Cancel running…").click()
    expect(page.get_by_role("dialog")).to_contain_text("3 executions that the filters fit")
    page.get_by_role("button", name="Cancel 3 executions").click()

    expect(page.locator(".toast")).to_contain_text("Cancelled 3 executions")
    expect(page.get_by_role("row", name="cancelled cancelled-many")).to_have_count(3)
    shop.answers.set()


def test_a_run_is_watched_and_cancelled(page: Page, stack: RunningStack, shop: Received) -> None:
    shop.answers.clear()
    stack.api("POST", "/api/workflows", calling("Seen running", shop.url))
    execution_id = run(stack, "seen-running")
    page.goto(f"/app/executions/{execution_id}")
    nodes = page.get_by_role("table", name="Nodes in time")
    expect(nodes.get_by_role("row", name="call")).to_contain_text("running")

    page.get_by_role("button", name="Cancel", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("cancelled")
    expect(nodes.get_by_role("row", name="call")).to_contain_text("cancelled")
    shop.answers.set()


def test_an_execution_tells_its_values_events_and_call(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("Told"))
    execution_id = run(stack, "told")
    ended(stack, execution_id)
    page.goto(f"/app/executions/{execution_id}")
    expect(page.get_by_role("tabpanel")).to_contain_text("Hello Grace!")

    page.get_by_role("button", name="text completed").press("Enter")
    expect(panel(page, "text").get_by_role("region", name="Output", exact=True)).to_contain_text(
        "Hello Grace!"
    )
    page.keyboard.press("Escape")
    expect(panel(page, "text")).to_have_count(0)
    page.get_by_role("tab", name="Inputs").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("Grace")
    page.get_by_role("tab", name="Events").click()
    expect(page.get_by_role("list", name="Events")).to_contain_text("execution.finished")
    page.get_by_role("tab", name="Call").click()
    expect(page.get_by_role("region", name="curl call")).to_contain_text(
        "/api/workflows/told/run?version=1"
    )
    page.get_by_role("link", name="Run again with changed inputs").click()

    expect(page.get_by_label("Name")).to_have_value("Grace")


def test_an_execution_of_nobody_is_missing(page: Page, complaints: list[str]) -> None:
    with page.expect_console_message(lambda message: "404" in message.text):
        page.goto("/app/executions/00000000-0000-4000-8000-000000000000")

    expect(page.get_by_text("There is no such execution")).to_be_visible()
    complaints.clear()


def many_rows(route: Route) -> None:
    """Answer with a page of ten thousand executions."""
    cursor = re.search(r"cursor=(\d+)", route.request.url)
    start = int(cursor[1]) if cursor else 0
    limit = min(PAGE_ROWS, int(re.findall(r"limit=(\d+)", route.request.url)[0]))
    rows = [
        {
            "executionId": f"{MANY - number:08x}-0000-4000-8000-000000000000",
            "workflowSlug": f"row-{number}",
            "workflowVersion": 1,
            "source": "api-workflow",
            "status": "completed",
            "result": None,
            "error": None,
            "creditsCost": number,
            "durationMs": number,
            "createdAt": f"2026-11-27T10:{59 - number // 200:02}:00.000Z",
            "startedAt": None,
            "completedAt": None,
            "modelIds": [],
            "tags": [],
            "batchId": None,
            "batchIndex": None,
        }
        for number in range(start, min(MANY, start + limit))
    ]
    following = str(start + limit) if start + limit < MANY else None
    route.fulfill(json={"rows": rows, "nextCursor": following})


def test_ten_thousand_rows_are_scrolled_with_few_in_the_document(page: Page) -> None:
    page.route(re.compile(r"/api/executions\?"), many_rows)
    page.goto("/app/executions")
    table = page.get_by_role("table", name="Executions")
    table.get_by_role("link", name="row-0", exact=True).wait_for()

    last = table.get_by_role("link", name=f"row-{MANY - 1}", exact=True)
    for _ in range(100):
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        if last.count():
            break
        page.wait_for_timeout(100)

    expect(last).to_be_visible()
    expect(page.get_by_text("10,000 shown")).to_be_visible()
    assert table.get_by_role("row").count() < 120
    assert json.loads(table.get_attribute("aria-rowcount") or "0") == MANY + 1
