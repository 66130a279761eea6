"""JSON files of the dashboards."""

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.dashboards.generator import overview, providers, redis_and_history, runs, webhooks
from deploy.dashboards.generator.layout import DashboardLayout


def layouts() -> list[DashboardLayout]:
    """Return all dashboards, the overview first."""
    modules = (overview, runs, providers, redis_and_history, webhooks)
    return [module.make() for module in modules]


def make_text(layout: DashboardLayout) -> str:
    """Return the file of a dashboard, without members that newer versions do not know."""
    made = json.loads(JSONEncoder().encode(layout.build()))
    for variable in made["templating"]["list"]:
        for name in [each for each in variable if each.startswith("auto")]:
            del variable[name]
    for panel in made["panels"]:
        panel.get("options", {}).pop("footer", None)
    return json.dumps(made, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def write(folder: Path) -> None:
    """Write the files into a folder."""
    for layout in layouts():
        (folder / f"{layout.name}.json").write_text(make_text(layout), encoding="utf-8")
