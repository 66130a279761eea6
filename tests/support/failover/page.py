"""The page of failover figures."""

import re
from collections.abc import Mapping
from pathlib import Path

from tests.support.failover.figures import HEADER
from tests.support.failover.isolation import ISOLATED_SECONDS
from tests.support.failover.oracle import SLACK_SECONDS

ORDER = ("single 0 0", *(f"{name} {n} 0" for name in ("sentinel", "cluster") for n in (0, 1)))
LAG = re.compile(r"(sentinel|cluster) [01] 0\.\d+")
PAGE = Path(__file__).with_suffix(".md")


def render(rows: Mapping[str, str]) -> str:
    """Return the page from the rows by the names of their trials."""
    order = [name for name in ORDER if name in rows]
    lagging = sorted(name for name in rows if LAG.fullmatch(name))
    lagging.sort(key=lambda name: name.split()[0], reverse=True)
    kills = [rows[name] for name in (*order, *lagging)]
    isolations = [rows[name] for name in ("isolated 0", "isolated 1") if name in rows]
    return PAGE.read_text().format(
        measured=rows["measured"],
        slack=SLACK_SECONDS,
        header=HEADER,
        kills="\n".join(kills),
        lag=next((name.split()[2] for name in lagging), "0.3"),
        isolated=ISOLATED_SECONDS,
        isolations="\n".join(isolations),
    )
