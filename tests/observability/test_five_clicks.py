"""A stranger finds a provider that fails, from the dashboard to the trace, in five clicks."""

import importlib.util
import time
from pathlib import Path

import pytest

from tests.observability.browser import signed_in_page
from tests.observability.scene import MODEL, failing_provider, has_failed_call
from tests.observability.stranger import Stranger, provider_of
from tests.support.dashboards.screenshot import find_browser
from tests.support.observability.stack import observed_stack

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        find_browser() is None or importlib.util.find_spec("playwright") is None,
        reason="make observe installs the browser",
    ),
]
SINCE_SECONDS = 60.0
"""Difference between the time of the fault and the begin of the red bar: a rate looks back."""


def test_a_stranger_finds_the_failing_provider_in_five_clicks(tmp_path: Path) -> None:
    with observed_stack(tmp_path, traces="1") as stack, failing_provider(stack) as planted:
        assert stack.prometheus is not None
        with signed_in_page(stack) as page:
            stranger = Stranger(page, stack.prometheus, stack.url)
            now = time.time()

            stranger.open_providers()
            [bar] = stranger.red_bars(now)
            stranger.open_failed_runs(bar, now)
            execution_id = stranger.open_record()
            stranger.open_trace()
            stack.collector.await_trace(stranger.trace_id, has_failed_call)
            page.reload()
            call = stranger.open_failed_call()

        _, record = stack.ask("GET", f"/api/executions/{execution_id}")
        assert abs(bar.since - planted) < SINCE_SECONDS
        assert record["modelIds"] == [MODEL]
        assert record["traceId"] == stranger.trace_id
        assert call["error.type"] in ("503", "PROVIDER_UNAVAILABLE")
        assert bar.provider == provider_of(call) == stack.providers[MODEL].url.partition("//")[2]
        assert len(stranger.clicks) == 5
