"""Links lead to the runbook that the rule of an alert names."""

import pytest

from deploy.dashboards.generator.runbooks import ALERTS, link_of, name_of
from deploy.dashboards.written import RULES

yaml = pytest.importorskip("yaml", reason="comes with schemathesis")


def test_all_alerts_have_links_to_the_runbooks_that_their_rules_name() -> None:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    named = {rule["alert"]: rule["annotations"].get("runbook_url", "") for rule in rules}
    assert {name: f"docs/operate/runbooks/{name_of(name)}.md" for name in ALERTS} == named


def test_a_link_names_the_alert() -> None:
    [link] = link_of("HeadraceRunsWait").value

    assert link["title"] == "Runbook of HeadraceRunsWait"
    assert link["url"] == "${runbooks_url}/runs-wait.md"
