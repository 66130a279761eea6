"""Panels of the dashboards' files, with queries as Grafana would send them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.dashboards.written import DASHBOARDS

NAMES = ("overview", "runs", "providers", "redis-and-history", "webhooks")
VARIABLES = {"job": "headrace", "provider": ".*", "node_type": ".*"}
"""Values of variables: all providers and all types of nodes."""


@dataclass(frozen=True)
class Target:
    """A query of a panel."""

    expr: str
    legend: str
    """Name of its series, with `{{label}}` in the place of labels."""
    letter: str


@dataclass(frozen=True)
class PanelView:
    """What is drawn of a panel."""

    title: str
    kind: str
    place: Mapping[str, int]
    """`x`, `y`, `w`, `h` in the grid of 24 columns."""
    targets: Sequence[Target]
    member: Mapping[str, Any]
    """The panel as the file has it."""

    @property
    def defaults(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.member.get("fieldConfig", {}).get("defaults", {})
        return found

    @property
    def unit(self) -> str:
        return str(self.defaults.get("unit", "short"))


def read_title(name: str) -> str:
    """Return the title of a dashboard."""
    return str(_read(name)["title"])


def read_panels(name: str, window: str = "1m") -> list[PanelView]:
    """Return the panels and rows of a dashboard; `window` is that of rates."""
    return [
        PanelView(
            title=panel["title"],
            kind=panel["type"],
            place=panel["gridPos"],
            targets=[
                Target(fill(each["expr"], window), each.get("legendFormat", ""), each["refId"])
                for each in panel.get("targets", ())
            ],
            member=panel,
        )
        for panel in _read(name)["panels"]
    ]


def fill(expression: str, window: str) -> str:
    """Return a query with the values of its variables."""
    filled = expression.replace("$__rate_interval", window)
    for name, value in VARIABLES.items():
        filled = filled.replace(f"${name}", value)
    return filled


def name_series(legend: str, labels: Mapping[str, str]) -> str:
    """Return the name of a series as a legend has it."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend).strip()


def _read(name: str) -> Any:
    return json.loads((DASHBOARDS / f"{name}.json").read_bytes())
