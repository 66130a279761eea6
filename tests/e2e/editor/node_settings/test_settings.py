"""Settings of nodes: made from the catalogue, saved as they are typed."""

from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.node_settings import (
    Node,
    await_settings,
    draft,
    node,
    open_settings,
    save_draft,
    wire,
)

pytestmark = pytest.mark.slow

NAME_FIELD = {"name": "name", "label": "Name", "type": "text", "required": True}
ADDRESS = "https://x.example"
FORM = node("form", "requestInput", fields=[NAME_FIELD])


def settings_of(page: Page, stack: RunningStack, name: str, *nodes: Node) -> tuple[str, Locator]:
    """Open the settings of the first node."""
    slug = save_draft(stack, name, [*nodes])
    return slug, open_settings(page, slug, nodes[0]["id"])


def test_settings_are_labelled_as_in_the_catalogue_and_rare_ones_are_folded(
    page: Page, stack: RunningStack
) -> None:
    _, panel = settings_of(page, stack, "Labels", node("call", "httpRequest", url=ADDRESS))

    for label in ("Method", "URL", "Body type", "Body"):
        expect(panel.get_by_label(label, exact=True)).to_be_visible()
    for group in ("Auth", "Headers"):
        expect(panel.get_by_role("group", name=group)).to_be_visible()
    limit = panel.get_by_label("Max bytes")
    expect(limit).to_be_hidden()
    panel.get_by_text("More", exact=True).click()
    expect(limit).to_have_attribute("placeholder", "10485760")


def test_a_setting_at_its_default_is_not_kept(page: Page, stack: RunningStack) -> None:
    slug, panel = settings_of(
        page, stack, "Defaults", node("call", "httpRequest", url=ADDRESS, method="PUT")
    )

    panel.get_by_label("Method").select_option("GET (default)")
    panel.get_by_text("More", exact=True).click()
    panel.get_by_label("Each").check()
    panel.get_by_label("Timeout seconds").fill("12.5")
    await_settings(
        stack,
        slug,
        "call",
        {
            "url": ADDRESS,
            "each": True,
            "timeoutSeconds": 12.5,
        },
    )

    panel.get_by_label("Each").uncheck()
    panel.get_by_label("Timeout seconds").fill("")
    await_settings(stack, slug, "call", {"url": ADDRESS})


def test_a_word_typed_at_once_is_undone_at_once(page: Page, stack: RunningStack) -> None:
    _, panel = settings_of(page, stack, "Steps", node("text", "textBox"), node("note", "note"))

    text = panel.get_by_label("Text", exact=True)
    text.press_sequentially("Hello")
    page.get_by_role("button", name="Undo").click()
    expect(text).to_have_value("")
    page.get_by_role("button", name="Redo").click()
    expect(text).to_have_value("Hello")


def test_a_problem_stands_beside_its_setting(page: Page, stack: RunningStack) -> None:
    _, panel = settings_of(page, stack, "Problems", node("text", "textBox", text="Hi"))

    panel.get_by_label("Text", exact=True).fill("Hi {{ a b }}")
    expect(panel.get_by_text("is not a placeholder")).to_be_visible()
    expect(panel.get_by_label("Text", exact=True)).to_have_attribute("aria-invalid", "true")


def test_a_placeholder_is_completed_and_wired(page: Page, stack: RunningStack) -> None:
    slug, panel = settings_of(page, stack, "Completion", node("text", "textBox"), FORM)

    text = panel.get_by_label("Text", exact=True)
    text.press_sequentially("Dear {{")
    expect(panel.get_by_role("option", name="name wires form")).to_be_visible()
    text.press_sequentially("na")
    text.press("Enter")
    expect(text).to_have_value("Dear {{ name }}")
    expect(panel.get_by_role("list", name="Placeholders")).to_contain_text("namefrom form · name")
    text.press_sequentially("!")
    await_settings(stack, slug, "text", {"text": "Dear {{ name }}!"})
    assert [(each["source"], each["targetHandle"]) for each in draft(stack, slug)["edges"]] == [
        ("form", "name")
    ]


def test_a_placeholder_is_wired_with_one_press_where_its_field_is_meant_for_sure(
    page: Page, stack: RunningStack
) -> None:
    fields = [
        {"name": "product", "type": "text"},
        {"name": "tone", "type": "pills", "options": ["calm", "lively"]},
    ]
    _, panel = settings_of(
        page,
        stack,
        "One press",
        node("text", "textBox", text="{{ tone }} {{ other }}"),
        node("form", "requestInput", fields=fields),
    )

    tone, other = panel.get_by_role("list", name="Placeholders").get_by_role("listitem").all()
    expect(tone).to_have_text("tonenot wiredWire to form · tone")
    expect(other.get_by_role("button")).to_have_count(0)
    expect(other.get_by_label("Wire other to").get_by_role("option")).to_have_text(
        ["Wire to…", "form · tone (any)", "form · params (any)", "form · product (text)"]
    )
    tone.get_by_role("button").click()
    expect(tone).to_have_text("tonefrom form · tone")
    expect(page.locator(".react-flow__edge")).to_have_count(1)


def test_the_place_of_a_fault_in_an_expression_is_shown(page: Page, stack: RunningStack) -> None:
    _, panel = settings_of(
        page, stack, "Faults", node("calc", "transform", expression="value\n  + + 1")
    )

    panel.get_by_role("button", name="Go to line 2, column 5").click()
    area = panel.get_by_label("Expression", exact=True)
    assert area.evaluate("each => each.selectionStart") == len("value\n  + ")


