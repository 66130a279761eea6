"""A stranger who looks for the provider that fails, from a dashboard on, and counts the clicks."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.support.dashboards.reading import find_panel
from tests.support.observability.prometheus import Prometheus

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

FAILING = "Failing providers"
BARS = "Calls that fail, of all calls to the provider"
FAILED_RUNS = "Failed runs"
RED = 0.2
"""Share from which a bar is red."""
TRACE_ID = re.compile("^[0-9a-f]{32}$")
LOOK_BACK_SECONDS = 600.0

Draw = Callable[[str], None]


@dataclass(frozen=True)
class Bar:
    """Red bar of a provider on the dashboard, and the time since which it is red."""

    provider: str
    since: float


@dataclass
class Stranger:
    """Knows neither the installation nor the fault. `draw` keeps a picture of the present page."""

    page: "Page"
    prometheus: Prometheus
    url: str
    """Address of Headrace."""
    draw: Draw = lambda name: None
    clicks: list[str] = field(default_factory=list)
    trace_id: str = ""
    """Of the trace that is open."""

    def open_providers(self) -> None:
        """Click the panel of failing providers on the overview, which leads to their dashboard."""
        panel = find_panel("overview", FAILING)
        [target] = panel.targets
        assert self.prometheus.query(target.expr), "the overview shows no failing provider"
        assert "/d/headrace-providers?" in panel.link("Details")
        self.clicks.append("Failing providers: Details")

    def red_bars(self, now: float) -> list[Bar]:
        """Look at the dashboard of providers, which is open."""
        [target] = find_panel("providers", BARS).targets
        found = self.prometheus.query_range(target.expr, now - LOOK_BACK_SECONDS, now)
        bars = []
        for series in found:
            if series.value > RED:
                since = series.points[-1][0]
                for at, value in reversed(series.points):
                    if value <= RED:
                        break
                    since = at
                bars.append(Bar(series.labels["provider"], since))
        return bars

    def open_failed_runs(self, bar: Bar, now: float) -> None:
        """Click the red bar, whose link leads to the failed runs of the marked time."""
        window = {
            "__from:date:iso": _iso(bar.since),
            "__to:date:iso": _iso(now),
            "headrace_url": self.url,
        }
        self.clicks.append("the red bar: Failed runs")
        self.page.goto(find_panel("providers", BARS).link(FAILED_RUNS, **window))
        self.page.get_by_role("table", name="Executions").get_by_role("row").nth(1).wait_for()
        self.draw("failed-runs")

    def open_record(self) -> str:
        """Click the first run whose error tells of a provider; return the id of its execution."""
        rows = self.page.get_by_role("table", name="Executions").get_by_role("row")
        self.clicks.append("a run that a provider failed")
        rows.filter(has_text="provider").first.get_by_role("link").click()
        self._trace_link().wait_for()
        self.draw("record")
        return self.page.url.rpartition("/")[2]

    def open_trace(self) -> None:
        """Click the link to the trace."""
        self.clicks.append("the link to the trace")
        link = self._trace_link().get_attribute("href")
        assert link is not None
        self.trace_id = link.rpartition("/")[2]
        self.page.goto(link)

    def _trace_link(self) -> "Locator":
        return self.page.get_by_role("link", name=TRACE_ID)

    def open_failed_call(self) -> dict[str, str]:
        """Click the failed span that is deepest in the trace; return its attributes."""
        self.clicks.append("the failed call")
        spans = self.page.locator("details.error")
        depths = [float(each.get_attribute("data-depth") or 0) for each in spans.all()]
        deepest = spans.nth(depths.index(max(depths)))
        deepest.locator("summary").click()
        rows = deepest.locator("tr").all()
        return {row.locator("th").inner_text(): row.locator("td").inner_text() for row in rows}


def provider_of(call: Mapping[str, str]) -> str:
    """Return the provider that a failed call names; a breaker fails calls before they are sent."""
    return call.get("headrace.provider") or f"{call['server.address']}:{call['server.port']}"


def _iso(at: float) -> str:
    return quote(datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"))
