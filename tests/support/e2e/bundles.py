"""Functions of the pages alone, in an empty page."""

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.ui import build_pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def open_functions(browser: "Browser", entry: Path, name: str, folder: Path) -> "Page":
    """Open an empty page in which `name` has what a module of TypeScript exports."""
    node = build_pages.installed_node()
    bundler = build_pages.SOURCES / "node_modules" / "rolldown" / "bin" / "cli.mjs"
    assert node is not None, "`make e2e` installs Node"
    assert bundler.is_file(), "`make pages` installs the packages of the pages"
    bundle = folder / f"{name}.js"
    options = ("--format", "iife", "--name", name, "--file", str(bundle))
    subprocess.run([node, bundler, entry, *options], check=True, timeout=60, capture_output=True)
    page = browser.new_page()
    page.evaluate(f"() => {{ {bundle.read_text()}; globalThis.{name} = {name}; }}")
    return page
