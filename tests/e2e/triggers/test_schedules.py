"""Schedules: set in the form, run at real minutes, paused, changed and deleted."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.e2e.receiver import receiving
from tests.support.e2e.triggers import NEVER, occurrences, open_schedule_form, set_schedule
from tests.support.e2e.workflows import calling, every_field, greeting

pytestmark = pytest.mark.slow
MINUTE_MS = 60_000
FRIDAY = 4


def trigger_id(page: Page) -> str:
    """Return the id in the address of a trigger's page."""
    expect(page).to_have_url(re.compile("/app/triggers/trg_[0-9a-f]{12}$"))
    return page.url.rpartition("/")[2]


def next_weekdays(zone: str, at: time, count: int) -> list[str]:
    """Return the next weekdays at a time of a zone, as the page shows them, without the offset."""
    found: list[str] = []
    day = datetime.now(ZoneInfo(zone)).date()
    while len(found) < count:
        moment = datetime.combine(day, at, ZoneInfo(zone))
        if moment > datetime.now(UTC) and moment.weekday() <= FRIDAY:
            found.append(f"{moment:%a}, {moment.day} {moment:%b} {moment.year}, {at:%H:%M}")
        day += timedelta(days=1)
    return found


def test_a_schedule_is_set_in_the_form_and_starts_runs_at_real_minutes(
    page: Page, stack: RunningStack
) -> None:
    stack.api("POST", "/api/workflows", greeting("Minute news"))
    stack.api("POST", "/api/workflows", greeting("Gone news"))
    gone = set_schedule(
        stack, "For a deleted one", "gone-news", cron="* * * * *", timezone="Asia/Tokyo"
    )
    stack.api("DELETE", "/api/workflows/gone-news")
    form = open_schedule_form(page, "minute-news")
    form.get_by_label("Cron expression").fill("* * * * *")
    expect(form.get_by_text("Every minute.", exact=True)).to_be_visible()
    form.get_by_role("region", name="Inputs").get_by_label("Name").fill("Grace")
    form.get_by_role("button", name="Create schedule").click()

    made = trigger_id(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Minute news, every minute")
    expect(page.get_by_text("None so far.")).to_be_visible()

    # The row comes by itself, at the next minute.
    row = page.get_by_role("table", name="Occurrences").get_by_role("row", name="started")
    expect(row.first).to_be_visible(timeout=MINUTE_MS + 30_000)
    row.first.get_by_role("link").click()
    expect(page.get_by_role("link", name="Minute news, every minute")).to_be_visible()
    expect(page.get_by_text(re.compile(", due "))).to_be_visible()
    page.get_by_role("link", name="Minute news, every minute").click()
    page.get_by_role("link", name="Its executions").click()
    rows = page.get_by_role("table", name="Executions").get_by_role("rowheader")
    expect(rows.first).to_contain_text("minute-news")
    expect(page.get_by_label("Trigger", exact=True)).to_have_value(made)

    until(lambda: occurrences(stack, gone), timeout=90)
    page.goto(f"/app/triggers/{gone}?status=failed")
    failed = page.get_by_role("table", name="Occurrences").get_by_role("row", name="failed")
    expect(failed.first).to_contain_text("The workflow is deleted, archived or has no such version")
    expect(failed.first).to_contain_text("GMT+9")
    expect(page.get_by_role("link", name="Choose another workflow or version")).to_have_count(1)
    page.get_by_role("radio", name="started").check()
    expect(page.get_by_text("No occurrence has this status")).to_be_visible()
    for each in (made, gone):
        assert stack.api("DELETE", f"/api/triggers/{each}")[0] == 200


def test_ready_choices_words_and_the_next_times_of_a_zone(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("Weekday news"))
    form = open_schedule_form(page, "weekday-news")
    form.get_by_text("On weekdays", exact=True).click()
    form.get_by_label("At", exact=True).fill("08:30")
    form.get_by_label("Time zone").fill("America/New_York")

    expect(form.get_by_label("Cron expression")).to_have_value("30 8 * * 1-5")
    expect(form.get_by_text("At 08:30, Monday through Friday.", exact=True)).to_be_visible()
    times = form.get_by_role("list", name="Next times").get_by_role("listitem")
    expect(times).to_have_count(5)
    wanted = next_weekdays("America/New_York", time(8, 30), 5)
    expect(times).to_have_text([re.compile(f"^{re.escape(each)}") for each in wanted])

    form.get_by_role("button", name="UTC").click()

    wanted = next_weekdays("UTC", time(8, 30), 5)
    expect(times).to_have_text([f"{each} UTC" for each in wanted])


@pytest.mark.parametrize(
    ("label", "text"),
    [("Cron expression", "61 * * * *"), ("Cron expression", "* * * *"), ("Time zone", "Mars/Base")],
)
def test_a_wrong_setting_is_told_at_its_field(
    page: Page, stack: RunningStack, complaints: list[str], label: str, text: str
) -> None:
    stack.api("POST", "/api/workflows", greeting("Wrong news"))
    form = open_schedule_form(page, "wrong-news")
    before = len(stack.api("GET", "/api/triggers")[1]["rows"])

    form.get_by_label(label).fill(text)

    expect(form.get_by_label(label)).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_text("They are shown once")).to_be_visible()
    form.get_by_role("button", name="Create schedule").click()
    expect(form.get_by_label(label)).to_be_focused()
    assert len(stack.api("GET", "/api/triggers")[1]["rows"]) == before
    complaints[:] = [each for each in complaints if "400" not in each]


