"""Steps of tests on the canvas."""

import json
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack

MODIFIER = "Control"


def open_editor(page: Page, slug: str, node: str = "result") -> None:
    """Open a workflow, and wait for a node."""
    page.goto(f"/app/editor/{slug}")
    card(page, node).wait_for()


def canvas(page: Page) -> Locator:
    """Return the drawing."""
    return page.get_by_role("region", name="Canvas")


def card(page: Page, node: str) -> Locator:
    """Return the card of a node, by its id."""
    return page.locator(f'.react-flow__node[data-id="{node}"]')


def cards(page: Page) -> Locator:
    """Return the cards of all nodes."""
    return page.locator(".react-flow__node")


def wires(page: Page) -> Locator:
    """Return all wires."""
    return page.locator(".react-flow__edge")


def socket(page: Page, node: str, name: str) -> Locator:
    """Return a handle, by the name of its socket."""
    return card(page, node).locator(f'[data-socket="{name}"]')


def pick(page: Page, node: str) -> None:
    """Choose a node by a click on its head."""
    card(page, node).locator("header").click()


def press(page: Page, *keys: str) -> None:
    """Press keys one after the other."""
    for key in keys:
        page.keyboard.press(key)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag with the pointer, in steps as a hand does."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def middle(place: Locator) -> tuple[float, float]:
    """Return the middle of an element in the window."""
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drop_on_canvas(page: Page, start: Locator, x: float, y: float) -> None:
    """Drag from an element to a place of the canvas."""
    box = canvas(page).bounding_box()
    assert box is not None
    drag(page, middle(start), (box["x"] + x, box["y"] + y))


def drafted(
    page: Page, stack: RunningStack, slug: str, check: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Wait until the saved draft passes a check, and return it.

    Where there is no draft, that is the published document.
    """
    document: dict[str, Any] = {}
    for _ in range(100):
        status, document = stack.api("GET", f"/api/workflows/{slug}/draft")
        if status == 404:
            status, document = stack.api("GET", f"/api/workflows/{slug}")
        if status == 200 and check(document):
            return document
        page.wait_for_timeout(100)
    raise AssertionError(f"The draft stays as it is: {json.dumps(document)[:2000]}")


def ids(document: dict[str, Any]) -> list[str]:
    """Return the ids of a document's nodes."""
    return [node["id"] for node in document["nodes"]]


def ends(document: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return source, output, target and input of each edge."""
    return [
        (edge["source"], edge["sourceHandle"], edge["target"], edge["targetHandle"])
        for edge in document["edges"]
    ]


def position(document: dict[str, Any], node: str) -> tuple[float, float]:
    """Return where a node is."""
    [found] = [each["position"] for each in document["nodes"] if each["id"] == node]
    return found["x"], found["y"]


def expect_toast(page: Page, text: str | re.Pattern[str]) -> None:
    """Wait for a message."""
    expect(page.locator(".toast").filter(has_text=text)).to_be_visible()
