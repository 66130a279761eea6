"""Rules for every page, in both themes; with PICTURES=FOLDER the pages are pictured as well."""

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import SETTLED, violations
from tests.support.e2e.batches import open_table, paste
from tests.support.e2e.document_pages import DOCUMENT_PAGES, prepare_documents
from tests.support.e2e.editor_pages import EDITOR_PAGES, prepare, refund_after_approval
from tests.support.e2e.hook_pages import HOOK_PAGES, prepare_hook
from tests.support.e2e.last_hour import fill_last_hour
from tests.support.e2e.models import commented, save
from tests.support.e2e.triggers import open_schedule_form, set_schedule
from tests.support.e2e.waiting import asking, waiting
from tests.support.e2e.workflows import every_field
from tests.support.oauth.pages import CONNECT_PAGES
from tests.support.releases.pages import PUBLISH_PAGES, RELEASE_PAGES, prepare_releases
from tests.support.replays.pages import REPLAY_PAGES, prepare_replays

pytestmark = pytest.mark.slow
THEMES = ("light", "dark")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 860}
ROWS = """Title\tCopies\tTone\tTags
A warm mug\t2\tcalm\tmugs
A tall vase\t12\tlively\tvases
A flat bowl\t\tcalm\tbowls
A small cup\t4\t\tcups
A wide plate\t6\tlively\tplates
"""
FIRST_LOAD_BYTES = {
    **dict.fromkeys(("home", "playground", "keys", "executions", "execution", "usage"), 150_000),
    **dict.fromkeys(("run-many", "batch", "batches"), 150_000),
    **dict.fromkeys(("replays", "replay", "new-replay"), 150_000),
    **dict.fromkeys(("approvals", "execution-waiting", "execution-agent"), 150_000),
    **dict.fromkeys((*HOOK_PAGES, *DOCUMENT_PAGES, *CONNECT_PAGES, *RELEASE_PAGES), 150_000),
    **dict.fromkeys(("triggers", "trigger", "new-schedule"), 150_000),
    **dict.fromkeys(("models", "model", "model-manifest"), 150_000),
    **dict.fromkeys(("editor", "editor-tests"), 260_000),
}


@pytest.fixture(scope="module", autouse=True)
def workflow(stack: RunningStack) -> None:
    document = every_field("Product notes", publicPlayground=True, description="Notes, set well.")
    stack.api("POST", "/api/workflows", document)
    stack.api("POST", "/api/workflows/product-notes/run", {"inputs": {"title": "A warm mug"}})
    titles = ("A warm mug", "A tall vase", "A flat bowl")
    batch = {"items": [{"inputs": {"title": each}} for each in titles], "tags": ["catalogue"]}
    stack.api("POST", "/api/workflows/product-notes/batch", batch)
    prepare_hook(stack)
    prepare_documents(stack)
    refund_after_approval(stack)
    set_triggers(stack)
    prepare_releases(stack)
    stack.api("POST", "/api/workflows", asking("Announcements"))
    waiting(stack, "announcements")
    prepare(stack)
    prepare_replays(stack)
    fill_last_hour(stack.redis_url)


def set_triggers(stack: RunningStack) -> None:
    """Set two schedules, one of which has started runs."""
    inputs = {"title": "A warm mug"}
    zone = {"timezone": "Europe/Berlin", "inputs": inputs}
    made = set_schedule(stack, "Morning notes", "product-notes", cron="0 9 * * 1-5", **zone)
    set_schedule(stack, "Notes of the month", "product-notes", cron="0 7 1 * *", inputs=inputs)
    for _ in range(3):
        stack.api("POST", f"/api/triggers/{made}/run")


def show_home(page: Page) -> None:
    page.goto("/")
    page.get_by_role("article").first.locator("svg").wait_for()


def show_new_workflow(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="New workflow").click()
    page.get_by_role("dialog").get_by_text("Needs no model").first.wait_for()


