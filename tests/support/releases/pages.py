"""Pages of releases as the rules for every page open them, with what they show."""

import json
import math
import random
from collections.abc import Callable, Mapping

import redis
from playwright.sync_api import Page

from deploy.stack.location import read_private
from engine.releases.run_counts import WIDTH
from engine.store.redis import keyspace
from engine.store.releases.keys import ALIASES, canary_counts
from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.drafts import with_text
from tests.support.releases.workflows import publish, set_alias, versions

NAME = "Product letters"
SLUG = "product-letters"
RULE = {"percent": 5, "maxErrorRate": 0.05, "maxP95Ms": 4_000}
SIDES = {"c": (68, 2, 1_050), "l": (1_291, 12, 900)}
"""By side of the canary: runs, failed ones, and the median of their time in milliseconds."""


def prepare_releases(stack: RunningStack) -> None:
    """Publish three versions; the last is a canary that has had some runs."""
    versions(stack, NAME, "Dear {{ name }}", "Good day {{ name }}")
    set_alias(stack, SLUG, "stable", version=1)
    set_alias(stack, SLUG, "stable", version=2)
    document = with_text("Hello {{ name }}, how are you?", NAME)
    publish(stack, SLUG, document, canary=RULE, note="Asks how they are")
    stack.api("PUT", f"/api/workflows/{SLUG}/draft", with_text("Hello {{ name }}.", NAME))
    account_id = str(read_private(stack.data_dir / "demo.json")["accountId"])
    fill_canary(stack.redis_url, account_id)


def fill_canary(redis_url: str, account_id: str) -> None:
    """Count runs of both sides of the canary, as if callers had made them."""
    chance = random.Random(5)
    with redis.Redis.from_url(redis_url) as client:
        kept = client.hget(keyspace.workflow(account_id, SLUG), ALIASES)
        assert isinstance(kept, bytes)
        canary_id = json.loads(kept)["live"]["canary"]["id"]
        key = canary_counts(account_id, SLUG)
        for side, (runs, failed, median_ms) in SIDES.items():
            client.hset(key, f"{canary_id}:{side}:failed", str(failed))
            for _ in range(runs):
                duration_ms = median_ms * math.exp(chance.gauss(0, 0.45))
                bucket = math.floor(math.log(duration_ms, WIDTH))
                client.hincrby(key, f"{canary_id}:{side}:{bucket}", 1)


def show_releases(page: Page) -> None:
    page.goto(f"/app/workflows/{SLUG}/releases")
    page.get_by_role("table", name="Canary of live").wait_for()
    stable = page.get_by_role("article", name="stable")
    stable.get_by_text("History").click()
    stable.get_by_role("list", name="History of stable").wait_for()
    page.evaluate("scrollTo(0, 0)")


def show_new_canary(page: Page) -> None:
    page.goto(f"/app/workflows/{SLUG}/releases")
    stable = page.get_by_role("article", name="stable")
    stable.get_by_role("button", name="Begin a canary").click()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()


def show_publish_canary(page: Page) -> None:
    page.goto(f"/app/editor/{SLUG}")
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_role("radio", name="As a canary").check()


RELEASE_PAGES: Mapping[str, Callable[[Page], None]] = {
    "releases": show_releases,
    "new-canary": show_new_canary,
}
PUBLISH_PAGES: Mapping[str, Callable[[Page], None]] = {"publish-canary": show_publish_canary}
"""Pages that load the editor, which is larger."""
