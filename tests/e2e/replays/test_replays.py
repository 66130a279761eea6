"""Replays: begun from lists, executions and the editor, and their differences side by side."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import asking, greeting

pytestmark = pytest.mark.slow


def create(stack: RunningStack, document: dict[str, Any]) -> str:
    _, created = stack.api("POST", "/api/workflows", document)
    return str(created["slug"])


def run(stack: RunningStack, slug: str, *all_inputs: dict[str, Any]) -> list[str]:
    """Run a workflow for each inputs, and return the ids of the executions."""
    path = f"/api/workflows/{slug}/run"
    return [stack.api("POST", path, {"inputs": each})[1]["executionId"] for each in all_inputs]


def set_draft(stack: RunningStack, slug: str, document: dict[str, Any]) -> None:
    status, _ = stack.api("PUT", f"/api/workflows/{slug}/draft", document)
    assert status == 200


def with_text(document: dict[str, Any], text: str) -> dict[str, Any]:
    document["nodes"][1]["data"]["text"] = text
    return document


def compare(page: Page, execution: str) -> Locator:
    """Open the difference of a run, and return its table."""
    page.get_by_role("button", name=f"Compare {execution[:8]}").click()
    return page.get_by_role("table", name="Differences by value")


def test_the_last_runs_are_replayed_against_the_draft_and_differ_by_words(
    page: Page, stack: RunningStack
) -> None:
    slug = create(stack, greeting("Replay words"))
    first, second = run(stack, slug, {"name": "Grace"}, {"name": "Linus"})
    page.goto(f"/app/editor/{slug}")
    page.locator(".react-flow__node[data-id=text] header").click()
    page.get_by_label("Text", exact=True).fill("Hello dear {{ name }}!")
    page.get_by_role("button", name="Tests", exact=True).click()
    page.get_by_role("button", name="Replay former runs").click()
    dialog = page.get_by_role("dialog", name=f"Replay runs of {slug}")
    expect(dialog).to_contain_text("of 2 that ended")

    dialog.get_by_role("button", name="Replay 2 runs").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("2 runs against the draft")
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    expect(page.get_by_role("radio", name="Different 2")).to_be_visible()
    expect(page.get_by_text("0 credits instead of 0 credits")).to_be_visible()
    differences = compare(page, first)
    expect(differences.get_by_role("cell", name="result.text before")).to_have_text("Hello Grace!")
    after = differences.get_by_role("cell", name="result.text after")
    expect(after).to_have_text("Hello dear Grace!")
    expect(after.locator("mark")).to_have_text(re.compile("dear"))
    page.get_by_text("Whole results").click()
    whole = page.get_by_role("region", name="Result after")
    expect(whole).to_contain_text("Hello dear Grace!")
    page.get_by_role("radio", name="Same 0").check()
    expect(page.get_by_text("No run has this verdict")).to_be_visible()
    page.get_by_role("radio", name="All 2").check()
    page.get_by_role("link", name=f"Former run {second[:8]}").click()
    expect(page).to_have_url(re.compile(second))


def test_chosen_runs_of_the_list_are_replayed_against_a_version(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    slug = create(stack, greeting("Replay chosen"))
    first, _ = run(stack, slug, {"name": "Grace"}, {"name": "Linus"})
    page.goto(f"/app/executions?workflowSlug={slug}")
    page.get_by_role("button", name="Replay…").click()
    dialog = page.get_by_role("dialog", name=f"Replay runs of {slug}")
    dialog.get_by_role("radio", name="Chosen ones").check()
    expect(dialog.get_by_role("button", name="Replay 0 runs")).to_be_disabled()
    dialog.get_by_role("checkbox", name=re.compile(first[:8])).check()
    expect(dialog.get_by_label("Against")).to_have_value("1")

    dialog.get_by_role("button", name="Replay 1 run", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("1 run against version 1")
    expect(page.get_by_role("radio", name="Same 1")).to_be_visible()
    expect(page.get_by_role("table", name="Runs")).to_contain_text("No difference")
    replay = page.url.rsplit("/", 1)[1]
    page.get_by_role("link", name=re.compile("^Replayed run")).click()
    page.get_by_role("link", name=replay[:8], exact=True).click()
    expect(page).to_have_url(re.compile(replay))
    page.get_by_role("link", name=re.compile("Replays$")).click()
    row = page.get_by_role("row", name=replay[:8])
    expect(row).to_contain_text("1 same")
    expect(row).to_contain_text("against version 1")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("combobox", name="Id").fill(replay)
    expect(page.get_by_role("option", name="Replay")).to_contain_text(slug)
    complaints.clear()  # Chromium logs the 404 of a batch and of a delivery


def test_the_last_runs_of_a_filtered_list_are_those_that_it_has(
    page: Page, stack: RunningStack
) -> None:
    slug = create(stack, greeting("Replay filtered"))
    run(stack, slug, {"name": "Grace"}, {"name": "Linus"})
    path = f"/api/workflows/{slug}/run"
    body = {"inputs": {"name": "Ada"}, "tags": ["vip"]}
    tagged = stack.api("POST", path, body)[1]["executionId"]
    page.goto(f"/app/executions?workflowSlug={slug}&tag=vip")
    page.get_by_role("button", name="Replay…").click()
    dialog = page.get_by_role("dialog", name=f"Replay runs of {slug}")
    expect(dialog).to_contain_text("of 1 that ended, of this list")

    dialog.get_by_role("button", name="Replay 1 run", exact=True).click()

    expect(page.get_by_role("radio", name="Same 1")).to_be_visible()
    expect(page.get_by_role("link", name=f"Former run {tagged[:8]}")).to_be_visible()


def test_a_changed_prompt_is_unmatched_with_recorded_calls_and_shown_beside_with_live_ones(
    page: Page, stack: RunningStack
) -> None:
    document = asking("Replay a prompt", "gpt-mini", "text-out", "A mug")
    slug = create(stack, document)
    [execution] = run(stack, slug, {"prompt": "A vase"})
    document["nodes"][1]["data"]["systemPrompt"] = "Answer in one word."
    document["nodes"].insert(
        1,
        {
            "id": "wider",
            "type": "textBox",
            "position": {"x": 160, "y": 0},
            "data": {"text": "{{ prompt }}, please"},
        },
    )
    document["edges"][0] = {**document["edges"][0], "target": "wider", "targetHandle": "prompt"}
    document["edges"].append(
        {
            "id": "wider-model",
            "source": "wider",
            "sourceHandle": "text-out",
            "target": "model",
            "targetHandle": "prompt-in",
        }
    )
    set_draft(stack, slug, document)
    page.goto(f"/app/executions/{execution}")
    page.get_by_role("button", name="Replay…").click()
    dialog = page.get_by_role("dialog", name=f"Replay runs of {slug}")
    expect(dialog.get_by_role("checkbox", name=re.compile(execution[:8]))).to_be_checked()
    dialog.get_by_role("button", name="Replay 1 run", exact=True).click()
    expect(page.get_by_role("radio", name="Unmatched 1")).to_be_visible()
    expect(page.get_by_role("table", name="Runs")).to_contain_text("model")

    page.goto(f"/app/executions/{execution}")
    page.get_by_role("button", name="Replay…").click()
    dialog.get_by_role("radio", name="Live").check()
    expect(dialog.get_by_role("status")).to_contain_text(re.compile(r"cost [1-9]\d* credit"))
    dialog.get_by_role("button", name="Replay 1 run", exact=True).click()
    expect(page.get_by_role("radio", name="Different 1")).to_be_visible()
    expect(compare(page, execution).get_by_role("row")).to_have_count(2)


def test_a_replay_that_does_not_exist_is_said_to_be_none(page: Page, complaints: list[str]) -> None:
    page.goto("/app/replays/0b0d1b3a-76f8-4b0a-a4c2-7a35ad1f25cf")

    expect(page.get_by_role("heading", name="There is no such replay")).to_be_visible()
    complaints[:] = [each for each in complaints if "404" not in each]


def test_pictures_of_both_runs_stand_side_by_side(page: Page, stack: RunningStack) -> None:
    slug = create(stack, asking("Paint again", "painter", "image-out", "[[stub job=10]] A kettle"))
    [execution] = run(stack, slug, {"prompt": "[[stub job=10]] A kettle"})
    replay = {"executionIds": [execution], "against": 1, "calls": "live"}
    _, begun = stack.api("POST", f"/api/workflows/{slug}/replay", replay)
    page.goto(f"/app/replays/{begun['replayId']}")
    expect(page.get_by_role("radio", name="Different 1")).to_be_visible()

    differences = compare(page, execution)

    expect(differences.get_by_role("cell", name="before").get_by_role("img")).to_be_visible()
    expect(differences.get_by_role("cell", name="after").get_by_role("img")).to_be_visible()
