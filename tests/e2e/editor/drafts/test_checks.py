"""Checks while one draws: a refusal by the rate limit is waited for, without a word."""

import re
import time

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.drafts import create, forget, with_text, write
from tests.support.e2e.editor import open_editor

pytestmark = pytest.mark.slow

REFUSED = 3


def test_a_check_too_many_comes_again_after_the_wait_that_the_answer_names(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    slug = create(stack, "Refused checks")
    write(stack, slug, with_text("Two {{ nobody }}", "Refused checks"))
    times: list[float] = []

    def answer(route: Route) -> None:
        times.append(time.monotonic())
        if len(times) > REFUSED:
            return route.continue_()
        return route.fulfill(
            status=429,
            headers={"retry-after": "1"},
            json={"error": "Rate limit exceeded", "code": "RATE_LIMIT_EXCEEDED"},
        )

    page.route("**/api/workflows/check", answer)
    open_editor(page, slug)

    expect(page.get_by_role("button", name=re.compile(r"^2 problems"))).to_be_visible(
        timeout=20_000
    )
    assert page.get_by_role("alert").all_text_contents() == []
    assert page.get_by_text("Rate limit").count() == 0
    pauses = [after - before for before, after in zip(times, times[1:], strict=False)]
    assert len(pauses) == REFUSED and min(pauses) > 0.9
    forget(complaints)
