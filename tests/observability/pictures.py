"""`python -m tests.observability.pictures`: the pictures of traces in `docs/operate/watch`.

A stack sends its spans to a real collector, which draws a run with a child, a call that is tried
again and a webhook; then a provider fails, and each click on the way to it has its picture.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.observability.browser import signed_in_page
from tests.observability.scene import failing_provider, has_failed_call, is_whole_story, make_story
from tests.observability.stranger import Stranger
from tests.support.observability.phoenix import READ_SECONDS, Phoenix, running_phoenix
from tests.support.observability.stack import ObservedStack, observed_stack
from tests.support.observability.waterfall import draw

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path(__file__).parents[2] / "docs" / "operate" / "watch" / "pictures"
SETTLE_MS = 3_000
"""Time until the collector's page has drawn a trace."""


def main() -> int:
    """Write the pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="pictures-") as scratch,
        running_phoenix(Path(scratch) / "phoenix") as phoenix,
        observed_stack(Path(scratch), **phoenix.environ) as stack,
        signed_in_page(stack) as page,
    ):
        draw_story(stack, phoenix, page)
        draw_clicks(stack, phoenix, page)
    print(f"pictures in {FOLDER}")
    return 0


def draw_story(stack: ObservedStack, phoenix: Phoenix, page: "Page") -> None:
    """Draw the trace of a run with a child, a second attempt and a webhook."""
    trace_id = make_story(stack)
    spans = phoenix.await_trace(trace_id, is_whole_story, timeout=READ_SECONDS)
    title = "A run with a child, a second attempt and a webhook"
    (FOLDER / "trace.svg").write_text(draw(spans, title))
    open_trace(page, phoenix.trace_url.format(traceId=trace_id))
    page.screenshot(path=FOLDER / "trace.png")


def draw_clicks(stack: ObservedStack, phoenix: Phoenix, page: "Page") -> None:
    """Draw each page on the way from the dashboard to the provider that fails."""
    assert stack.prometheus is not None

    def keep(name: str) -> None:
        page.wait_for_timeout(SETTLE_MS)
        page.screenshot(path=FOLDER / f"{name}.png")

    # The collector takes fewer spans a second than a stack makes.
    with failing_provider(stack, callers=1):
        stranger = Stranger(page, stack.prometheus, stack.url, keep)
        now = time.time()
        stranger.open_failed_runs(stranger.red_bars(now)[0], now)
        stranger.open_record()
        stranger.open_trace()
        phoenix.await_trace(stranger.trace_id, has_failed_call, timeout=READ_SECONDS)
        open_trace(page, phoenix.trace_url.format(traceId=stranger.trace_id))
        page.get_by_text("chat any").first.click()
        page.get_by_text("headrace.provider", exact=True).first.wait_for()
        keep("failed-span")


def open_trace(page: "Page", url: str) -> None:
    """Open a trace in the collector, and wait until it is drawn."""
    page.goto(url)
    page.get_by_text("invoke_workflow").first.wait_for()
    page.wait_for_timeout(SETTLE_MS)


if __name__ == "__main__":
    sys.exit(main())
