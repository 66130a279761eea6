"""Debian's Chromium, signed in to a watched stack."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.support.dashboards.screenshot import find_browser
from tests.support.observability.stack import ObservedStack

if TYPE_CHECKING:
    from playwright.sync_api import Page

QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
PATIENCE_MS = 60_000
WIDTH, HEIGHT = 1_280, 800


@contextlib.contextmanager
def signed_in_page(stack: ObservedStack) -> Iterator["Page"]:
    """Yield a page of a browser that is signed in to the account of the traffic."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(QUIET))
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.set_default_timeout(PATIENCE_MS)
        words = ("login-link", "--account", stack.account_id)
        done = stack.fleet.command(*words, HEADRACE_PUBLIC_URL=stack.url)
        assert done.returncode == 0, done.stderr
        page.goto(done.stdout.split()[0])
        yield page
        browser.close()
