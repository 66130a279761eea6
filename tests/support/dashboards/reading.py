"""Panels of the dashboards' files: queries and links with variables filled in as Grafana does."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.dashboards.written import DASHBOARDS

NAMES = ("overview", "runs", "providers", "redis-and-history", "webhooks")
RATE_WINDOW = "20s"
"""`$__rate_interval`: ten scrapes, and long enough for callers who pause."""
VARIABLE = re.compile(r"\$\{?(\w[\w.:]*)\}?")
ALL = ".*"
"""Value of a variable with all values chosen."""


@dataclass(frozen=True)
class Target:
    """A query of a panel."""

    expr: str
    legend: str
    """Name of its series, with `{{label}}` in the place of labels."""
    letter: str


@dataclass(frozen=True)
class PanelView:
    """A panel, or the heading of a row."""

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

    def link(self, title: str, **values: str) -> str:
        """Return the address of a link of its data, with the values of variables."""
        [url] = [each["url"] for each in self.defaults["links"] if each["title"] == title]
        return fill(url, **values)


def read_title(name: str) -> str:
    """Return the title of a dashboard."""
    return str(_read(name)["title"])


def read_panels(name: str) -> list[PanelView]:
    """Return the panels and rows of a dashboard."""
    return [
        PanelView(
            title=panel["title"],
            kind=panel["type"],
            place=panel["gridPos"],
            targets=[
                Target(fill(each["expr"]), each.get("legendFormat", ""), each["refId"])
                for each in panel.get("targets", ())
            ],
            member=panel,
        )
        for panel in _read(name)["panels"]
    ]


def find_panel(name: str, title: str) -> PanelView:
    """Return a panel of a dashboard by its title."""
    [found] = [each for each in read_panels(name) if each.title == title]
    return found


def fill(text: str, **values: str) -> str:
    """Put values in the place of variables; those without a value have all."""
    known = {"job": "headrace", "__rate_interval": RATE_WINDOW, **values}
    return VARIABLE.sub(lambda found: known.get(found[1], ALL), text)


def name_series(legend: str, labels: Mapping[str, str]) -> str:
    """Return the name of a series as a legend has it."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend).strip()


def _read(name: str) -> Any:
    return json.loads((DASHBOARDS / f"{name}.json").read_bytes())
