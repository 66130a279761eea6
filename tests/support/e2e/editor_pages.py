"""States of the editor that are checked and pictured as pages are."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.items import asked, for_each
from tests.support.e2e.workflows import asking, greeting

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROWS, COLUMNS = 3, 6
PRODUCTS = ["a mug", "a pan", "a lamp", "[[stub fail=400]] a chair", "a table", "a clock"]
PROMPT = "A {{ tone }} line about {{ product }}"


def prepare(stack: RunningStack) -> None:
    """Create the workflows that the pages show."""
    empty = {"name": "Nothing yet", "nodes": [], "edges": [], "draft": True}
    failing = asking("Bound to fail", "gpt-mini", "text-out", "[[stub fail=400]] A mug")
    documents = (empty, twenty_nodes("Twenty nodes"), greeting("To compare"), greeting("At odds"))
    items = for_each("Lines for products", asked(), onItemError="skip")
    for document in (*documents, failing, items):
        stack.api("POST", "/api/workflows", document)


def refund_after_approval(stack: RunningStack) -> None:
    """Have an agent refund an order, which a person approves."""
    inputs = {"mail": "The lid of order 1042 is broken. Please refund it."}
    path = "/api/workflows/support-agent/run?async=true"
    begun = str(stack.api("POST", path, {"inputs": inputs})[1]["executionId"])
    [asked] = stack.waiting(begun)["waitingFor"]
    path = f"/api/executions/{asked['executionId']}/approvals/{asked['nodeId']}"
    status, _ = stack.api("POST", path, {"decision": "approve", "note": "Seen the picture."})
    assert status == 200
    stack.ended(begun)


def twenty_nodes(name: str) -> dict[str, Any]:
    """Return a form, three rows of six nodes and a result, all wired."""
    fields = [
        {"name": each, "label": each.title(), "type": "text", "required": True}
        for each in ("product", "tone")
    ]
    nodes = [_node("form", "requestInput", 0, 1, fields=fields)]
    edges: list[dict[str, str]] = []
    kinds: list[tuple[str, str, str, str, dict[str, Any]]] = [
        ("prompt", "textBox", "", "text-out", {"text": PROMPT}),
        ("words", "assistant", "prompt-in", "text-out", {"model": "gpt-mini"}),
        ("shape", "transform", "value-in", "value-out", {"expression": "value + '.'"}),
        ("image", "imageGenerator", "prompt-in", "image-out", {"model": "gpt-image"}),
        ("small", "imageResize", "image-in", "image-out", {"width": 640}),
        ("kept", "list", "items-in", "items-out", {"kind": "image"}),
    ]
    for row in range(ROWS):
        before, output = "form", ""
        for column, (stem, kind, into, out, data) in enumerate(kinds, 1):
            node_id = f"{stem}-{row + 1}"
            nodes.append(_node(node_id, kind, column, row, **data))
            wires = [(output, into)] if into else [("product", "product"), ("tone", "tone")]
            edges += [_edge(before, source, node_id, target) for source, target in wires]
            before, output = node_id, out
        edges.append(_edge(before, output, "result", "result-in"))
    nodes.append(_node("result", "responseOutput", COLUMNS + 1, 1))
    return {"name": name, "nodes": nodes, "edges": edges}


def show_editor(page: "Page") -> None:
    _open(page, "greeting-letter", "letter")


def show_empty_canvas(page: "Page") -> None:
    page.goto("/app/editor/nothing-yet")
    page.get_by_text("Drag a node here").wait_for()


def show_twenty_nodes(page: "Page") -> None:
    _open(page, "twenty-nodes", "result")


def show_difference(page: "Page") -> None:
    changed = greeting("To compare")
    changed["nodes"][1]["data"]["text"] = "Good day, dear {{ name }}!"
    changed["nodes"].append(_node("shout", "transform", 1, 1, expression="value.upperAscii()"))
    changed["edges"].append(_edge("text", "text-out", "shout", "value-in"))
    _write(page, "to-compare", changed)
    _open(page, "to-compare", "result")
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_role("dialog").get_by_role("region", name="Nodes").wait_for()


def show_conflict(page: "Page") -> None:
    _open(page, "at-odds", "text")
    _card(page, "text").click()
    field = page.get_by_role("region", name="Settings").get_by_label("Text", exact=True)
    theirs = greeting("At odds")
    theirs["nodes"][1]["data"]["text"] = "Good morning {{ name }}!"
    field.fill("Good evening {{ name }}!")
    _write(page, "at-odds", theirs)
    page.get_by_role("dialog", name="Conflict").wait_for()


def run_in_editor(page: "Page") -> None:
    _open(page, "product-notes", "text")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("region", name="Run").get_by_label("Title").fill("A warm mug")
    page.get_by_role("button", name="Run the draft").click()
    page.get_by_role("region", name="Result").get_by_text("completed").wait_for()


def show_failed_run(page: "Page") -> None:
    _open(page, "bound-to-fail", "model")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Run the draft").click()
    page.locator("[data-id=model][data-status=failed]").wait_for()


def show_node_values(page: "Page") -> None:
    run_in_editor(page)
    page.get_by_role("region", name="Result").get_by_role("button", name="text").click()
    page.get_by_role("region", name="Output").get_by_text("A warm mug").wait_for()


def show_comparison(page: "Page") -> None:
    run_in_editor(page)
    page.get_by_role("button", name="Compare two runs").click()
    page.get_by_role("dialog").get_by_role("button", name="Show").first.click()


def show_items(page: "Page") -> None:
    _open(page, "lines-for-products", "rows")
    page.get_by_role("button", name="Run", exact=True).click()
    panel = page.get_by_role("region", name="Run")
    panel.get_by_label("Words").fill(json.dumps(PRODUCTS))
    panel.get_by_role("button", name="Run the draft").click()
    _card(page, "rows").get_by_text(f"{len(PRODUCTS)} items, 1 failed").wait_for()


def show_item_inside(page: "Page") -> None:
    show_items(page)
    _card(page, "rows").get_by_title("Show the values").click()
    page.get_by_role("dialog").get_by_role("button", name="Item 3", exact=True).click()
    page.locator("[data-id=model][data-status=failed]").wait_for()


def show_agent(page: "Page") -> None:
    _open(page, "support-agent", "agent")
    _card(page, "agent").locator("header").click()
    tools = page.get_by_role("region", name="Settings").locator("[data-field=tools]")
    tools.get_by_text("Looks an order up").wait_for()
    tools.scroll_into_view_if_needed()
    page.locator("[data-field=approve]").scroll_into_view_if_needed()


EDITOR_PAGES: dict[str, Callable[["Page"], None]] = {
    "editor": show_editor,
    "editor-empty": show_empty_canvas,
    "editor-large": show_twenty_nodes,
    "editor-difference": show_difference,
    "editor-conflict": show_conflict,
    "editor-run": run_in_editor,
    "editor-failed": show_failed_run,
    "editor-values": show_node_values,
    "editor-comparison": show_comparison,
    "editor-agent": show_agent,
    "editor-items": show_items,
    "editor-item": show_item_inside,
}


def _open(page: "Page", slug: str, node: str) -> None:
    page.goto(f"/app/editor/{slug}")
    _card(page, node).wait_for()


def _card(page: "Page", node: str) -> Any:
    return page.locator(f'.react-flow__node[data-id="{node}"]')


def _write(page: "Page", slug: str, document: dict[str, Any]) -> None:
    """Write a draft as another browser of the account would."""
    origin = page.evaluate("location.origin") if page.url.startswith("http") else None
    if origin is None:
        page.goto("/")
        origin = page.evaluate("location.origin")
    answer = page.request.put(
        f"/api/workflows/{slug}/draft", data=document, headers={"origin": origin}
    )
    assert answer.ok, answer.text()


def _node(node_id: str, kind: str, column: int, row: int, /, **data: Any) -> dict[str, Any]:
    position = {"x": column * 320, "y": row * 280}
    return {"id": node_id, "type": kind, "position": position, "data": data}


def _edge(source: str, out: str, target: str, into: str) -> dict[str, str]:
    ends = {"source": source, "sourceHandle": out, "target": target, "targetHandle": into}
    return {"id": f"{source}.{out}-{target}.{into}", **ends}