def show_playground(page: Page) -> None:
    page.goto("/app/playground/product-notes")
    page.get_by_label("Title").fill("A warm mug")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("heading", name="A warm mug").wait_for()


def show_faults(page: Page) -> None:
    page.goto("/app/playground/product-notes")
    page.get_by_role("button", name="Run").click()


def show_keys(page: Page) -> None:
    page.goto("/app/api/keys")
    page.get_by_role("table").wait_for()


def show_create_key(page: Page) -> None:
    page.goto("/app/api/keys")
    page.get_by_role("button", name="Create key").click()
    page.get_by_role("radio", name="Custom").check()


def show_webhook(page: Page) -> None:
    page.goto("/app/api/keys?tab=webhook")
    page.get_by_label("URL").wait_for()


def show_executions(page: Page) -> None:
    page.goto("/app/executions?source=api-workflow")
    page.get_by_role("row", name="product-notes").first.wait_for()


def show_execution(page: Page) -> None:
    page.goto("/app/executions?workflowSlug=product-notes&source=api-workflow")
    page.get_by_role("row", name="product-notes").first.get_by_role("link").click()
    page.get_by_role("button", name="text completed").click()
    page.get_by_role("region", name="Output").wait_for()


def show_events(page: Page) -> None:
    show_execution(page)
    page.get_by_role("tab", name="Events").click()
    page.get_by_role("list", name="Events").wait_for()


def show_run_many(page: Page) -> None:
    open_table(page, "product-notes")
    paste(page, "Title", 1, ROWS)
    page.get_by_role("list", name="Cells at fault").wait_for()


def show_approvals(page: Page) -> None:
    page.goto("/app/approvals")
    page.get_by_role("list", name="Approvals that wait").get_by_role("link").first.click()
    page.get_by_role("region", name="Value").get_by_text("Hello").wait_for()


def show_waiting(page: Page) -> None:
    page.goto("/app/executions?workflowSlug=announcements")
    page.get_by_role("row", name="announcements").first.get_by_role("link").click()
    page.get_by_role("region", name="Waits").get_by_role("button", name="Answer").click()
    page.get_by_role("region", name="Value").get_by_text("Hello").wait_for()


def show_agent_run(page: Page) -> None:
    page.goto("/app/executions?workflowSlug=support-agent")
    page.get_by_role("row", name="support-agent").first.get_by_role("link").click()
    page.get_by_role("button", name="agent completed").click()
    steps = page.get_by_role("region", name="Steps")
    steps.get_by_text("Approved").wait_for()
    steps.evaluate("each => each.scrollIntoView({block: 'center'})")


def show_batches(page: Page) -> None:
    page.goto("/app/batches")
    page.get_by_role("row", name="3 of 3").wait_for()


def show_batch(page: Page) -> None:
    show_batches(page)
    page.get_by_role("row", name="3 of 3").get_by_role("link", name="product-notes").click()
    page.get_by_role("table", name="Items").wait_for()


def show_triggers(page: Page) -> None:
    page.goto("/app/triggers")
    page.get_by_role("row", name="Morning notes").wait_for()


def show_trigger(page: Page) -> None:
    show_triggers(page)
    page.get_by_role("link", name="Morning notes").click()
    page.get_by_role("row", name="started").first.wait_for()


def show_new_schedule(page: Page) -> None:
    form = open_schedule_form(page, "product-notes")
    form.get_by_label("Title").wait_for()
    form.get_by_role("list", name="Next times").wait_for()


def show_usage(page: Page) -> None:
    page.goto("/app/usage")
    page.locator("canvas").first.wait_for()
    page.get_by_text("All figures as a table").click()


def show_search(page: Page) -> None:
    page.goto("/app/usage")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("combobox", name="Id").fill("product")
    page.get_by_role("option", name="Product notes").wait_for()


def show_models(page: Page) -> None:
    page.goto("/app/models")
    page.get_by_role("table").wait_for()


