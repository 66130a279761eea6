"""Batches: watched, cancelled, retried, and their results as files."""

import csv
import io
import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.e2e.batches import open_table, paste, start, started
from tests.support.e2e.receiver import Received, receiving
from tests.support.e2e.workflows import calling, greeting

pytestmark = pytest.mark.slow


@pytest.fixture
def shop() -> Iterator[Received]:
    """The server that a node calls."""
    with receiving() as received:
        yield received


def status(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def test_a_batch_is_begun_in_the_playground_watched_and_cancelled(
    page: Page, stack: RunningStack, shop: Received
) -> None:
    shop.answers.clear()
    stack.api("POST", "/api/workflows", calling("Slow shop", shop.url))
    open_table(page, "slow-shop")
    paste(page, "Name", 1, "\n".join("abcdef"))
    page.get_by_label("Runs at a time").fill("2")
    batch_id = started(page)
    status(page, "processing")
    expect(page.get_by_role("radio", name="Processing 2")).to_be_visible()
    expect(page.get_by_role("radio", name="Queued 4")).to_be_visible()
    page.goto("/app/batches")
    row = page.get_by_role("row", name=batch_id[:8])
    expect(row).to_contain_text("processing")
    expect(row).to_contain_text("0 of 6")
    row.get_by_role("link", name="slow-shop").click()

    page.get_by_role("button", name="Cancel batch").click()
    dialog = page.get_by_role("dialog", name="Cancel this batch?")
    expect(dialog).to_contain_text("4 items that wait will never begin, and 2 that run will stop")
    dialog.get_by_role("button", name="Let it go on").click()
    status(page, "processing")
    page.get_by_role("button", name="Cancel batch").click()
    dialog.get_by_role("button", name="Cancel it").click()

    status(page, "cancelled")
    expect(page.get_by_text("6 of 6 ended")).to_be_visible()
    page.get_by_role("radio", name="Cancelled 6").check()
    expect(page.get_by_role("table", name="Items").get_by_role("row")).to_have_count(7)
    expect(page.get_by_role("button", name="Cancel batch")).to_have_count(0)
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)


def test_failed_items_say_why_and_are_retried_in_a_new_batch(
    page: Page, stack: RunningStack, shop: Received
) -> None:
    shop.status = 500
    stack.api("POST", "/api/workflows", calling("Broken shop", shop.url))
    batch_id = start(stack, "broken-shop", "abc", tags=["orders"])
    page.goto(f"/app/batches/{batch_id}")
    status(page, "completed")
    page.get_by_role("radio", name="Failed 3").check()
    expect(page).to_have_url(re.compile("status=failed"))
    items = page.get_by_role("table", name="Items")
    expect(items.get_by_role("row").nth(1)).to_contain_text("The server answered 500")

    shop.status = 200
    page.get_by_role("button", name="Retry 3 failed").click()

    expect(page).not_to_have_url(re.compile(batch_id))
    status(page, "completed")
    expect(page.get_by_text("3 of 3 ended", exact=True)).to_be_visible()
    expect(items.get_by_role("row").nth(1)).to_contain_text("thanks")
    page.get_by_role("link", name="Its executions").click()
    rows = page.get_by_role("table", name="Executions").get_by_role("rowheader")
    expect(rows).to_have_count(3)
    page.get_by_role("link", name="Batches", exact=True).click()
    expect(page.get_by_role("row", name=batch_id[:8])).to_contain_text("3 failed")


def test_results_are_saved_as_lines_of_json_and_as_a_table(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("Saved results"))
    names = [f"Number {place}" for place in range(250)]
    page.goto(f"/app/batches/{start(stack, 'saved-results', names)}")
    expect(page.get_by_text("250 of 250 ended")).to_be_visible(timeout=60_000)

    with page.expect_download() as lines:
        page.get_by_role("button", name="Download JSON lines").click()
    with page.expect_download() as table:
        page.get_by_role("button", name="Download CSV").click()

    assert re.fullmatch(r"batch-[0-9a-f]{8}\.jsonl", lines.value.suggested_filename)
    read = [json.loads(line) for line in lines.value.path().read_text().splitlines()]
    assert [each["index"] for each in read] == list(range(250))
    assert "Hello Number 249!" in json.dumps(read[249]["result"])
    rows = list(csv.DictReader(io.StringIO(table.value.path().read_text("utf-8-sig"))))
    assert [row["index"] for row in rows] == [str(place) for place in range(250)]
    assert "Hello Number 249!" in " ".join(rows[249].values())
    assert {row["status"] for row in rows} == {"completed"}


def test_items_are_read_page_by_page(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("Many items"))
    names = [f"Number {place}" for place in range(60)]
    page.goto(f"/app/batches/{start(stack, 'many-items', names)}")
    expect(page.get_by_text("60 of 60 ended")).to_be_visible(timeout=60_000)
    heads = page.get_by_role("table", name="Items").get_by_role("rowheader")
    expect(heads).to_have_count(50)

    page.get_by_role("button", name="Next").click()

    expect(heads).to_have_text([str(place) for place in range(50, 60)])
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    page.get_by_role("button", name="Previous").click()
    expect(heads.first).to_have_text("0")


def test_a_batch_that_does_not_exist_is_said_to_be_none(page: Page, complaints: list[str]) -> None:
    page.goto("/app/batches/0b0d1b3a-76f8-4b0a-a4c2-7a35ad1f25cf")

    expect(page.get_by_role("heading", name="There is no such batch")).to_be_visible()
    complaints[:] = [each for each in complaints if "404" not in each]


def test_the_end_of_a_batch_is_sent_to_its_webhook(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("Told of a batch"))
    with receiving() as receiver:
        open_table(page, "told-of-a-batch")
        paste(page, "Name", 1, "Ada\nBob")
        page.get_by_label("Send it to a webhook").check()
        page.get_by_label("Webhook URL").fill(receiver.url)
        page.get_by_role("button", name="Make one").click()

        batch_id = started(page)

        [told] = until(lambda: [json.loads(body) for body in receiver.bodies])
    assert (told["event"], told["batchId"]) == ("batch.completed", batch_id)
    assert told["counts"]["completed"] == 2
    page.get_by_role("button", name="Search").click()
    page.get_by_role("combobox", name="Id").fill(batch_id)
    expect(page.get_by_role("option", name="Batch").first).to_contain_text("told-of-a-batch")
    page.get_by_role("option", name="Delivery").click()
    expect(page).to_have_url(re.compile(f"/app/batches/{batch_id}$"))
