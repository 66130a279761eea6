"""`python -m tests.support.observability.alerts.page FIGURES`: the table of faults and alerts."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.dashboards.generator.runbooks import ALERTS

PAGE = Path(__file__).parents[4] / "docs" / "operate" / "watch" / "alerts.md"
BEGIN, END = "<!-- begin of the table of faults -->", "<!-- end -->"
COLUMNS = [each.removeprefix("Headrace") for each in ALERTS]


def table(outcomes: Sequence[Mapping[str, Any]]) -> str:
    """Return a row for each fault: seconds until each alert fired, and until all were over."""
    heads = [re.sub(r"(?<=[a-z])(?=[A-Z])", " ", each) for each in COLUMNS]
    lines = [f"| Fault | {' | '.join(heads)} | over after |", "|---|" + "---:|" * (len(heads) + 1)]
    for outcome in outcomes:
        fired = {name.removeprefix("Headrace"): at for name, at in outcome["fired"].items()}
        expected = {name.removeprefix("Headrace") for name in outcome["expected"]}
        cells = [cell(name, fired, expected) for name in COLUMNS]
        over = f"{outcome['resolved_after']:.0f} s" if fired else ""
        lines.append(f"| {outcome['fault']} | {' | '.join(cells)} | {over} |")
    return "\n".join(lines)


def cell(name: str, fired: Mapping[str, float], expected: set[str]) -> str:
    """Return the seconds until an alert fired; an alert that should not, or did not, is marked."""
    if name in fired:
        return f"{fired[name]:.0f} s" + ("" if name in expected else " **unexpected**")
    return "**missing**" if name in expected else ""


def render(text: str, kept: Mapping[str, Any]) -> str:
    """Return the page with the table of these figures."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n{kept['measured']}\n\n{table(kept['outcomes'])}\n\n{END}{after}"


if __name__ == "__main__":
    figures = json.loads(Path(sys.argv[1]).read_text())
    PAGE.write_text(render(PAGE.read_text(), figures))
