"""Each query of the dashboards is answered by a Prometheus that scraped a real stack."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dashboards.drawing import Span
from tests.support.dashboards.page import WIDTH, make_page
from tests.support.dashboards.reading import NAMES, read_panels
from tests.support.dashboards.scene import Scene, playing
from tests.support.dashboards.screenshot import find_browser, take

pytestmark = pytest.mark.slow
SECONDS = 50.0
WITHOUT_DATA = {
    "Alerts that fire": "may come a moment later",
    "Free space for media": "the media of this stack have no bound",
    "Memory of Redis": "this Redis has no limit",
    "Duties that fail or are late": "none does",
    "Calls that end badly": "may have begun a moment ago",
}
"""Panels that may be empty, with the reasons."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A stack whose provider `shaky` fails in the second half."""
    with playing(tmp_path_factory.mktemp("stack"), SECONDS) as scene:
        yield scene


@pytest.mark.parametrize("name", NAMES)
def test_each_panel_has_data(scene: Scene, name: str) -> None:
    empty = []
    span = scene.span
    for panel in read_panels(name):
        found = [
            scene.prometheus.query_range(each.expr, span.start, time.time(), span.step)
            for each in panel.targets
        ]
        if panel.targets and not any(found):
            empty.append(panel.title)

    assert set(empty) <= WITHOUT_DATA.keys()


def test_the_failing_provider_is_the_only_red_bar(scene: Scene) -> None:
    [bars] = [each for each in read_panels("providers") if each.kind == "state-timeline"]
    [target] = bars.targets

    shares = {each.labels["provider"]: each.value for each in scene.prometheus.query(target.expr)}

    assert [share >= 0.2 for share in shares.values()].count(True) == 1
    assert len(shares) >= 2


@pytest.mark.skipif(find_browser() is None, reason="this needs chromium")
def test_a_dashboard_is_drawn(scene: Scene, tmp_path: Path) -> None:
    span = Span(scene.span.start, time.time(), scene.span.step)
    page, height = make_page(scene.prometheus, "overview", span)

    take(page, (WIDTH, height), tmp_path / "overview.png")

    assert (tmp_path / "overview.png").stat().st_size > 20_000
