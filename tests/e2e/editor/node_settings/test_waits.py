"""Settings of nodes that wait: lengths of time, moments of a zone, and the form of an approval."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.node_settings import (
    await_settings,
    node,
    open_settings,
    save_draft,
    wire,
)

pytestmark = pytest.mark.slow
COMMENT = {"name": "comment", "label": "Comment", "type": "textarea"}
APPROVAL = {"title": "Publish {{ topic }}?", "fields": [COMMENT]}


@pytest.fixture
def slug(stack: RunningStack) -> str:
    """A delay that lacks its time, and an approval that is wired."""
    nodes = [
        node("form", "requestInput", fields=[{"name": "topic", "type": "text"}]),
        node("ask", "approval", **APPROVAL),
        node("pause", "delay"),
    ]
    wires = (wire("form.topic", "ask.topic"), wire("ask.answer-out", "pause.value-in"))
    return save_draft(stack, "Waits", nodes, *wires)


def time_to_answer(panel: Locator) -> Locator:
    return panel.locator("[data-field=timeoutSeconds]")


def test_a_length_of_time_is_an_amount_of_a_unit(
    page: Page, stack: RunningStack, slug: str
) -> None:
    panel = open_settings(page, slug, "pause")
    expect(panel.get_by_text("Say how long the node waits")).to_be_visible()

    panel.get_by_label("Unit of time").select_option("days")
    panel.get_by_label("Time", exact=True).fill("1.5")

    await_settings(stack, slug, "pause", {"seconds": 129_600})
    expect(panel.get_by_text("Say how long the node waits")).to_have_count(0)
    expect(page.locator("[data-id=pause]")).to_contain_text("Waits 1 day 12 hours")
    panel.get_by_label("Unit of time").select_option("minutes")
    await_settings(stack, slug, "pause", {"seconds": 90})
    panel.get_by_label("Time", exact=True).fill("soon")
    await_settings(stack, slug, "pause", {"seconds": "soon"})
    expect(panel.get_by_text("Must be a number, at most 30 days")).to_be_visible()


def test_a_moment_has_a_zone_and_takes_the_place_of_a_length(
    page: Page, stack: RunningStack, slug: str
) -> None:
    panel = open_settings(page, slug, "pause")
    panel.get_by_label("Time", exact=True).fill("2")
    panel.get_by_text("Until a moment").click()
    await_settings(stack, slug, "pause", {})
    expect(panel.get_by_text("Say how long the node waits")).to_be_visible()

    panel.get_by_label("Time zone").select_option("Asia/Tokyo")
    panel.get_by_label("Moment", exact=True).fill("2026-07-01T09:00")

    await_settings(stack, slug, "pause", {"until": "2026-07-01T09:00:00+09:00"})
    expect(panel.get_by_text("This moment has passed")).to_be_visible()
    panel.get_by_label("Time zone").select_option("Europe/Berlin")
    await_settings(stack, slug, "pause", {"until": "2026-07-01T09:00:00+02:00"})
    panel.get_by_label("Moment", exact=True).fill("2026-12-24T18:00")
    await_settings(stack, slug, "pause", {"until": "2026-12-24T18:00:00+01:00"})
    panel = open_settings(page, slug, "pause")
    expect(panel.get_by_label("Moment", exact=True)).to_have_value("2026-12-24T18:00")
    expect(panel.get_by_label("Time zone").locator("option:checked")).to_have_text("+01:00")


def test_an_approval_asks_by_a_form_without_media_within_a_time(
    page: Page, stack: RunningStack, slug: str
) -> None:
    panel = open_settings(page, slug, "ask")

    kinds = panel.get_by_label("Type of the new field").get_by_role("option")
    expect(kinds.filter(has_text="Line of text")).to_have_count(1)
    assert {"Image", "Video", "Sound"}.isdisjoint(kinds.all_text_contents())
    expect(time_to_answer(panel).get_by_label("Time to answer", exact=True)).to_have_attribute(
        "placeholder", "7"
    )
    time_to_answer(panel).get_by_label("Unit of time to answer").select_option("seconds")
    time_to_answer(panel).get_by_label("Time to answer", exact=True).fill("30")
    too_short = time_to_answer(panel).get_by_text("Must be at least 1 minute and at most 30 days")
    expect(too_short).to_be_visible()
    time_to_answer(panel).get_by_label("Unit of time to answer").select_option("hours")
    panel.get_by_label("If nobody answers").select_option("It counts as refused")

    expected = {**APPROVAL, "timeoutSeconds": 108_000, "onTimeout": "refuse"}
    await_settings(stack, slug, "ask", expected)
    expect(too_short).to_have_count(0)


def test_a_renamed_field_of_an_answer_leaves_the_wires_of_the_node(
    page: Page, stack: RunningStack, slug: str
) -> None:
    panel = open_settings(page, slug, "ask")
    panel.locator(".field-row summary").click()

    panel.get_by_label("Name", exact=True).fill("answer-out")
    await_settings(stack, slug, "ask", {**APPROVAL, "fields": [{**COMMENT, "name": "answer-out"}]})
    panel.get_by_label("Name", exact=True).fill("reply")
    await_settings(stack, slug, "ask", {**APPROVAL, "fields": [{**COMMENT, "name": "reply"}]})

    panel.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator(".react-flow__edge")).to_have_count(2)


def test_settings_that_a_wait_cannot_have_are_named_and_removed(
    page: Page, stack: RunningStack
) -> None:
    nodes = [node("pause", "delay", seconds=1, retry={"attempts": 2}, timeoutSeconds=9)]
    slug = save_draft(stack, "Too much", nodes)
    panel = open_settings(page, slug, "pause")
    expect(panel.get_by_text("A node that waits has one attempt")).to_be_visible()
    expect(panel.get_by_text("A delay ends at its time")).to_be_visible()

    panel.get_by_role("button", name="Remove retry").click()
    panel.get_by_role("button", name="Remove timeoutSeconds").click()

    await_settings(stack, slug, "pause", {"seconds": 1})


def test_a_workflow_that_asks_people_is_told_not_to_become_public(page: Page, slug: str) -> None:
    open_settings(page, slug, "ask")
    page.get_by_role("button", name="Deploy", exact=True).click()
    deploy = page.get_by_role("region", name="Deploy")
    expect(deploy.get_by_text("cannot be public")).to_have_count(0)

    deploy.get_by_role("switch", name="Public playground").click()

    expect(deploy.get_by_text("cannot be public")).to_be_visible()
