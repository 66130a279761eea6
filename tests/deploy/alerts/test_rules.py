"""The alert rules of the guide: well-formed, of metrics that there are, and named in the guide."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.dashboards.written import RULES
from engine.services.metrics.page import sum_page
from engine.store import Store
from engine.telemetry.metrics import CAUSES, DECLARATIONS
from engine.triggers.occurrences import FailReason, OccurrenceStatus
from engine.triggers.trigger import TriggerKind

yaml = pytest.importorskip("yaml", reason="comes with schemathesis")

ROOT = Path(__file__).parents[3]
GUIDES = ROOT / "docs" / "operate"
SUFFIXES = ("_bucket", "_sum", "_count")
VALUES = {
    "cause": {*CAUSES},
    "kind": {*TriggerKind},
    "outcome": {"ok", "throttled", "failed", "timeout", "refused"},
    "reason": {"", *FailReason},
    "status": {"503", *(each.value for each in OccurrenceStatus)},
    "le": {"10.0"},
}
"""Values of labels that rules may name."""
SECONDS = {"s": 1, "m": 60, "h": 3_600}


def rules() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        assert set(group) == {"name", "rules"}
        yield from group["rules"]


def seconds(duration: str) -> int:
    """Return the seconds of a duration such as `5m`."""
    return int(duration[:-1]) * SECONDS[duration[-1]]


def names_of_samples() -> set[str]:
    """Return the names of all samples that a page may have."""
    return {
        name
        for each in DECLARATIONS.values()
        for name in (
            [each.name + suffix for suffix in SUFFIXES] if each.kind == "histogram" else [each.name]
        )
    }


def test_rules_are_well_formed_and_each_says_its_remedy() -> None:
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert {"summary", "description", "runbook_url"} == set(rule["annotations"])
        assert all(
            text[0].isupper() or text[0] == "{"
            for text in (rule["annotations"]["summary"], rule["annotations"]["description"])
        )


def test_errors_of_one_moment_are_out_of_the_window_before_an_alert_fires() -> None:
    for rule in rules():
        windows = [seconds(each) for each in re.findall(r"rate\([^\[]*\[(\w+)\]", rule["expr"])]
        assert all(window < seconds(rule["for"]) for window in windows), rule["alert"]


def test_rules_of_one_alert_differ_by_a_label() -> None:
    labels = [(each["alert"], *sorted(each["labels"].items())) for each in rules()]

    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("rule", list(rules()), ids=lambda rule: rule["alert"])
def test_metrics_and_labels_of_a_rule_are_those_that_are_shown(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"headrace_\w+", rule["expr"]))
    labels = re.findall(r'(\w+)(=~?)"([^"]*)"', rule["expr"])

    assert named
    assert named <= names_of_samples()
    for name, operator, value in labels:
        values = value.split("|") if operator == "=~" else [value]
        assert {*values} <= VALUES[name], (name, value)


@pytest.mark.parametrize("rule", list(rules()), ids=lambda rule: rule["alert"])
def test_a_rule_leads_to_a_runbook_that_names_its_alert(rule: dict[str, Any]) -> None:
    page = ROOT / rule["annotations"]["runbook_url"]

    assert page.is_relative_to(GUIDES / "runbooks")
    assert page.read_text().startswith(f"# {rule['alert']}")


async def test_counters_whose_increase_is_reported_begin_with_0(store: Store) -> None:
    page = (await sum_page(store, "gateway-1")).decode()

    for rule in rules():
        for name, labels in re.findall(r"increase\((\w+)\{([^}]*)\}", rule["expr"]):
            wanted = labels.split(", ")
            lines = [each for each in page.splitlines() if each.startswith(name + "{")]
            assert [each for each in lines if all(label in each for label in wanted)], rule


def test_the_guide_leads_to_the_rules() -> None:
    assert "(../../deploy/alerts/rules.yaml)" in (GUIDES / "deploy.md").read_text()
