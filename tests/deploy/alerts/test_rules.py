"""The alert rules of the guide: well-formed, of metrics that there are, and named in the guide."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.services.metrics.page import sum_page
from engine.store import Store
from engine.telemetry import metrics
from engine.triggers.occurrences import FailReason, OccurrenceStatus
from engine.triggers.trigger import TriggerKind
from workers.recovery.duties.due_feeds import DueSchedules

yaml = pytest.importorskip("yaml", reason="comes with schemathesis")

ROOT = Path(__file__).parents[3]
GUIDES = ROOT / "docs" / "operate"
RULES = ROOT / "deploy" / "alerts" / "rules.yaml"
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",)}
VALUES = {
    "duty": {DueSchedules.name},
    "kind": {*TriggerKind},
    "reason": {*FailReason},
    "status": {each.value for each in OccurrenceStatus},
}
"""Values of labels that rules may name."""
DURATION = re.compile(r"\d+[smh]")


def rules() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        assert set(group) == {"name", "rules"}
        yield from group["rules"]


async def names_of_metrics(store: Store) -> set[str]:
    """Return the names of the samples that the page has, with those that have no value yet."""
    page = (await sum_page(store, "gateway-1")).decode()
    kinds = re.findall(r"^# TYPE (\w+) (\w+)$", page, re.MULTILINE)
    kinds += [(each.name, each.type) for each in metrics.REGISTRY.collect()]
    return {
        name.removesuffix("_total") + suffix
        for name, kind in kinds
        for suffix in SUFFIXES.get(kind, ("",))
    }


def test_rules_are_well_formed_and_each_says_its_remedy() -> None:
    found = list(rules())

    assert len({each["alert"] for each in found}) == len(found) >= 4
    for rule in found:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule
        assert DURATION.fullmatch(rule.get("for", "1m"))
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert {"summary", "description"} == set(rule["annotations"])
        expression = rule["expr"]
        for opening, closing in ("()", "{}", "[]"):
            assert expression.count(opening) == expression.count(closing), expression


@pytest.mark.parametrize("rule", list(rules()), ids=lambda rule: rule["alert"])
async def test_metrics_and_labels_of_a_rule_are_those_that_are_shown(
    rule: dict[str, Any], store: Store
) -> None:
    named = set(re.findall(r"headrace_\w+", rule["expr"]))
    labels = re.findall(r'(\w+)="([^"]*)"', rule["expr"])

    assert named
    assert named <= await names_of_metrics(store)
    for name, value in labels:
        assert value in VALUES[name]


async def test_counters_whose_increase_is_reported_begin_with_0(store: Store) -> None:
    page = (await sum_page(store, "gateway-1")).decode()

    for rule in rules():
        for name, labels in re.findall(r"increase\((\w+)\{([^}]*)\}", rule["expr"]):
            wanted = labels.split(", ")
            lines = [each for each in page.splitlines() if each.startswith(name + "{")]
            assert [each for each in lines if all(label in each for label in wanted)], rule


def test_the_guide_leads_to_the_rules() -> None:
    assert "(../../deploy/alerts/rules.yaml)" in (GUIDES / "deploy.md").read_text()
