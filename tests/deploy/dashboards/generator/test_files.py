"""The files of the dashboards: made of the code, valid, and of metrics that there are."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.dashboards.generator import files
from engine.services.metrics import facts  # noqa: F401 (declares facts)
from engine.telemetry.metrics.declaring import DECLARATIONS
from tests.support.dashboards.reading import NAMES

FOLDER = Path(files.__file__).parents[1]
OF_PROMETHEUS = {"up", "ALERTS"}
ENDINGS = {"histogram": ("_bucket", "_count", "_sum")}
UNITS = {"short", "s", "ops", "reqps", "bytes", "percentunit"}
OF_TARGETS = {"le", "instance", "pod", "alertname"}


def read(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def targets(*names: str) -> Iterator[tuple[str, str]]:
    """Return each query of dashboards, with the names of its dashboard and panel."""
    for name in names:
        for panel in read(name)["panels"]:
            for target in panel.get("targets", ()):
                yield f"{name}, {panel['title']}", target["expr"]


def metrics_of(expression: str) -> Iterator[tuple[str, str]]:
    """Return the metrics of a query, each with its conditions."""
    yield from re.findall(r"\b(headrace_\w+)(?:\{([^}]*)\})?", expression)


def declared(sample: str) -> str | None:
    """Return the name of the metric that has a sample, None without one."""
    if sample in DECLARATIONS and DECLARATIONS[sample].kind != "histogram":
        return sample
    base, _, ending = sample.rpartition("_")
    found = DECLARATIONS.get(base)
    return base if found and f"_{ending}" in ENDINGS.get(found.kind, ()) else None


def test_the_files_are_those_that_the_code_makes() -> None:
    # Written by `python -m deploy.dashboards.generator`.
    made = {f"{layout.name}.json": files.make_text(layout) for layout in files.layouts()}

    assert made == {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.json")}
    assert made.keys() == {f"{name}.json" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_grafanas_own_types_know_all_members(name: str) -> None:
    register_default_plugins()
    found = read(name)

    again = json.loads(JSONEncoder().encode(Dashboard.from_json(found)))

    assert list(lost(found, again)) == []


def lost(before: Any, after: Any, place: str = "") -> Iterator[str]:
    """Return the places of members that a reader of the file did not know, or changed."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            yield from lost(value, after.get(name, "missing"), f"{place}/{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, value in enumerate(before):
            yield from lost(value, after[number], f"{place}/{number}")
    elif before != after:
        yield place


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_says_its_subject_and_leads_to_the_others(name: str) -> None:
    found = read(name)

    assert found["uid"] == f"headrace-{name}"
    assert found["title"].startswith("Headrace / ")
    assert found["description"]
    assert found["links"][0]["tags"] == found["tags"] == ["headrace"]


@pytest.mark.parametrize("name", NAMES)
def test_a_panel_says_what_it_shows_in_a_unit_and_has_a_place(name: str) -> None:
    panels = [each for each in read(name)["panels"] if each["type"] != "row"]
    taken: set[tuple[int, int]] = set()

    for panel in panels:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken
        taken |= cells


@pytest.mark.parametrize("name", NAMES)
def test_a_query_is_of_metrics_and_labels_that_there_are(name: str) -> None:
    for place, expression in targets(name):
        metrics = list(metrics_of(expression))
        assert metrics or OF_PROMETHEUS & set(re.findall(r"\w+", expression))
        for sample, conditions in metrics:
            metric = declared(sample)
            assert metric is not None, f"{place}: {sample}"
            for label, text in re.findall(r'(\w+)(?:=|!=|=~|!~)"([^"]*)"', conditions):
                if label != "job":
                    check_values(DECLARATIONS[metric].labels, label, text)


def check_values(labels: Mapping[str, Any], label: str, text: str) -> None:
    """Check that a metric has a label, and the label the values, where these are all told."""
    assert label in labels
    told = labels[label]
    if text.startswith("$") or label == "status" and "answer" in str(told):
        return
    known = set(re.findall(r"`(\w+)`", told)) if isinstance(told, str) else set(told)
    assert set(text.split("|")) <= known


@pytest.mark.parametrize("name", NAMES)
def test_labels_that_a_query_groups_by_are_those_of_its_metrics(name: str) -> None:
    for place, expression in targets(name):
        found = [declared(sample) for sample, _ in metrics_of(expression)]
        known = {label for metric in found if metric for label in DECLARATIONS[metric].labels}
        grouped = re.findall(r"\b(?:by|without) \(([^)]*)\)", expression)

        assert {label for each in grouped for label in each.split(", ")} <= known | OF_TARGETS, (
            place
        )


def test_each_metric_of_a_signal_is_on_a_dashboard() -> None:
    shown = {declared(sample) for _, each in targets(*NAMES) for sample, _ in metrics_of(each)}

    assert DECLARATIONS.keys() - shown - LEFT_OUT.keys() == set()
    assert LEFT_OUT.keys() <= DECLARATIONS.keys() - shown


LEFT_OUT = {
    "headrace_processes": "Versions that run: of upgrades, not of faults.",
    "headrace_executions_waiting_for_memory": "The share of memory in use says it earlier.",
}
"""Metrics that no panel shows, with the reasons."""
