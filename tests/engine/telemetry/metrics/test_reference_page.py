"""The reference page of metrics: made of the declarations, and all that pages name is declared."""

import re
from pathlib import Path

from engine.telemetry.metrics import DECLARATIONS
from tests.support.metrics.reference import PAGE, SECTIONS, _declared_in, render

ROOT = Path(__file__).parents[4]
OTHERS = {"headrace_client", "headrace_session", "headrace_s", "headrace_url"}
"""Names on pages that are no metrics."""
SUFFIXES = re.compile(r"_(bucket|sum|count)$")


def test_the_page_is_that_of_the_declarations() -> None:
    assert PAGE.read_text() == render(), "`make metrics` writes it anew"


def test_each_metric_is_in_one_section() -> None:
    named = [each.name for _, module in SECTIONS for each in _declared_in(module)]

    assert sorted(named) == sorted(DECLARATIONS)


def test_pages_name_metrics_that_there_are() -> None:
    unknown = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "docs").rglob("*.md")
        for name in re.findall(r"\bheadrace_[a-z_]+", path.read_text())
        if name not in OTHERS and SUFFIXES.sub("", name) not in DECLARATIONS
    }

    assert not unknown
