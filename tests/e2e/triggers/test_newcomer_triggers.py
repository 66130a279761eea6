"""The way of a newcomer from a published workflow to runs that nobody starts by hand."""

import os
import re
import subprocess
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.senders import (
    checkout_completed,
    issue_opened,
    send_as_github,
    send_as_slack,
    send_as_stripe,
)
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow
WHSEC = "whsec_4yP2xq8tB1nK6mWc9aVdR3sE7uH0jLzQ"
SAVE_SECRET = """body => fetch("/api/secrets/SHOWN",
    {method: "PUT", body, headers: {"content-type": "application/json"}})"""
A_MINUTE_AND_MORE_MS = 90_000


def publish(stack: RunningStack, name: str, field: str) -> str:
    """Publish a workflow that greets whom its one input names; return its slug."""
    document = greeting(name)
    form, text = document["nodes"][0]["data"], document["nodes"][1]["data"]
    form["fields"] = [{"name": field, "label": field.title(), "type": "text", "required": True}]
    text["text"] = f"Hello {{{{ {field} }}}}!"
    document["edges"][0] |= {"sourceHandle": field, "targetHandle": field}
    status, answer = stack.api("POST", "/api/workflows", document)
    assert status == 201, answer
    return str(answer["slug"])


def from_deploy_panel(page: Page, slug: str, link: str) -> None:
    """Go from the editor to the form of a trigger, as a newcomer finds it."""
    page.add_init_script("localStorage.setItem('headrace-tour', 'taken')")
    page.goto(f"/app/editor/{slug}")
    page.get_by_role("button", name="Deploy").click()
    panel = page.get_by_role("region", name="Triggers")
    expect(panel.get_by_text("Nothing starts this workflow by itself.")).to_be_visible()
    panel.get_by_role("link", name=link).click()
    expect(page.get_by_label("Workflow", exact=True)).to_have_value(slug)


def create(page: Page) -> str:
    """Create the inbound webhook of the form; return its URL as the page shows it."""
    page.get_by_role("button", name="Create inbound webhook").click()
    expect(page).to_have_url(re.compile("/app/triggers/trg_[0-9a-f]{12}[?]tab=connect$"))
    return page.get_by_role("region", name="URL", exact=True).locator("code").first.inner_text()


def result_of(page: Page, stack: RunningStack, execution_id: str) -> object:
    """Follow the received event to its run; return the result of the run."""
    received = page.get_by_role("region", name="Last received events")
    received.get_by_role("link", name=f"run {execution_id[:8]}").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    execution = stack.api("GET", f"/api/executions/{execution_id}")[1]
    assert execution["source"] == "trigger"
    return execution["result"]["text"]


def test_an_issue_at_github_starts_a_run(page: Page, stack: RunningStack) -> None:
    from_deploy_panel(page, publish(stack, "Triage", "title"), "Start it from GitHub")
    expect(page.get_by_label("Title", exact=True)).to_have_value("body.issue.title")
    page.get_by_role("button", name="Make a secret").click()
    page.get_by_role("button", name="Save secret").click()
    secret = page.get_by_role("region", name="Value of the secret").inner_text().strip()

    url = create(page)
    expect(page.get_by_role("region", name="Value of the secret")).to_contain_text(secret)
    status, answer = send_as_github(url, secret, "issues", issue_opened("Found a bug"))

    assert status == 202, answer
    assert result_of(page, stack, answer["executionId"]) == "Hello Found a bug!"
    page.go_back()
    assert send_as_github(url, "another secret", "issues", issue_opened("Forged"))[0] == 401
    assert send_as_github(url, secret, "ping", {"zen": "Design for failure."})[1] == {
        "skipped": True
    }
    received = page.get_by_role("region", name="Last received events").get_by_role("listitem")
    expect(received).to_have_count(2)
    expect(received.first).to_contain_text("condition of the trigger was false")
    page.reload()
    expect(received).to_have_count(2)
    assert secret not in page.content()


def test_the_shown_request_starts_a_run_and_its_event_becomes_the_sample(
    page: Page, stack: RunningStack
) -> None:
    from_deploy_panel(page, publish(stack, "By hand", "title"), "Start it from GitHub")
    page.get_by_role("button", name="Make a secret").click()
    name = page.get_by_label("Secret name").input_value()
    page.get_by_role("button", name="Save secret").click()
    secret = page.get_by_role("region", name="Value of the secret").inner_text().strip()
    url = create(page)

    code = page.get_by_role("region", name="Signed request").inner_text()
    shell = {**os.environ, name: secret}
    subprocess.run(["bash", "-euc", code], env=shell, check=True, timeout=20)

    received = page.get_by_role("region", name="Last received events").get_by_role("listitem")
    expect(received).to_have_count(1)
    assert send_as_github(url, secret, "issues", issue_opened("Unlike the sample"))[0] == 202
    page.get_by_role("tab", name="Settings").click()
    expect(received).to_have_count(2)
    condition = page.get_by_label("Condition")
    condition.fill('body.repository.full_name == "octocat/Hello-World"')
    expect(condition).to_have_accessible_description(re.compile("False for the sample"))
    received.first.get_by_role("button", name="Use as sample").click()
    expect(page.get_by_text("The event is the sample now")).to_be_visible()
    expect(condition).to_have_accessible_description(re.compile("True for the sample"))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved the trigger")).to_be_visible()


