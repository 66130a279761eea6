"""The table of faults and alerts names those that fired, and marks unexpected ones."""

from deploy.dashboards.generator.runbooks import ALERTS
from tests.support.observability.alerts.faults import FAULTS
from tests.support.observability.alerts.page import PAGE, render, table

OUTCOME = {"fault": "a fault", "expected": ["HeadraceDown"], "fired": {}, "resolved_after": 2.0}


def test_an_alert_has_the_seconds_until_it_fired() -> None:
    row = table([{**OUTCOME, "fired": {"HeadraceDown": 7.4}}]).splitlines()[2]

    assert row.startswith("| a fault | 7 s |")
    assert row.endswith("| 2 s |")
    assert "**" not in row


def test_alerts_that_are_missing_or_too_many_are_marked() -> None:
    row = table([{**OUTCOME, "fired": {"HeadraceErrors": 9.0}}]).splitlines()[2]

    assert "| **missing** | " in row
    assert "9 s **unexpected**" in row


def test_the_table_replaces_the_former_one() -> None:
    text = PAGE.read_text()

    figures = {"measured": "Measured today.", "outcomes": [OUTCOME]}

    once = render(text, figures)

    assert render(once, figures) == once
    assert "Measured today.\n\n| Fault |" in once
    assert "| a fault |" in once


def test_the_faults_raise_every_alert() -> None:
    assert {name for each in FAULTS for name in each.alerts} == {*ALERTS}
    assert len({each.name for each in FAULTS}) == len(FAULTS)
