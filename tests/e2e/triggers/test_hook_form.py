"""The form of inbound webhooks: sender, secret, condition and inputs over a sample."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import greeting, node

pytestmark = pytest.mark.slow
FIELDS = [
    {"name": "title", "label": "Title", "type": "text", "required": True},
    {"name": "labels", "label": "Labels", "type": "json", "required": False},
]


@pytest.fixture(scope="module", autouse=True)
def workflow(stack: RunningStack) -> None:
    document = greeting("On events")
    document["nodes"][0] = node("form", "requestInput", 0, fields=FIELDS)
    document["edges"][0]["sourceHandle"] = "title"
    stack.api("POST", "/api/workflows", document)


@pytest.fixture
def form(page: Page) -> Page:
    page.goto("/app/triggers?new=webhook&workflow=on-events")
    expect(page.get_by_label("Title", exact=True)).to_have_value("body.issue.title")
    return page


def test_a_ready_event_comes_with_its_condition_its_sample_and_guessed_inputs(form: Page) -> None:
    expect(form.get_by_label("Condition")).to_have_value(re.compile("x-github-event.*issues"))
    expect(form.get_by_label("Condition")).to_have_accessible_description(
        re.compile("True for the sample")
    )
    expect(form.get_by_label("Labels", exact=True)).to_have_accessible_description(
        re.compile("The sample gives a list of 1 item")
    )

    form.get_by_label("Start a run when").select_option("A pull request is opened")

    expect(form.get_by_label("Title", exact=True)).to_have_value("body.pull_request.title")
    expect(form.get_by_label("Labels", exact=True)).to_have_value("")
    form.get_by_text("Stripe", exact=True).click()
    expect(form.get_by_label("Condition")).to_have_value(
        'body.type == "checkout.session.completed"'
    )
    expect(form.get_by_label("Name")).to_have_attribute("placeholder", "Stripe: on-events")


def test_a_condition_of_ones_own_stays_when_the_sender_changes(form: Page) -> None:
    form.get_by_label("Condition").fill("body.total > 3.0")
    form.get_by_label("Id of an event").fill("body.number")
    form.get_by_text("Stripe", exact=True).click()

    expect(form.get_by_label("Condition")).to_have_value("body.total > 3.0")
    expect(form.get_by_label("Id of an event")).to_have_value("body.number")
    expect(form.get_by_label("Start a run when")).to_have_value("-1")
    expect(form.get_by_label("Condition")).to_have_accessible_description(
        re.compile("Key not found")
    )


def test_a_large_sample_is_not_sent_after_each_change(form: Page) -> None:
    form.get_by_text("Sample event").click()
    form.get_by_label("Body", exact=True).fill(f'{{"title": "{"m" * 100_000}"}}')

    expect(form.get_by_label("Condition")).to_have_accessible_description(
        re.compile("too large to be tried")
    )


def test_paths_of_the_sample_complete_an_expression(form: Page) -> None:
    title = form.get_by_label("Title", exact=True)
    title.fill("")
    title.press_sequentially("numb")
    suggestions = form.get_by_role("listbox", name="Values of the sample")
    expect(suggestions.get_by_role("option").first).to_contain_text("body.issue.number")
    title.press("Escape")
    expect(suggestions).to_have_count(0)
    title.press_sequentially("er")
    title.press("Enter")

    expect(title).to_have_value("body.issue.number")
    expect(title).to_have_accessible_description(re.compile("The sample gives 42"))


def test_a_pasted_sample_is_tried_at_once(form: Page) -> None:
    form.get_by_label("Condition").fill("body.total > 3.0")
    form.get_by_text("Sample event").click()

    form.get_by_label("Body", exact=True).fill('{"total": 2.5, "title": "Mugs"}')

    expect(form.get_by_label("Title", exact=True)).to_have_value("body.title")
    expect(form.get_by_label("Condition")).to_have_accessible_description(
        re.compile("False for the sample")
    )
    form.get_by_label("Condition").fill("body.total")
    expect(form.get_by_label("Condition")).to_have_accessible_description(
        re.compile("a condition gives true or false")
    )
    form.get_by_label("Body", exact=True).fill("plain words")
    expect(form.get_by_text("the body is a text")).to_be_visible()


def test_the_settings_of_an_hmac_stand_in_one_line(form: Page) -> None:
    form.get_by_text("HMAC", exact=True).click()

    labels = ("Header of the signature", "Text before it", "Written as")
    boxes = [form.get_by_label(each, exact=True).bounding_box() for each in labels]
    assert len({box["y"] for box in boxes if box}) == 1, boxes


def test_a_secret_is_made_in_place_and_shown_once(form: Page) -> None:
    form.get_by_role("button", name="Create inbound webhook").click()
    expect(form.get_by_label("Secret", exact=True)).to_be_focused()
    expect(form.get_by_text("Choose a secret, or make one.")).to_be_visible()

    form.get_by_role("button", name="Make a secret").click()
    form.get_by_label("Secret name").fill("hook form")
    form.keyboard.press("Enter")

    expect(form.get_by_label("Secret", exact=True)).to_have_value("HOOK_FORM")
    value = form.get_by_role("region", name="Value of the secret").inner_text().strip()
    assert re.fullmatch(r"[\w-]{43}", value)
    assert '"HOOK_FORM"' in form.request.get("/api/secrets").text()
    form.reload()
    expect(form.get_by_label("Secret", exact=True).get_by_role("option")).to_contain_text(
        ["Choose…", "HOOK_FORM"]
    )
    expect(form.get_by_text(value)).to_have_count(0)


def test_a_secret_of_the_sender_is_pasted(form: Page) -> None:
    form.get_by_text("Slack", exact=True).click()
    form.get_by_role("button", name="Paste a secret").click()
    form.get_by_role("button", name="Save secret").click()
    expect(form.get_by_text("Paste the secret.")).to_be_visible()

    form.get_by_label("Value", exact=True).fill("0123456789abcdef")
    form.get_by_role("button", name="Save secret").click()

    expect(form.get_by_label("Secret", exact=True)).to_have_value(
        re.compile("SLACK_SIGNING_SECRET")
    )
    expect(form.get_by_text("0123456789abcdef")).to_have_count(0)


def test_a_test_shows_the_inputs_or_the_reason_against_a_run(
    page: Page, stack: RunningStack
) -> None:
    body = {
        "kind": "webhook",
        "name": "Tested",
        "workflowSlug": "on-events",
        "verify": {"kind": "none"},
        "when": 'body.state == "new"',
        "inputs": {"title": "body.title"},
    }
    status, trigger = stack.api("POST", "/api/triggers", body)
    assert status == 201, trigger
    page.goto(f"/app/triggers/{trigger['id']}?tab=connect")
    test = page.get_by_role("region", name="Test", exact=True)
    send = test.get_by_role("button", name="Send a test")

    test.get_by_label("Body").fill('{"state": "new", "title": "A mug"}')
    send.click()
    expect(test.get_by_text("This event would start a run.")).to_be_visible()
    expect(test.get_by_role("region", name="Inputs of the run")).to_contain_text("A mug")
    test.get_by_label("Body").fill('{"state": "old", "title": "A mug"}')
    send.click()
    expect(test.get_by_text("this event would be skipped")).to_be_visible()
    test.get_by_label("Body").fill('{"state": "new"}')
    send.click()
    problems = test.get_by_role("list", name="Problems").get_by_role("listitem")
    expect(problems).to_have_count(1)
    expect(problems).to_contain_text("inputs.title")


def test_settings_are_changed_and_what_the_server_refuses_stands_at_its_field(
    form: Page, complaints: list[str]
) -> None:
    form.get_by_text("No signature", exact=True).click()
    form.get_by_label("Name", exact=True).fill("Changed")
    form.get_by_label("Condition").fill("body.action ==")
    form.get_by_role("button", name="Create inbound webhook").click()
    expect(form.get_by_label("Condition")).to_be_focused()
    expect(form.get_by_label("Condition")).to_have_attribute("aria-invalid", "true")
    complaints[:] = [each for each in complaints if "400" not in each]
    form.get_by_label("Condition").fill("true")
    form.get_by_label("Title", exact=True).fill("body.head")
    form.get_by_role("button", name="Create inbound webhook").click()
    expect(form.get_by_role("region", name="URL", exact=True)).to_contain_text("/hooks/")

    form.get_by_role("tab", name="Settings").click()
    expect(form.get_by_label("Condition")).to_have_value("true")
    expect(form.get_by_label("Title", exact=True)).to_have_value("body.head")
    form.get_by_text("Bearer token", exact=True).click()
    form.get_by_role("button", name="Make a secret").click()
    form.get_by_role("button", name="Save secret").click()
    form.get_by_label("Answer to the sender").select_option("The result, when the run has ended")
    form.get_by_role("button", name="Save", exact=True).click()
    expect(form.get_by_text("Saved the trigger")).to_be_visible()
    form.reload()

    expect(form.get_by_role("radio", name="Bearer token")).to_be_checked()
    expect(form.get_by_label("Secret", exact=True)).to_have_value(re.compile("WEBHOOK_TOKEN"))
    expect(form.get_by_label("Answer to the sender")).to_have_value("result")
    expect(form.get_by_label("Condition")).to_have_value("true")


def test_a_failed_event_leads_to_its_test_and_edits_stay_meanwhile(
    page: Page, stack: RunningStack
) -> None:
    body = {
        "kind": "webhook",
        "name": "Failing",
        "workflowSlug": "on-events",
        "verify": {"kind": "none"},
        "inputs": {"title": "body.title"},
    }
    status, trigger = stack.api("POST", "/api/triggers", body)
    assert status == 201, trigger
    hook = "/hooks/" + trigger["url"].rpartition("/")[2]
    assert stack.api("POST", hook, {"title": 5})[0] == 400

    page.add_init_script("localStorage.setItem('headrace-tour', 'taken')")
    page.goto("/app/editor/on-events")
    page.get_by_role("button", name="Deploy").click()
    panel = page.get_by_role("region", name="Triggers")
    expect(panel.get_by_role("listitem").filter(has_text="Failing")).to_contain_text("do not fit")
    page.goto("/app/triggers?q=Failing")
    page.get_by_role("row", name="Failing").get_by_role("link", name=re.compile("ago|now")).click()
    expect(page).to_have_url(re.compile(f"{trigger['id']}[?]status=failed$"))

    page.goto(f"/app/triggers/{trigger['id']}?tab=settings")
    page.get_by_label("Condition").fill("body.title != 7")
    page.get_by_role("tab", name="Occurrences").click()
    page.get_by_role("link", name="Try this event").click()

    test = page.get_by_role("region", name="Test", exact=True)
    problems = test.get_by_role("list", name="Problems").get_by_role("listitem")
    expect(problems).to_contain_text("must be a text, not a number")
    expect(test.get_by_label("Body")).to_have_value(re.compile('"title": 5'))
    expect(page).to_have_url(re.compile("tab=connect$"))
    page.get_by_role("button", name="New URL").click()
    page.get_by_role("button", name="Make a new URL").click()
    expect(page.get_by_text("The trigger has a new URL")).to_be_visible()
    page.get_by_role("switch").click()
    expect(page.get_by_text("Failing is paused")).to_be_visible()
    page.get_by_role("tab", name="Settings").click()
    expect(page.get_by_label("Condition")).to_have_value("body.title != 7")
