"""Models in tests of their pages."""

import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from playwright.sync_api import expect

from tests.support.manifests import manifest

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

COMMENT = "# The price was seen in 2026."


def unused_name() -> str:
    """Return an internal name that no model has."""
    return f"m-{uuid4().hex[:10]}"


def commented(name: str, title: str = "A model") -> str:
    """Return a manifest with comments, and spaces that no writer of TOML would make."""
    text = manifest(name).replace('"A model"', f'"{title}"')
    return f"# Made by hand.\n{text.replace('usd = ', f'{COMMENT}{chr(10)}usd   =   ')}"


def save(page: "Page", text: str, name: str | None = None) -> dict[str, Any]:
    """Save a manifest as another browser of the account would; `name`: the next version."""
    if not page.url.startswith("http"):
        page.goto("/app/models")
    origin = page.evaluate("location.origin")
    path = "/api/models" if name is None else f"/api/models/{name}"
    method = page.request.post if name is None else page.request.put
    answer = method(path, data={"manifest": text}, headers={"origin": origin})
    assert answer.ok, answer.text()
    saved: dict[str, Any] = answer.json()
    return saved


def open_manifest(page: "Page", name: str) -> "Locator":
    """Open the editor of a model; return the field with its TOML."""
    page.goto(f"/app/models/{name}?tab=manifest")
    area = toml(page)
    expect(area).to_have_value(_named(name))
    return area


def toml(page: "Page") -> "Locator":
    """Return the field with the TOML."""
    return page.get_by_role("textbox", name="Manifest as TOML")


def form(page: "Page") -> "Locator":
    """Return the form of the manifest."""
    return page.get_by_role("region", name="Form")


def problems(page: "Page") -> "Locator":
    """Return the list of problems."""
    return page.get_by_role("list", name="Problems")


def _named(name: str) -> re.Pattern[str]:
    return re.compile(rf'internalName = "{re.escape(name)}"')
