"""Aliases and canaries in tests of the pages."""

from typing import Any

from playwright.sync_api import Locator, Page

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.drafts import with_text
from tests.support.e2e.workflows import edge, greeting, node

RULE = {"percent": 50, "minRuns": 4, "maxErrorRate": 0.25}


def versions(stack: RunningStack, name: str, *texts: str) -> str:
    """Publish one version for each text; return the slug of the workflow."""
    status, made = stack.api("POST", "/api/workflows", with_text(texts[0], name))
    assert status == 201, made
    slug = str(made["slug"])
    for text in texts[1:]:
        publish(stack, slug, with_text(text, name))
    return slug


def publish(stack: RunningStack, slug: str, document: dict[str, Any], **how: Any) -> int:
    """Publish a document, and return the number of its version."""
    status, answer = stack.api("PUT", f"/api/workflows/{slug}/draft", document)
    assert status == 200, answer
    status, answer = stack.api("POST", f"/api/workflows/{slug}/publish", {"force": True, **how})
    assert status == 200, answer
    return int(answer["version"])


def failing(name: str) -> dict[str, Any]:
    """Return a workflow whose runs fail."""
    document = greeting(name)
    document["nodes"].insert(2, node("sum", "transform", 2, expression="value.missing"))
    document["edges"][1:] = [
        edge("text", "text-out", "sum", "value-in"),
        edge("sum", "value-out", "result", "result-in"),
    ]
    return document


def set_alias(stack: RunningStack, slug: str, name: str, **members: Any) -> None:
    """Set an alias."""
    status, answer = stack.api("PUT", f"/api/workflows/{slug}/aliases/{name}", members)
    assert status in (200, 201), answer


def alias(stack: RunningStack, slug: str, name: str = "live") -> dict[str, Any] | None:
    """Return an alias; None: there is none."""
    _, found = stack.api("GET", f"/api/workflows/{slug}/aliases")
    return next((each for each in found["rows"] if each["name"] == name), None)


def run_with(stack: RunningStack, slug: str, count: int, version: str = "") -> list[int]:
    """Run a workflow repeatedly, and return the versions that ran."""
    path = f"/api/workflows/{slug}/run" + (f"?version={version}" if version else "")
    answers = [stack.api("POST", path, {"inputs": {"name": "Ada"}})[1] for _ in range(count)]
    ids = [each["executionId"] for each in answers]
    return [int(stack.ended(each)["workflowVersion"]) for each in ids]


def run_in_canary(stack: RunningStack, slug: str, count: int, canary: int) -> None:
    """Run a workflow until the canary has had so many runs, or is there no more."""
    for _ in range(100 * count):
        count -= run_with(stack, slug, 1) == [canary]
        found = alias(stack, slug)
        if count <= 0 or not (found and found["canary"]):
            return
    raise AssertionError(f"version {canary} has got too few runs")


def open_releases(page: Page, slug: str) -> None:
    """Open the page of the releases of a workflow."""
    page.goto(f"/app/workflows/{slug}/releases")
    page.get_by_role("article", name="live").wait_for()


def shown_alias(page: Page, name: str = "live") -> Locator:
    """Return the panel of an alias."""
    return page.get_by_role("article", name=name, exact=True)