def test_a_function_is_inserted_at_the_caret(page: Page, stack: RunningStack) -> None:
    slug, panel = settings_of(
        page, stack, "Functions", node("calc", "transform", expression="value")
    )

    area = panel.get_by_label("Expression", exact=True)
    area.press("End")
    panel.get_by_text("Functions", exact=True).click()
    panel.get_by_label("Search functions").fill("distinct")
    panel.get_by_role("button", name="Insert list.distinct()").click()
    expect(area).to_have_value("value.distinct()")
    await_settings(stack, slug, "calc", {"expression": "value.distinct()"})


def test_rows_of_cases_keep_the_wires_of_a_renamed_one(page: Page, stack: RunningStack) -> None:
    slug = save_draft(
        stack,
        "Cases",
        [
            node("route", "switch", cases=[{"name": "big", "when": "value > 9.0"}]),
            node("result", "responseOutput"),
        ],
        wire("route.big", "result.result-in"),
    )
    panel = open_settings(page, slug, "route")

    panel.get_by_label("Name of case 1").fill("large")
    panel.get_by_role("button", name="Add a case").click()
    panel.get_by_label("Condition of case case").fill("value < 0.0")
    await_settings(
        stack,
        slug,
        "route",
        {
            "cases": [
                {"name": "large", "when": "value > 9.0"},
                {"name": "case", "when": "value < 0.0"},
            ]
        },
    )
    assert draft(stack, slug)["edges"][0]["sourceHandle"] == "large"


def test_items_are_added_excluded_and_put_in_order(page: Page, stack: RunningStack) -> None:
    slug, panel = settings_of(page, stack, "Items", node("list", "list"))

    panel.get_by_text("Add several").click()
    panel.get_by_label("Items, one on each line").fill("one\ntwo\nthree")
    panel.get_by_role("button", name="Add 3 items").click()
    panel.get_by_label("Item 2, included").uncheck()
    panel.get_by_role("button", name="Reorder item 3").press("ArrowUp")
    panel.get_by_role("button", name="Remove item 1").click()
    await_settings(
        stack,
        slug,
        "list",
        {
            "items": [
                {"value": "three"},
                {"value": "two", "included": False},
            ]
        },
    )


def test_a_file_is_stored_and_the_kind_follows_it(page: Page, stack: RunningStack) -> None:
    slug, panel = settings_of(page, stack, "Files", node("photo", "upload", kind="video"))
    picture = BytesIO()
    Image.new("RGB", (40, 30), "teal").save(picture, "PNG")

    panel.get_by_label("Asset").set_input_files(
        {"name": "mug.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    )
    expect(panel.get_by_role("button", name="View Asset")).to_be_visible()
    expect(panel.get_by_label("Kind")).to_have_value("")
    panel.get_by_role("button", name="Remove the file").click()
    await_settings(stack, slug, "photo", {"kind": "image"})


def test_a_secret_is_made_in_its_place(page: Page, stack: RunningStack) -> None:
    slug, panel = settings_of(page, stack, "Secrets", node("call", "httpRequest", url=ADDRESS))

    panel.get_by_label("Kind of authorization").select_option("Bearer token")
    panel.get_by_role("button", name="New secret").click()
    form = panel.get_by_role("form", name="Secret")
    form.get_by_label("Secret name").fill("made_here")
    form.get_by_label("Value").fill("s3cret-value")
    form.get_by_label("Only sent to").fill("api.example.com")
    form.get_by_role("button", name="Save").click()
    expect(panel.get_by_role("combobox", name="Secret")).to_have_value("MADE_HERE")
    [secret] = [
        each for each in page.request.get("/api/secrets").json() if each["name"] == "MADE_HERE"
    ]
    assert secret["hosts"] == ["api.example.com"]
    await_settings(
        stack, slug, "call", {"url": ADDRESS, "auth": {"type": "bearer", "secret": "MADE_HERE"}}
    )
    assert "s3cret-value" not in page.content()


def test_a_secret_is_completed_in_a_header(
    page: Page, stack: RunningStack, page_secret: str
) -> None:
    slug, panel = settings_of(page, stack, "Headers", node("call", "httpRequest", url=ADDRESS))

    panel.get_by_role("button", name="Add a header").click()
    panel.get_by_label("Name of header 1").fill("X-Key")
    value = panel.get_by_label("Value of header X-Key")
    value.press_sequentially("{{secret")
    panel.get_by_role("option", name=page_secret).click()
    expect(value).to_have_value(f"{{{{ secret.{page_secret} }}}}")
    await_settings(
        stack,
        slug,
        "call",
        {"url": ADDRESS, "headers": {"X-Key": f"{{{{ secret.{page_secret} }}}}"}},
    )


@pytest.fixture
def page_secret(page: Page) -> str:
    """The name of a secret that the account has."""
    page.goto("/")
    status = page.evaluate(
        """() => fetch("/api/secrets/ON_PAGES", {method: "PUT", body: '{"value": "long enough"}',
        headers: {"content-type": "application/json"}}).then((answer) => answer.status)"""
    )
    assert status == 200
    return "ON_PAGES"


def test_a_schema_is_made_from_an_example(page: Page, stack: RunningStack) -> None:
    slug, panel = settings_of(page, stack, "Schemas", node("model", "assistant", model="gpt"))

    panel.get_by_text("From an example").click()
    panel.get_by_label("Example of an answer").fill('{"title": "Mug", "tags": ["tea"]}')
    panel.get_by_role("button", name="Use as JSON Schema").click()
    await_settings(
        stack,
        slug,
        "model",
        {
            "model": "gpt",
            "jsonSchema": {
                "type": "object",
                "properties": {
                    "title": {"type": "string"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["title", "tags"],
                "additionalProperties": False,
            },
        },
    )
    panel.get_by_label("JSON Schema", exact=True).fill("{")
    expect(panel.get_by_text("This is not JSON")).to_be_visible()