def test_a_payment_at_stripe_starts_one_run(page: Page, stack: RunningStack) -> None:
    from_deploy_panel(page, publish(stack, "Thanks", "name"), "Start it from GitHub")
    page.get_by_text("Stripe", exact=True).click()
    page.get_by_role("button", name="It comes later").click()
    name = page.get_by_label("Secret name").input_value()
    page.get_by_role("button", name="Save secret").click()
    expect(page.get_by_text("refuses every request for now")).to_be_visible()
    url, event = create(page), checkout_completed(f"evt_{uuid4().hex}", "Jenny Rosen")
    assert send_as_stripe(url, WHSEC, event)[0] == 401

    page.get_by_label(f"New value of {name}").fill(WHSEC)
    page.get_by_role("button", name="Save secret").click()
    expect(page.get_by_text(f"Saved {name}")).to_be_visible()
    status, answer = send_as_stripe(url, WHSEC, event)
    again = send_as_stripe(url, WHSEC, event)

    assert status == 202, answer
    assert again[0] == 200
    assert again[1]["executionId"] == answer["executionId"]
    assert result_of(page, stack, answer["executionId"]) == "Hello Jenny Rosen!"


def test_a_mention_at_slack_starts_one_run(page: Page, stack: RunningStack) -> None:
    secret, slug = "8f742231b10e8888abcd99yyyzzz85a5", publish(stack, "Mentions", "text")
    from_deploy_panel(page, slug, "Start it from GitHub")
    page.get_by_text("Slack", exact=True).click()
    page.get_by_role("button", name="Paste a secret").click()
    page.get_by_label("Value", exact=True).fill(secret)
    page.get_by_role("button", name="Save secret").click()
    url = create(page)

    handshake = {"type": "url_verification", "token": "t", "challenge": "3eZbrw1aBm2rZgRNFdxV2"}
    assert send_as_slack(url, secret, handshake)[1] == {"challenge": handshake["challenge"]}
    mention = {"type": "app_mention", "user": "U061F7AUR", "text": "Ada", "ts": "1515449522.0001"}
    event = {"type": "event_callback", "event_id": f"Ev{uuid4().hex}", "event": mention}
    status, answer = send_as_slack(url, secret, event)
    again = send_as_slack(url, secret, event)

    assert status == 202, answer
    assert (again[0], again[1]["executionId"]) == (200, answer["executionId"])
    assert result_of(page, stack, answer["executionId"]) == "Hello Ada!"


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("bearer", {}),
        ("hmac", {"header": "x-mine", "prefix": "v1=", "encoding": "base64"}),
        ("hmac", {}),
        ("stripe", {}),
        ("slack", {}),
        ("standard-webhooks", {}),
        ("none", {}),
    ],
)
def test_the_shown_request_of_each_sender_is_accepted(
    page: Page, stack: RunningStack, kind: str, members: dict[str, str]
) -> None:
    page.goto("/app/settings")
    page.evaluate(SAVE_SECRET, f'{{"value": "{WHSEC}"}}')
    verify = {"kind": kind, **({} if kind == "none" else {"secret": "SHOWN"}), **members}
    body = {"kind": "webhook", "name": kind, "workflowSlug": publish(stack, f"By {kind}", "id")}
    body |= {"verify": verify, "inputs": {"id": "'any'"}}
    status, trigger = stack.api("POST", "/api/triggers", body)
    assert status == 201, trigger
    page.goto(f"/app/triggers/{trigger['id']}?tab=connect")

    code = page.get_by_role("region", name="Signed request").inner_text()
    shell = {**os.environ, "SHOWN": WHSEC}
    done = subprocess.run(["bash", "-euc", code], env=shell, capture_output=True, timeout=20)

    assert b'"executionId"' in done.stdout, done
    received = page.get_by_role("region", name="Last received events").get_by_role("listitem")
    expect(received).to_contain_text("started")


def test_a_new_url_ends_the_former_one(page: Page, stack: RunningStack) -> None:
    from_deploy_panel(page, publish(stack, "Rotated", "title"), "Start it from GitHub")
    page.get_by_text("No signature", exact=True).click()
    page.get_by_label("Condition").fill("")
    page.get_by_role("radio", name="The members of the body").check()
    url = create(page)
    assert send_as_github(url, "", "any", {"title": "first"})[0] == 202

    page.get_by_role("button", name="New URL").click()
    page.get_by_role("button", name="Make a new URL").click()

    shown = page.get_by_role("region", name="URL", exact=True).locator("code").first
    expect(shown).not_to_have_text(url)
    assert send_as_github(url, "", "any", {"title": "late"})[0] == 404
    assert send_as_github(shown.inner_text(), "", "any", {"title": "second"})[0] == 202


def test_a_schedule_of_every_minute_starts_a_run(page: Page, stack: RunningStack) -> None:
    slug = publish(stack, "Each minute", "name")
    from_deploy_panel(page, slug, "Run it on a schedule")
    form = page.get_by_role("form", name="Schedule")
    form.get_by_label("Cron expression").fill("* * * * *")
    form.get_by_label("Name", exact=True).last.fill("Ada")

    form.get_by_role("button", name="Create schedule").click()

    occurrences = page.get_by_role("table", name="Occurrences")
    run = occurrences.get_by_role("link", name="Execution")
    expect(run.first).to_be_visible(timeout=A_MINUTE_AND_MORE_MS)
    run.first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    page.goto(f"/app/editor/{slug}")
    page.get_by_role("button", name="Deploy").click()
    listed = page.get_by_role("list", name="Triggers of this workflow").get_by_role("listitem")
    expect(listed).to_have_count(1)
    expect(listed).to_contain_text("started")
    path = listed.get_by_role("link").get_attribute("href") or ""
    assert stack.api("DELETE", path.replace("/app/", "/api/"))[0] == 200
