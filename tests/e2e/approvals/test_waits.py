"""The page of an execution that waits: who is asked, until when, and the answer afterwards."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.e2e.axe import SETTLED, violations
from tests.support.e2e.executions import ended, panel
from tests.support.e2e.waiting import asking, delaying, waiting
from tests.support.e2e.workflows import edge

pytestmark = pytest.mark.slow
UPLOAD = """async () => {
  const canvas = new OffscreenCanvas(40, 30);
  canvas.getContext("2d").fillRect(0, 0, 20, 30);
  const body = new FormData();
  body.append("file", await canvas.convertToBlob(), "picture.png");
  return (await (await fetch("/api/assets", {method: "POST", body})).json()).id;
}"""
"""Uploads a picture and returns the id of its asset."""


def test_an_execution_is_answered_on_its_page(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", asking("Asked on its page"))
    execution_id = waiting(stack, "asked-on-its-page")
    page.goto(f"/app/executions/{execution_id}")
    waits = page.get_by_role("region", name="Waits")
    expect(waits).to_contain_text("Publish “Grace”?")
    expect(page.get_by_role("heading", level=1)).to_contain_text("waiting")
    nodes = page.get_by_role("table", name="Nodes in time")
    expect(nodes.get_by_role("row", name="ask")).to_contain_text("waiting")
    expect(nodes.locator(".bar.waiting")).to_have_count(1)

    waits.get_by_role("button", name="Answer").click()
    expect(waits.get_by_role("region", name="Value")).to_contain_text("Hello Grace!")
    waits.get_by_label("Budget").fill("40")
    waits.get_by_text("newsletter").click()
    waits.get_by_label("Note").fill("Go ahead.")
    waits.get_by_role("button", name="Approve").click()

    expect(waits).to_have_count(0)
    answer = page.get_by_role("region", name="Answer at ask")
    expect(answer).to_contain_text(re.compile("Approved.*by this account.*Go ahead.*budget.*40"))
    expect(answer).to_contain_text("newsletter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    expect(nodes.get_by_role("row", name="ask completed")).to_contain_text("waited")
    page.get_by_role("button", name="ask completed").click()
    expect(panel(page, "ask").get_by_role("region", name="Answer")).to_contain_text("Go ahead.")
    page.evaluate(SETTLED)
    assert violations(page) == []


def test_the_approval_link_is_copied_and_an_answer_of_a_key_names_it(
    page: Page, stack: RunningStack
) -> None:
    account = page.request.get("/api/me").json()["user"]["id"]
    rights = ("--account", account, "--capability", "execution:approve", "--name", "Approver")
    key = json.loads(stack.command("key", "create", *rights, "--json").stdout)["key"]
    stack.api("POST", "/api/workflows", asking("Asked by key"))
    execution_id = waiting(stack, "asked-by-key")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/app/executions/{execution_id}")
    page.get_by_role("button", name="Copy the approval link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"http://[^/]+/approvals/[\w-]{20,}", link)

    path = f"/api/executions/{execution_id}/approvals/ask"
    body = {"decision": "refuse", "note": "Not this week."}
    assert stack.api("POST", path, body, key=key)[0] == 200

    answer = page.get_by_role("region", name="Answer at ask")
    expect(answer).to_contain_text(re.compile("Refused.*by Approver.*Not this week"))


def test_a_delay_tells_its_time_and_takes_little_room(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", delaying("Waits a while", 4))
    execution_id = waiting(stack, "waits-a-while")
    page.goto(f"/app/executions/{execution_id}")
    waits = page.get_by_role("region", name="Waits")
    expect(waits).to_contain_text("Delay pause")
    expect(waits.get_by_role("button")).to_have_count(0)

    expect(waits).to_have_count(0)
    assert ended(stack, execution_id)["status"] == "completed"
    nodes = page.get_by_role("table", name="Nodes in time")
    expect(nodes.get_by_role("row", name="pause completed")).to_contain_text(
        re.compile(r"waited 4\.\d s")
    )
    timeline = nodes.locator("tbody .timeline").first.bounding_box()
    cut = nodes.locator("tbody .timeline .cut").first.bounding_box()
    assert timeline and cut
    assert cut["width"] < 0.2 * timeline["width"]


def test_the_playground_tells_that_its_run_waits(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", asking("Asked in the playground", fields=[]))
    page.goto("/app/playground/asked-in-the-playground")
    page.get_by_role("button", name="Run", exact=True).click()

    waits = page.get_by_role("list", name="Waits")
    expect(waits).to_contain_text("Publish “Ada”?")
    runs = page.get_by_role("region", name="Your runs").get_by_role("listitem")
    expect(runs).to_contain_text("Needs an answer")
    waits.get_by_role("link", name="Answer").click()
    page.get_by_role("button", name="Approve").click()

    expect(page.get_by_role("region", name="Approval")).to_contain_text("Approved")


def test_the_value_of_an_approval_is_shown_as_the_medium_that_it_is(
    page: Page, stack: RunningStack
) -> None:
    document = asking("Asked for a picture", fields=[])
    field = {"name": "name", "label": "Picture", "type": "image", "required": True}
    document["nodes"][0]["data"]["fields"] = [field]
    ask = document["nodes"][2]
    ask["data"]["title"] = "Is this the picture?"
    document["nodes"].pop(1)
    document["edges"] = [
        edge("form", "name", "ask", "value-in"),
        *(each for each in document["edges"] if each["source"] == "ask"),
    ]
    stack.api("POST", "/api/workflows", document)
    page.goto("/app/approvals")
    inputs = {"inputs": {"name": page.evaluate(UPLOAD)}}
    path = "/api/workflows/asked-for-a-picture/run?async=true"
    _, begun = stack.api("POST", path, inputs)
    until(lambda: stack.api("GET", f"/api/executions/{begun['executionId']}")[1]["waitingFor"])
    page.goto(f"/app/approvals?approval={begun['executionId']}/ask")

    picture = page.get_by_role("region", name="Value").get_by_role("img")

    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