def show_new_model(page: Page) -> None:
    show_models(page)
    page.get_by_role("button", name="New model").click()
    page.get_by_role("dialog").wait_for()


def show_model(page: Page) -> None:
    page.goto("/app/models/kling")
    page.get_by_label("curl call").wait_for()


def show_model_try(page: Page) -> None:
    page.goto("/app/models/gpt-mini?tab=try")
    page.get_by_label("Prompt").fill("Three words for a warm mug")
    page.get_by_role("button", name="Try it").click()
    page.get_by_text("(stub)").wait_for()
    page.evaluate("scrollTo(0, 0)")


def show_model_manifest(page: Page) -> None:
    page.goto("/app/models?new=video")
    form = page.get_by_role("region", name="Form").or_(page.get_by_text("TOML", exact=True))
    form.filter(visible=True).first.wait_for()
    if (choice := page.get_by_text("TOML", exact=True)).is_visible():  # on phones
        choice.click()
    area = page.get_by_role("textbox", name="Manifest as TOML")
    area.fill(area.input_value().replace('"free"', '"rich"').replace("prompt }}", "words }}"))
    page.get_by_role("list", name="Problems").wait_for()


def show_model_versions(page: Page) -> None:
    name = "pictured"
    if f'"{name}"' not in page.request.get("/api/models").text():
        save(page, commented(name, "Mugs in words"))
        save(page, commented(name, "Mugs in a few words"), name)
    page.goto(f"/app/models/{name}?tab=versions")
    page.get_by_role("list", name="Difference by line").wait_for()


def show_settings(page: Page) -> None:
    page.goto("/app/settings")
    page.get_by_text("Credits left").wait_for()


def show_ledger(page: Page) -> None:
    page.goto("/app/settings?tab=ledger")
    page.get_by_role("table", name="Ledger").wait_for()


def show_filters(page: Page) -> None:
    page.goto("/app/executions?workflowSlug=product-notes&modelId=-")
    page.get_by_role("row", name="product-notes").first.wait_for()


def show_time(page: Page) -> None:
    page.goto("/app/usage?by=key")
    page.locator("canvas").first.wait_for()
    page.get_by_label("Time", exact=True).select_option("From … to …")
    page.get_by_label("From", exact=True).wait_for()


def show_secrets(page: Page) -> None:
    page.goto("/app/settings?tab=secrets")
    page.get_by_role("tabpanel").get_by_role("heading").or_(page.get_by_role("table")).wait_for()


def show_sessions(page: Page) -> None:
    page.goto("/app/settings?tab=sessions")
    page.get_by_role("table").wait_for()


def show_accounts(page: Page) -> None:
    page.goto("/app/admin")
    page.get_by_role("row", name="demo@localhost").wait_for()


def show_audit(page: Page) -> None:
    page.goto("/app/admin?tab=audit")
    page.get_by_role("table").wait_for()


def show_installation(page: Page) -> None:
    page.goto("/app/admin?tab=installation")
    page.get_by_role("region", name="Last hour").locator("canvas").last.wait_for()
    page.get_by_role("table", name="Workers").wait_for()


def show_not_found(page: Page) -> None:
    page.goto("/app/playground/never-was")
    page.get_by_role("heading", level=1).wait_for()


