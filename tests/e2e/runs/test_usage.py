"""Usage: charts over time, the same figures as tables, and the way to the executions."""

import json
import re
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow
RUNS = 3


@pytest.fixture(scope="module")
def account(stack: RunningStack) -> str:
    """Id of an account that has run one workflow some times and nothing else."""
    email = f"{uuid4().hex}@example.com"
    made = stack.command("account", "create", "--email", email, "--tier", "pro", "--json").stdout
    account_id: str = json.loads(made)["id"]
    options = ("--account", account_id, "--name", "Demo", "--capability", "workflow:*", "--json")
    key: str = json.loads(stack.command("key", "create", *options).stdout)["key"]
    stack.api("POST", "/api/workflows", greeting("Counted"), key=key)
    for _ in range(RUNS):
        path = "/api/workflows/counted/run?timeout=10"
        stack.api("POST", path, {"inputs": {"name": "Ada"}}, key=key)
    return account_id


@pytest.fixture
def page(make_page: MakePage, stack: RunningStack, account: str) -> Page:
    """A page of that account."""
    page = make_page()
    page.goto(stack.command("login-link", "--account", account).stdout.split()[0])
    return page


def test_sums_by_workflow_lead_to_their_executions(page: Page) -> None:
    page.goto("/app/usage")
    row = page.get_by_role("table", name="Sums").get_by_role("row", name="counted")
    expect(row.get_by_role("cell").first).to_have_text(str(RUNS))

    row.get_by_role("link").click()

    expect(page).to_have_url(re.compile("/app/executions.*workflowSlug=counted.*from=.*to="))
    rows = page.get_by_role("table", name="Executions").get_by_role("rowheader")
    expect(rows).to_have_count(RUNS)


def test_a_click_on_a_point_leads_to_the_executions_of_its_time(page: Page) -> None:
    page.goto("/app/usage?by=status&range=24h")
    chart = page.get_by_role("figure", name="Runs")
    chart.locator("canvas").wait_for()
    place = chart.locator(".u-over")
    box = place.bounding_box()
    assert box is not None

    # The last bar, at its foot.
    place.click(position={"x": box["width"] - 12, "y": box["height"] - 4})

    expect(page).to_have_url(re.compile("/app/executions.*status=completed.*from=.*to="))
    expect(page.get_by_role("checkbox", name="Completed")).to_be_checked()
    expect(page.get_by_role("row", name="counted").first).to_be_visible()


def test_all_figures_are_a_table_by_every_property_and_time(page: Page) -> None:
    page.goto("/app/usage")

    for tab, name in (
        ("By workflow", "counted"),
        ("By API key", "Demo"),
        ("By status", "completed"),
    ):
        page.get_by_role("tab", name=tab).click()
        page.get_by_text("All figures as a table").click()
        table = page.get_by_role("table", name="Figures by time")
        expect(table.get_by_role("rowheader", name=name).first).to_be_visible()
    page.get_by_label("Time", exact=True).select_option("Last 90 days")

    expect(page).to_have_url(re.compile("by=status.*range=90d"))
    expect(page.get_by_role("table", name="Sums")).to_contain_text("completed")


def test_the_library_of_charts_is_loaded_where_charts_are(page: Page) -> None:
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))

    page.goto("/app/executions")
    page.get_by_role("heading", level=1).wait_for()
    assert not [url for url in loaded if "Chart" in url]
    page.get_by_role("link", name="Usage").click()
    page.locator("canvas").first.wait_for()

    assert [url for url in loaded if "Chart" in url]


def drag(page: Page, chart: Locator, start: float, end: float) -> None:
    """Drag over a part of a chart, by shares of its width."""
    box = chart.locator(".u-over").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], y, steps=5)
    page.mouse.up()


def test_a_drag_zooms_in_and_the_browser_leads_back(page: Page) -> None:
    page.goto("/app/usage?range=24h")
    chart = page.get_by_role("figure", name="Runs")
    chart.locator("canvas").wait_for()

    drag(page, chart, 0.5, 0.995)

    expect(page).to_have_url(re.compile("from=.*to="))
    expect(page.get_by_label("From", exact=True)).to_be_visible()
    expect(page.get_by_role("table", name="Sums")).to_contain_text("counted")
    page.get_by_role("button", name="Earlier").click()
    expect(page.get_by_text("Nothing ran in this time")).to_be_visible()
    page.get_by_role("button", name="Later").click()
    expect(page.get_by_role("table", name="Sums")).to_contain_text("counted")
    page.get_by_role("button", name="Zoom out").click()
    for _ in range(4):
        page.go_back()
    expect(page.get_by_label("Time", exact=True)).to_have_value("24h")
    expect(page.get_by_label("From", exact=True)).to_have_count(0)


def test_two_moments_are_a_time(page: Page) -> None:
    page.goto("/app/usage")
    page.get_by_role("table", name="Sums").wait_for()

    page.get_by_label("Time", exact=True).select_option("From … to …")
    page.get_by_label("To", exact=True).fill("2026-01-02T00:00:00")
    page.get_by_label("From", exact=True).fill("2026-01-01T00:00:00")

    expect(page.get_by_text("Nothing ran in this time")).to_be_visible()
    page.get_by_label("Time", exact=True).select_option("Last hour")
    expect(page.get_by_role("table", name="Sums")).to_contain_text("counted")


def test_a_line_without_a_key_or_a_model_leads_to_its_executions(page: Page) -> None:
    for by, parameter in (("model", "modelId=-"), ("key", "keyId=key_")):
        page.goto(f"/app/usage?by={by}")
        page.get_by_role("table", name="Sums").get_by_role("link").first.click()

        expect(page).to_have_url(re.compile(parameter))
        expect(page.get_by_role("row", name="counted").first).to_be_visible()
