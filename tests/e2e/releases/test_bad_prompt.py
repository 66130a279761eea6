"""One bad prompt, caught in three ways: by a test, by a replay's difference, by its canary.

With the bad prompt the answer to a short review lacks the customer's name, and that to a long one
is cut before the word that the node after the model looks for.
"""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.drafts import expect_saved, state
from tests.support.e2e.editor import open_editor, pick
from tests.support.e2e.workflows import edge, node

pytestmark = pytest.mark.slow
GOOD = "Begin with Reply: and thank {{ name }} for the review.\n\n{{ review }}"
BAD = "{{ review }}\n\nThank {{ name }}. Begin with Reply:"
LONG = "The kettle boils fast. " * 30


def answering(name: str, prompt: str = GOOD) -> dict[str, Any]:
    """Return a workflow whose model answers a review, after a certain word."""
    fields = [
        {"name": each, "label": each.title(), "type": "text", "required": True}
        for each in ("name", "review")
    ]
    read = "{'reply': value.split('Reply:')[1].trim()}"
    return {
        "name": name,
        "nodes": [
            node("form", "requestInput", 0, fields=fields),
            node("model", "assistant", 1, model="gpt-mini", prompt=prompt),
            node("read", "transform", 2, expression=read),
            node("result", "responseOutput", 3),
        ],
        "edges": [
            edge("form", "name", "model", "name"),
            edge("form", "review", "model", "review"),
            edge("model", "text-out", "read", "value-in"),
            edge("read", "value-out", "result", "result-in"),
        ],
    }


def save(stack: RunningStack, name: str) -> str:
    status, created = stack.api("POST", "/api/workflows", answering(name))
    assert status == 201, created
    return str(created["slug"])


def run(stack: RunningStack, slug: str, review: str = "Lovely.") -> dict[str, Any]:
    """Run as a caller does; return the execution, whatever its end."""
    body = {"inputs": {"name": "Ada", "review": review}}
    _, answer = stack.api("POST", f"/api/workflows/{slug}/run", body)
    found: dict[str, Any] = stack.ended(answer["executionId"])
    return found


def edit_prompt(page: Page, slug: str) -> None:
    """Write the bad prompt in the editor, which saves it as a draft."""
    open_editor(page, slug)
    pick(page, "model")
    page.get_by_role("region", name="Settings").get_by_label("Prompt", exact=True).fill(BAD)
    expect(state(page)).to_contain_text("Changed · 1 since version 1")
    expect_saved(page)


def publish_dialog(page: Page) -> Locator:
    page.get_by_role("button", name="Publish", exact=True).click()
    return page.get_by_role("dialog", name="Publish version 2")


def canary_of(stack: RunningStack, slug: str) -> Any:
    """Return the canary of the live version."""
    rows = stack.api("GET", f"/api/workflows/{slug}/aliases")[1]["rows"]
    return next(each["canary"] for each in rows if each["name"] == "live")


def test_a_test_catches_it_before_it_is_published(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    slug = save(stack, "Caught by a test")
    test = {
        "inputs": {"name": "Ada", "review": "Lovely."},
        "expect": ["result.reply.contains('Ada')"],
    }
    assert stack.api("PUT", f"/api/workflows/{slug}/tests/names-ada", test)[0] == 200
    edit_prompt(page, slug)

    page.goto(f"/app/editor/{slug}?panel=tests")
    panel = page.get_by_role("region", name="Tests", exact=True)
    panel.get_by_role("button", name="Run all tests").click()
    expect(panel.get_by_role("status", name="Test run")).to_contain_text("1 failed")
    row = panel.get_by_role("listitem", name="names-ada")
    expect(row).to_contain_text("result.reply.contains('Ada'): failed")
    seen = row.get_by_label("Values that it saw")
    expect(seen).to_contain_text("result.reply")

    dialog = publish_dialog(page)
    said = dialog.get_by_role("region", name="Tests")
    expect(said).to_contain_text("1 of 1 test did not pass on this draft: names-ada")
    said.get_by_label("Publish only if all tests have passed on this draft").check()
    dialog.get_by_role("button", name="Publish now").click()
    expect(dialog.get_by_role("alert")).to_contain_text("test")
    complaints[:] = [each for each in complaints if "409" not in each]
    assert run(stack, slug)["workflowVersion"] == 1


def test_a_replay_shows_what_it_changes(page: Page, stack: RunningStack) -> None:
    slug = save(stack, "Caught by a replay")
    former = [run(stack, slug, review)["executionId"] for review in ("Lovely.", LONG)]
    edit_prompt(page, slug)

    page.goto(f"/app/editor/{slug}?panel=tests")
    page.get_by_role("button", name="Replay former runs…").click()
    dialog = page.get_by_role("dialog", name=f"Replay runs of {slug}")
    dialog.get_by_label(re.compile("^Live")).check()
    dialog.get_by_role("button", name="Replay 2 runs").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    expect(page.get_by_role("heading", level=1)).to_contain_text("2 runs against the draft")
    for verdict in ("different", "failed"):
        expect(page.get_by_role("row", name=re.compile(f"^{verdict} "))).to_have_count(1)
    page.get_by_role("button", name=f"Compare {former[0][:8]}").click()
    changes = page.get_by_role("table", name="Differences by value")
    expect(changes.get_by_role("cell", name="result.reply before")).to_contain_text("thank Ada")
    expect(changes.get_by_role("cell", name="result.reply after")).not_to_contain_text("Ada")
    assert run(stack, slug)["workflowVersion"] == 1


def test_a_canary_of_it_takes_itself_back(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    slug = save(stack, "Caught by a canary")
    edit_prompt(page, slug)
    dialog = publish_dialog(page)
    dialog.get_by_role("radio", name="As a canary").check()
    dialog.get_by_label("Share of the runs").fill("40")
    dialog.get_by_label("Runs until it decides").fill("5")
    dialog.get_by_label("Most failed runs").fill("10")
    dialog.get_by_role("button", name="Publish as a canary").click()
    page.locator(".toasts").get_by_role("button", name="Show it").click()
    live = page.get_by_role("article", name="live")
    expect(live.get_by_role("img")).to_have_accessible_name(
        "60 % of the runs get version 1, 40 % get version 2"
    )

    ends = []
    while canary_of(stack, slug) is not None:
        assert len(ends) < 200, "the canary is not taken back"
        ends.append(run(stack, slug, LONG))

    failed = [each for each in ends if each["status"] == "failed"]
    assert {each["workflowVersion"] for each in failed} == {2}
    assert len(failed) >= 5
    expect(live.get_by_role("status")).to_contain_text("Version 2 was taken back by itself")
    expect(live.get_by_role("img")).to_have_accessible_name("All runs get version 1")
    assert run(stack, slug, LONG)["status"] == "completed"
    # A page that asks for figures just as the canary goes hears that there is none.
    complaints[:] = [each for each in complaints if "409" not in each]
