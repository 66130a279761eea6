"""The last hour on the page of the installation."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.last_hour import fill_last_hour
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow
CHARTS = 8
SAMPLES_MS = 45_000
"""Time within which samples of new runs arrive: the leader puts one every ten seconds."""


@pytest.fixture
def hour(page: Page, stack: RunningStack) -> Page:
    """The page with an hour of samples."""
    fill_last_hour(stack.redis_url)
    page.goto("/app/admin?tab=installation")
    return page


def test_the_last_hour_is_drawn_with_what_took_part(hour: Page) -> None:
    section = hour.get_by_role("region", name="Last hour")

    expect(section.locator("canvas")).to_have_count(CHARTS)
    expect(section.get_by_text("Runs that ended, per second")).to_be_visible()
    slowest = section.get_by_role("row", name="customModel")
    expect(slowest).to_contain_text("ms")
    provider = section.get_by_role("row", name="anthropic")
    expect(provider).to_contain_text("180")  # throttled calls: 3 in each of 60 samples


def test_marks_of_an_axis_have_the_space_that_they_need(hour: Page) -> None:
    """A mark such as `2,500 MB` was cut off at the left in the width of a short one."""
    section = hour.get_by_role("region", name="Last hour")

    def left_of(title: str) -> int:
        chart = section.locator("figure").filter(has_text=title)
        left: int = chart.locator(".u-over").evaluate("drawn => drawn.offsetLeft")
        return left

    assert left_of("Memory of Redis") > left_of("Requests per second")


def test_the_figures_of_the_charts_are_a_table_too(hour: Page) -> None:
    hour.get_by_text("All figures as a table").click()

    table = hour.get_by_role("table", name="Figures of the last hour")
    failed = table.get_by_role("row", name="Runs that ended, per second: failed")
    expect(failed.get_by_role("cell").first).to_be_visible()
    rates = [float(each) for each in failed.get_by_role("cell").all_inner_texts() if each != "–"]
    # The fault of ten minutes stands out of the hour.
    assert max(rates) > 3
    assert sum(rate > 1 for rate in rates) <= 3


def test_new_runs_are_drawn_while_the_page_is_open(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("Sampled"))
    page.goto("/app/admin?tab=installation")
    section = page.get_by_role("region", name="Last hour")
    expect(section.locator("canvas").first).to_be_visible(timeout=SAMPLES_MS)

    for _ in range(3):
        stack.api("POST", "/api/workflows/sampled/run", {"inputs": {}})

    row = section.get_by_role("row", name="textBox")
    expect(row).to_be_visible(timeout=SAMPLES_MS)


def test_a_phone_shows_it_without_scrolling_sideways(hour: Page) -> None:
    hour.set_viewport_size({"width": 390, "height": 844})
    hour.get_by_text("All figures as a table").click()

    expect(hour.get_by_role("region", name="Last hour").locator("canvas")).to_have_count(CHARTS)
    assert hour.evaluate("document.documentElement.scrollWidth <= innerWidth")
