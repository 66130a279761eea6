"""Dashboards as Headrace writes them: queries and links of panels, as Grafana fills them in."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.dashboards.written import DASHBOARDS

ALL = ".*"
"""Value of a variable with all values chosen."""
INTERVAL = "20s"
"""`$__rate_interval` at a scrape each second, long enough for callers who pause."""
VARIABLE = re.compile(r"\$\{?(\w[\w.:]*)\}?")


@dataclass(frozen=True)
class Panel:
    """One panel of a dashboard."""

    dashboard: str
    definition: Mapping[str, Any]

    @property
    def title(self) -> str:
        return str(self.definition["title"])

    @property
    def expressions(self) -> list[str]:
        """Return its queries for all values of the variables."""
        return [fill(each["expr"]) for each in self.definition.get("targets", ())]

    def link(self, title: str, **values: str) -> str:
        """Return the address of a link of its data, with the values of variables."""
        links = self.definition["fieldConfig"]["defaults"]["links"]
        [url] = [each["url"] for each in links if each["title"] == title]
        return fill(url, **values)


def panels(name: str, folder: Path = DASHBOARDS) -> Iterator[Panel]:
    """Yield the panels of a dashboard, those of closed rows too."""
    for each in json.loads((folder / f"{name}.json").read_bytes())["panels"]:
        for definition in (each, *each.get("panels", ())):
            if definition["type"] != "row":
                yield Panel(name, definition)


def panel(name: str, title: str, folder: Path = DASHBOARDS) -> Panel:
    """Return a panel by its title."""
    [found] = [each for each in panels(name, folder) if each.title == title]
    return found


def fill(text: str, **values: str) -> str:
    """Put values in the place of variables; those without a value have all."""
    known = {"job": "headrace", "__rate_interval": INTERVAL, "__range": "5m", **values}
    return VARIABLE.sub(lambda match: known.get(match[1], ALL), text)
