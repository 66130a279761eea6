"""Values of nodes in the editor: beside the settings, pinned, of parts of runs, of two runs."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import asking, greeting

pytestmark = pytest.mark.slow


@pytest.fixture
def slug(stack: RunningStack) -> str:
    """A workflow that greets Ada, and has run once by the API."""
    _, created = stack.api("POST", "/api/workflows", greeting("Side by side"))
    stack.api("POST", f"/api/workflows/{created['slug']}/run", {"inputs": {"name": "Grace"}})
    return str(created["slug"])


def open_editor(page: Page, slug: str) -> None:
    page.goto(f"/app/editor/{slug}")
    page.get_by_role("article", name="Response Output result").wait_for()


def node(page: Page, node_id: str) -> Locator:
    return page.locator(f".react-flow__node[data-id={node_id}]")


def open_values(page: Page, node_id: str) -> Locator:
    node(page, node_id).locator("header").click()
    page.get_by_role("button", name="Values").click()
    return page.get_by_role("dialog")


def run(page: Page) -> None:
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status", name="Run")).to_contain_text("The run is completed")


def draft(stack: RunningStack, slug: str) -> dict[str, Any]:
    _, document = stack.api("GET", f"/api/workflows/{slug}/draft")
    return dict(document)


def test_input_settings_and_output_stand_side_by_side_with_values_of_any_run(
    page: Page, slug: str
) -> None:
    open_editor(page, slug)
    run(page)

    values = open_values(page, "text")

    expect(values.get_by_role("region", name="Input")).to_contain_text("Ada")
    expect(values.get_by_role("region", name="Output")).to_contain_text("Hello Ada!")
    expect(
        values.get_by_role("region", name="Settings").get_by_label("Text", exact=True)
    ).to_be_visible()
    choice = values.get_by_label("Values of")
    expect(choice.get_by_role("option")).to_have_count(2)
    choice.select_option(index=1)
    expect(values.get_by_role("region", name="Output")).to_contain_text("Hello Grace!")


def test_a_large_value_is_shown_by_a_link(page: Page, stack: RunningStack) -> None:
    document = greeting("Large outputs")
    document["nodes"][0]["data"]["fields"][0]["default"] = "x" * 9_000
    document["nodes"][1]["data"]["text"] = "{{ name }}" * 8
    _, created = stack.api("POST", "/api/workflows", document)
    open_editor(page, created["slug"])
    run(page)

    values = open_values(page, "text")

    link = values.get_by_role("link", name="Open the whole value (71 KiB)")
    address = link.get_attribute("href")
    assert address
    assert len(page.request.get(address).json()) == 72_000


def test_a_pinned_output_is_edited_and_taken_in_place_of_a_run(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)
    run(page)
    values = open_values(page, "text")
    values.get_by_role("button", name="Pin output").click()

    values.get_by_label("Pinned text-out").fill("Pinned by hand")
    values.get_by_role("button", name="Close").click()
    expect(node(page, "text")).to_contain_text("Pinned")
    run(page)

    page.get_by_role("region", name="Result").get_by_text("Pinned by hand").wait_for()
    assert draft(stack, slug)["editor"]["pinned"] == {"text": {"text-out": "Pinned by hand"}}
    stack.api("POST", f"/api/workflows/{slug}/publish", {})
    _, answer = stack.api("POST", f"/api/workflows/{slug}/run", {"inputs": {}})
    assert answer["result"] == {"text": "Hello Ada!"}


def test_outputs_of_many_nodes_are_pinned_and_unpinned_together(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)
    run(page)
    node(page, "form").locator("header").click()
    node(page, "text").locator("header").click(modifiers=["Control"])

    page.get_by_role("button", name="Pin 2 outputs").click()

    expect(node(page, "form")).to_contain_text("Pinned")
    expect(node(page, "text")).to_contain_text("Pinned")
    page.get_by_role("button", name="Unpin 2 outputs").click()
    expect(node(page, "text")).not_to_contain_text("Pinned")


def test_one_node_runs_with_what_the_last_run_gave_it(page: Page, stack: RunningStack) -> None:
    document = asking("One node", "gpt-mini", "text-out", "A kettle")
    text = {"text": "Answer: {{ answer }}"}
    document["nodes"].append(
        {"id": "text", "type": "textBox", "position": {"x": 640, "y": 200}, "data": text}
    )
    ends = {"sourceHandle": "text-out", "targetHandle": "answer"}
    document["edges"].append({"id": "wire", "source": "model", "target": "text", **ends})
    _, created = stack.api("POST", "/api/workflows", document)
    open_editor(page, created["slug"])
    run(page)
    node(page, "text").locator("header").click()

    page.get_by_role("button", name="Run this node").click()

    expect(node(page, "model")).to_contain_text("Not run again")
    expect(node(page, "text")).to_contain_text("Answer: ")
    expect(node(page, "result")).not_to_have_attribute("data-status", "completed")


def test_a_run_from_a_node_takes_what_is_before_it_from_the_last_run(
    page: Page, stack: RunningStack
) -> None:
    document = asking("From here", "gpt-mini", "text-out", "A kettle")
    _, created = stack.api("POST", "/api/workflows", document)
    open_editor(page, created["slug"])
    run(page)
    expect(node(page, "model")).to_contain_text("credit")
    node(page, "result").locator("header").click()

    page.get_by_role("button", name="Run from here").click()

    expect(node(page, "model")).to_contain_text("Not run again")
    expect(node(page, "result")).to_have_attribute("data-status", "completed")


def test_two_runs_are_compared_and_differences_marked(page: Page, slug: str) -> None:
    open_editor(page, slug)
    run(page)
    page.get_by_role("button", name="Compare two runs").click()

    comparison = page.get_by_role("dialog", name="Compare two runs")
    row = comparison.get_by_role("row").filter(has=page.get_by_role("rowheader", name="text"))
    expect(row).to_contain_text("differ")
    row.get_by_role("button", name="Show").click()
    expect(comparison.get_by_role("region", name="Outputs in run A")).to_contain_text("Grace")
    expect(comparison.get_by_role("region", name="Outputs in run B")).to_contain_text("Ada")


def test_an_expression_is_tried_over_the_last_run_as_one_types(
    page: Page, stack: RunningStack
) -> None:
    document = greeting("Try expressions")
    expression = {"expression": "value"}
    document["nodes"][1] = {**document["nodes"][1], "type": "transform", "data": expression}
    document["edges"][0]["targetHandle"] = "value-in"
    document["edges"][1]["sourceHandle"] = "value-out"
    _, created = stack.api("POST", "/api/workflows", document)
    open_editor(page, created["slug"])
    run(page)
    node(page, "text").locator("header").click()
    result = page.get_by_role("region", name="Result over the last run")
    expect(result).to_contain_text("Ada")

    page.get_by_label("Expression", exact=True).fill("value + ' Lovelace'")

    expect(result).to_contain_text("Ada Lovelace")
    page.get_by_label("Expression", exact=True).fill("value.name")
    expect(result).to_contain_text("The expression")


def test_the_parsed_answer_of_an_assistant_goes_on_where_a_schema_is_set(
    page: Page, stack: RunningStack
) -> None:
    document = asking("Parsed answers", "gpt-mini", "json-out", "Who?")
    document["draft"] = True
    model, name = document["nodes"][1], {"enum": ["Ada"]}
    schema = {"type": "object", "properties": {"name": name}, "required": ["name"]}
    model.update(type="assistant", data={"model": "gpt-mini"})
    expression = {"expression": "value.name + ' Lovelace'"}
    document["nodes"].append(
        {"id": "next", "type": "transform", "position": {"x": 640, "y": 240}, "data": expression}
    )
    document["edges"][1].update(target="next", targetHandle="value-in")
    ends = {"sourceHandle": "value-out", "targetHandle": "result-in"}
    document["edges"].append({"id": "end", "source": "next", "target": "result", **ends})
    _, created = stack.api("POST", "/api/workflows", document)
    open_editor(page, created["slug"])
    page.get_by_role("button", name="1 problem").click()
    expect(page.get_by_role("region", name=re.compile("Wire from model"))).to_contain_text(
        "where 'jsonSchema' is set"
    )

    model["data"]["jsonSchema"] = schema
    stack.api("PUT", f"/api/workflows/{created['slug']}/draft", document)
    open_editor(page, created["slug"])
    run(page)

    expect(node(page, "next")).to_contain_text("Ada Lovelace")