PAGES: dict[str, Callable[[Page], None]] = {
    "home": show_home,
    "new-workflow": show_new_workflow,
    "playground": show_playground,
    "faults": show_faults,
    "keys": show_keys,
    "create-key": show_create_key,
    "webhook": show_webhook,
    "executions": show_executions,
    "execution": show_execution,
    "events": show_events,
    "approvals": show_approvals,
    "execution-waiting": show_waiting,
    "execution-agent": show_agent_run,
    "run-many": show_run_many,
    "batches": show_batches,
    "batch": show_batch,
    "triggers": show_triggers,
    "trigger": show_trigger,
    "new-schedule": show_new_schedule,
    "usage": show_usage,
    "search": show_search,
    "models": show_models,
    "new-model": show_new_model,
    "model": show_model,
    "model-try": show_model_try,
    "model-manifest": show_model_manifest,
    "model-versions": show_model_versions,
    "filters": show_filters,
    "time": show_time,
    "settings": show_settings,
    "ledger": show_ledger,
    "secrets": show_secrets,
    "sessions": show_sessions,
    "accounts": show_accounts,
    "audit": show_audit,
    "installation": show_installation,
    **HOOK_PAGES,
    **DOCUMENT_PAGES,
    **CONNECT_PAGES,
    **RELEASE_PAGES,
    **PUBLISH_PAGES,
    **EDITOR_PAGES,
    **REPLAY_PAGES,
    "not-found": show_not_found,
}
VISITORS = {"home": "/", "playground": "/app/playground/product-notes"}
PROVOKED = ("/never-was/public-schema)", "/at-odds/draft)")
"""Addresses of which Chromium logs a 404 or a 412 that the page expects."""


def picture(page: Page, name: str, theme: str) -> None:
    """Keep a picture of the page, of a phone besides in the light theme."""
    if not (folder := os.environ.get("PICTURES")):
        return
    page.wait_for_timeout(400)  # until transitions are over
    keep(page.screenshot(), Path(folder) / f"{name}-{theme}.png")
    if theme == "light":
        page.set_viewport_size(PHONE)
        keep(page.screenshot(), Path(folder) / f"{name}-phone.png")
        page.set_viewport_size(DESK)


def keep(content: bytes, path: Path) -> None:
    """Write a picture with 128 colours, which halves it."""
    Image.open(BytesIO(content)).convert("RGB").quantize(128).save(path, optimize=True)


def check(page: Page, name: str, complaints: list[str]) -> None:
    """Check the page in both themes."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        page.evaluate(SETTLED)
        picture(page, name, theme)
        assert violations(page) == [], theme
    complaints[:] = [each for each in complaints if not each.endswith(PROVOKED)]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_in_both_themes(
    make_page: MakePage, signed_in: Path, complaints: list[str], name: str
) -> None:
    page = make_page(signed_in, viewport=DESK, reduced_motion="reduce")
    page.add_init_script("localStorage.setItem('headrace-tour', 'taken')")

    PAGES[name](page)

    check(page, name, complaints)


@pytest.mark.parametrize("name", VISITORS)
def test_a_page_of_visitors_is_accessible_in_both_themes(
    make_page: MakePage, complaints: list[str], name: str
) -> None:
    page = make_page(viewport=DESK, reduced_motion="reduce")

    page.goto(VISITORS[name])

    page.get_by_role("heading", level=1).wait_for()
    check(page, f"visitor-{name}", complaints)


def test_the_page_behind_an_approval_link_is_accessible_in_both_themes(
    make_page: MakePage, stack: RunningStack, complaints: list[str]
) -> None:
    page = make_page(viewport=DESK, reduced_motion="reduce")
    asked = stack.api("GET", "/api/approvals")[1]["rows"][0]

    page.goto(asked["url"])

    expect(page.get_by_role("heading", level=1)).to_have_text(asked["title"])
    check(page, "visitor-approval", complaints)


@pytest.mark.parametrize("name", FIRST_LOAD_BYTES)
def test_the_first_load_is_small_and_nothing_scrolls_sideways(
    make_page: MakePage, signed_in: Path, name: str
) -> None:
    page = make_page(signed_in, viewport=PHONE)
    loaded: list[int] = []
    page.on(
        "response",
        lambda answer: (
            "/static/" in answer.url and loaded.append(int(answer.headers["content-length"]))
        ),
    )

    PAGES[name](page)

    assert 0 < sum(loaded) < FIRST_LOAD_BYTES[name]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
