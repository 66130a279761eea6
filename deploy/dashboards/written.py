"""Files for Grafana and Prometheus, written from those of the installed package."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DASHBOARDS = Path(__file__).parent
RULES = Path(__file__).parents[1] / "alerts" / "rules.yaml"
RULES_TEST = RULES.with_name("rules_test.yaml")
RUNBOOKS = "docs/operate/runbooks/"
"""Folder of the runbooks in the sources, with which their addresses in the rules begin."""
PACKAGED_RUNBOOKS = Path(__file__).parents[1] / "runbooks"
"""Their folder in an installed wheel."""


def write_all(folder: Path, url: str, runbooks: str) -> list[Path]:
    """Write dashboards, alert rules with their tests, and runbooks into a folder; return the files.

    `url` is Headrace's address for browsers, `runbooks` that of the runbooks; an empty one leaves
    the default of the files.
    """
    written = []
    for name, text in _texts(url.rstrip("/"), runbooks.rstrip("/")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        changed = path.with_name(f".{path.name}.new")
        changed.write_text(text, encoding="utf-8")
        changed.replace(path)
        written.append(path)
    return written


def _texts(url: str, runbooks: str) -> Iterator[tuple[str, str]]:
    values = {"headrace_url": url, "runbooks_url": runbooks}
    for path in sorted(DASHBOARDS.glob("*.json")):
        dashboard = json.loads(path.read_bytes())
        _set_variables(dashboard, {name: value for name, value in values.items() if value})
        yield f"dashboards/{path.name}", json.dumps(dashboard, indent=1) + "\n"
    for path in (RULES, RULES_TEST):
        rules = path.read_text(encoding="utf-8")
        yield path.name, rules.replace(RUNBOOKS, f"{runbooks}/") if runbooks else rules
    for path in sorted(_runbooks().glob("*.md")):
        yield f"runbooks/{path.name}", path.read_text(encoding="utf-8")


def _runbooks() -> Path:
    if PACKAGED_RUNBOOKS.is_dir():
        return PACKAGED_RUNBOOKS
    return Path(__file__).parents[2] / RUNBOOKS


def _set_variables(dashboard: dict[str, Any], values: dict[str, str]) -> None:
    for variable in dashboard["templating"]["list"]:
        value = values.get(variable["name"])
        if value is not None:
            variable["query"] = value
            variable["current"] = {"selected": True, "text": value, "value": value}