def test_inputs_are_asked_for_by_the_form_of_the_workflow(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", every_field("Asking news"))
    form = open_schedule_form(page, "asking-news")
    form.get_by_label("Cron expression").fill(NEVER)
    form.get_by_role("button", name="Create schedule").click()
    expect(form.get_by_label("Title")).to_be_focused()
    expect(form.get_by_text("This is needed.")).to_be_visible()

    form.get_by_label("Title").fill("A warm mug")
    form.get_by_label("Copies").fill("3")
    form.get_by_text("lively").click()
    form.get_by_role("button", name="Create schedule").click()

    made = trigger_id(page)
    saved = stack.api("GET", f"/api/triggers/{made}")[1]
    assert (saved["inputs"]["title"], saved["inputs"]["copies"]) == ("A warm mug", 3)
    assert saved["inputs"]["tone"] == "lively"
    page.get_by_role("tab", name="Settings").click()
    expect(page.get_by_label("Title")).to_have_value("A warm mug")
    expect(page.get_by_label("Copies")).to_have_value("3")


def test_defaults_that_a_trigger_leaves_out_are_shown_and_not_saved(
    page: Page, stack: RunningStack
) -> None:
    stack.api("POST", "/api/workflows", every_field("Default news"))
    inputs = {"title": "A warm mug"}
    made = set_schedule(stack, "With defaults", "default-news", inputs=inputs)
    page.goto(f"/app/triggers/{made}?tab=settings")
    expect(page.get_by_label("Warmth")).to_have_value("4")
    expect(page.get_by_role("radio", name="calm")).to_be_checked()

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Nothing has changed")).to_be_visible()
    page.get_by_label("Skip that time").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved With defaults")).to_be_visible()
    saved = stack.api("GET", f"/api/triggers/{made}")[1]
    assert (saved["inputs"], saved["overlap"]) == (inputs, "skip")
    page.get_by_label("Copies").fill("2")
    page.get_by_role("button", name="Save").click()
    until(lambda: stack.api("GET", f"/api/triggers/{made}")[1]["inputs"].get("copies") == 2)
    assert stack.api("GET", f"/api/triggers/{made}")[1]["inputs"]["warmth"] == 4
    page.get_by_label("Copies").fill("")
    page.get_by_role("button", name="Save").click()
    until(lambda: "copies" not in stack.api("GET", f"/api/triggers/{made}")[1]["inputs"])


def test_a_schedule_of_a_deleted_workflow_takes_another_one(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    stack.api("POST", "/api/workflows", greeting("Former news"))
    stack.api("POST", "/api/workflows", greeting("Latter news"))
    made = set_schedule(stack, "Moved", "former-news", inputs={"name": "Eve"})
    stack.api("DELETE", "/api/workflows/former-news")
    page.goto(f"/app/triggers/{made}?tab=settings")
    expect(page.get_by_role("region", name="Inputs")).to_contain_text("could not be loaded")
    page.get_by_role("textbox", name="Name").first.fill("Renamed")

    page.get_by_label("Workflow", exact=True).select_option("latter-news")
    expect(page.get_by_role("region", name="Inputs").get_by_label("Name")).to_have_value("Ada")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Saved Renamed")).to_be_visible()
    saved = stack.api("GET", f"/api/triggers/{made}")[1]
    assert (saved["workflowSlug"], saved["inputs"]) == ("latter-news", {"name": "Ada"})
    complaints[:] = [each for each in complaints if "404" not in each]


def test_a_schedule_is_paused_and_goes_on_in_the_list(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("Paused news"))
    made = set_schedule(stack, "Paused by hand", "paused-news")
    page.goto("/app/triggers?workflow=paused-news")
    row = page.get_by_role("row", name="Paused by hand")
    expect(row).to_contain_text(re.compile(r"in \d+ days"))

    row.get_by_role("switch", name="Paused by hand is enabled").click()

    expect(row.get_by_text("Paused", exact=True)).to_be_visible()
    assert stack.api("GET", f"/api/triggers/{made}")[1]["enabled"] is False
    page.get_by_label("State").select_option("Enabled")
    expect(page.get_by_role("heading", name="No trigger matches")).to_be_visible()
    page.get_by_label("State").select_option("Paused")
    row.get_by_role("switch").click()
    expect(page.get_by_role("heading", name="No trigger matches")).to_be_visible()
    page.get_by_role("button", name="Show all triggers").click()
    expect(row).to_contain_text(re.compile(r"in \d+ days"))
    assert stack.api("GET", f"/api/triggers/{made}")[1]["enabled"] is True


def test_a_run_is_started_by_hand_and_found_from_its_trigger(
    page: Page, stack: RunningStack
) -> None:
    stack.api("POST", "/api/workflows", greeting("Handmade news"))
    made = set_schedule(stack, "Started by hand", "handmade-news")
    page.goto(f"/app/triggers/{made}")

    page.get_by_role("button", name="Run now").click()

    page.get_by_role("button", name="Show it").click()
    expect(page).to_have_url(re.compile("/app/executions/"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    page.get_by_role("link", name="Started by hand").click()
    table = page.get_by_role("table", name="Occurrences")
    expect(table.get_by_role("row", name="started")).to_have_count(1)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("combobox", name="Id").fill("started by hand")
    page.get_by_role("option", name="Trigger").click()
    expect(page).to_have_url(re.compile(f"/app/triggers/{made}$"))


def test_occurrences_are_read_page_by_page(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("Many news"))
    made = set_schedule(stack, "Many runs", "many-news")
    for _ in range(52):
        status, answer = stack.api("POST", f"/api/triggers/{made}/run")
        assert status == 202, answer
    page.goto(f"/app/triggers/{made}")
    rows = page.get_by_role("table", name="Occurrences").get_by_role("rowheader")
    expect(rows).to_have_count(50)

    page.get_by_role("button", name="Older").click()

    expect(rows).to_have_count(2)
    expect(page.get_by_role("button", name="Older")).to_be_disabled()
    page.get_by_role("button", name="Newer").click()
    expect(rows).to_have_count(50)


def test_settings_are_changed_and_changes_of_others_stay(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("Changed news"))
    made = set_schedule(stack, "Changed here", "changed-news", inputs={"name": "Eve"})
    page.goto(f"/app/triggers/{made}?tab=settings")
    form = page.get_by_role("form", name="Schedule")
    given = form.get_by_role("region", name="Inputs").get_by_label("Name")
    expect(given).to_have_value("Eve")
    assert stack.api("PATCH", f"/api/triggers/{made}", {"missed": "all"})[0] == 200

    form.get_by_role("textbox", name="Name").first.fill("Changed twice")
    form.get_by_label("Skip that time").check()
    form.get_by_text("Version, limit of credits and webhook").click()
    form.get_by_label("Version", exact=True).select_option("Version 1")
    form.get_by_label("Most credits of a run").fill("250")
    form.get_by_role("button", name="Save").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Changed twice")
    expect(page.get_by_text("250 credits a run")).to_be_visible()
    saved = stack.api("GET", f"/api/triggers/{made}")[1]
    assert (saved["name"], saved["version"], saved["max_credits"]) == ("Changed twice", 1, 250)
    assert (saved["overlap"], saved["missed"]) == ("skip", "all")
    assert (saved["cron"], saved["inputs"]) == (NEVER, {"name": "Eve"})


def test_runs_are_told_to_the_webhook_of_the_trigger(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("Told news"))
    with receiving() as receiver:
        form = open_schedule_form(page, "told-news")
        form.get_by_label("Cron expression").fill(NEVER)
        form.get_by_text("Version, limit of credits and webhook").click()
        form.get_by_label("Tell a webhook of each run").check()
        form.get_by_label("Webhook URL").fill(receiver.url)
        form.get_by_role("button", name="Make one").click()
        form.get_by_role("button", name="Create schedule").click()
        made = trigger_id(page)

        page.get_by_role("button", name="Run now").click()

        until(lambda: receiver.bodies)
    page.get_by_role("tab", name="Settings").click()
    expect(page.get_by_text(f"Each run is told to {receiver.url}")).to_be_visible()
    page.get_by_role("button", name="Change").click()
    page.get_by_label("Tell a webhook of each run").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(re.compile("^Saved "))).to_be_visible()
    assert "webhook" not in stack.api("GET", f"/api/triggers/{made}")[1]


def test_a_time_is_skipped_while_the_run_before_goes_on(page: Page, stack: RunningStack) -> None:
    with receiving() as shop:
        shop.answers.clear()
        stack.api("POST", "/api/workflows", calling("Long news", shop.url))
        made = set_schedule(stack, "Long runs", "long-news", cron="* * * * *", overlap="skip")
        page.goto(f"/app/triggers/{made}")
        table = page.get_by_role("table", name="Occurrences")
        # The call of the run gives up before a whole minute has passed.
        until(lambda: datetime.now(UTC).second, lambda second: 40 <= second <= 50, timeout=70)
        page.get_by_role("button", name="Run now").click()
        expect(table.get_by_role("row", name="started").first).to_be_visible()

        skipped = table.get_by_role("row", name="skipped")
        expect(skipped.first).to_contain_text(
            "The run before was still running.", timeout=MINUTE_MS + 30_000
        )
    assert stack.api("DELETE", f"/api/triggers/{made}")[0] == 200


def test_a_trigger_is_deleted_after_a_question(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    stack.api("POST", "/api/workflows", greeting("Deleted news"))
    made = set_schedule(stack, "Deleted by hand", "deleted-news")
    page.goto(f"/app/triggers/{made}")
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete Deleted by hand?")
    dialog.get_by_role("button", name="Keep it").click()
    assert stack.api("GET", f"/api/triggers/{made}")[0] == 200

    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete trigger").click()

    expect(page).to_have_url(re.compile("/app/triggers$"))
    expect(page.get_by_role("heading", name="Triggers")).to_be_visible()
    expect(page.get_by_role("link", name="Deleted by hand")).to_have_count(0)
    complaints[:] = [each for each in complaints if "404" not in each]
    page.goto(f"/app/triggers/{made}")
    expect(page.get_by_role("heading", name="There is no such trigger")).to_be_visible()
    # Two readings later, nobody has asked again.
    page.wait_for_timeout(7_000)
    assert len(complaints) == 1
    complaints.clear()


def test_a_trigger_that_others_delete_leaves_its_page(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    stack.api("POST", "/api/workflows", greeting("Left news"))
    made = set_schedule(stack, "Left", "left-news", timezone="Asia/Tokyo", enabled=False)
    page.goto(f"/app/triggers/{made}")
    expect(page.get_by_text("None while it is paused")).to_be_visible()
    page.get_by_role("switch").click()
    expect(page.get_by_text(re.compile("GMT[+]9 .*UTC here"))).to_be_visible()
    stack.api("DELETE", f"/api/triggers/{made}")

    expect(page.get_by_role("heading", name="There is no such trigger")).to_be_visible()
    complaints[:] = [each for each in complaints if "404" not in each]


def test_revoking_a_key_names_the_triggers_that_it_pauses(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("Keyed news"))
    capabilities = ["workflow:write", "workflow:run"]
    page.goto("/app/api/keys")
    answer = page.request.post(
        "/api/api-keys",
        data={"name": "Nightly", "capabilities": capabilities},
        headers={"origin": stack.url},
    )
    assert answer.ok, answer.text()
    made = set_schedule(stack, "Made by a key", "keyed-news", key=answer.json()["key"])
    page.goto(f"/app/triggers/{made}")
    page.get_by_role("link", name="Nightly").click()

    page.get_by_role("row", name="Nightly").get_by_role("button", name="Revoke").click()

    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The trigger that it made is paused: Made by a key.")
    dialog.get_by_role("button", name="Revoke key").click()
    page.get_by_role("link", name="Triggers", exact=True).click()
    row = page.get_by_role("row", name="Made by a key")
    expect(row.get_by_text("Paused", exact=True)).to_be_visible()
    row.get_by_role("link", name="Made by a key").click()
    expect(page.get_by_text("a key that was revoked, which paused it")).to_be_visible()
