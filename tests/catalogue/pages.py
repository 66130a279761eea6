"""Reference pages of faults and attacks, made of the catalogue: `python -m` this writes them."""

from collections.abc import Iterator
from pathlib import Path

from tests.catalogue.markdown import table
from tests.catalogue.repository import ROOT
from tests.catalogue.rows import Row, files, rows

FOLDER = ROOT / "docs" / "reference"
TITLES = ("", "Tried", "What holds", "Tests")
MADE = "This page is made of the catalogue of tests by `make catalogue`."
FAULTS = f"""# Faults that are survived

{MADE}

Each row is a fault that a test injects from outside, into real processes unless the row says
otherwise: signals, a proxy that holds, delays or cuts connections at a chosen call of Redis, full
disks and memory, clocks that step, providers and receivers that misbehave. After it, the test
compares what callers were told, what the remotes saw, and what executions, ledger and history say.
`make chaos ID=F18` injects one; the [reliability report](../reliability-report.md) says how the
last run of each went, and [the guarantees](../guarantees.md) what follows for you.
"""
ATTACKS = f"""# Attacks that hold

{MADE}

Accounts of one installation do not trust each other, and nobody trusts what callers, models and
other servers send. Each row is an attack, what an attacker gets, and the tests that say so.
`make attacks ID=A33` tries one; the [reliability report](../reliability-report.md) says how the
last run of each went. An attack that does not fail is reported as
[SECURITY.md](../../SECURITY.md) says.
"""
ORDER = {
    "F": (
        "Processes that die",
        "Redis",
        "Deployment and time",
        "Workers, providers and receivers",
        "Money",
        "History and media",
        "Waits, children, batches and triggers",
    ),
    "A": (
        "Keys and capabilities",
        "Between accounts",
        "Limits and money",
        "What accounts share",
        "Links to approvals",
        "Clients of OAuth",
        "Inbound webhooks",
        "Agents and replays",
        "Requests and pages",
        "Graphs, templates and files",
        "Calls to elsewhere",
        "Secrets and logs",
    ),
}
"""Groups of rows in the order of the pages."""
PAGES = {"F": (FOLDER / "faults.md", FAULTS), "A": (FOLDER / "attacks.md", ATTACKS)}


def render(letter: str) -> str:
    """Return the page of the rows of a letter."""
    return "".join([PAGES[letter][1], *_sections(letter)])


def _sections(letter: str) -> Iterator[str]:
    for group in ORDER[letter]:
        lines = [_line(row) for row in rows().values() if (row.id[0], row.group) == (letter, group)]
        if lines:
            yield f"\n## {group}\n\n{table(TITLES, lines)}"


def _line(row: Row) -> tuple[str, ...]:
    tests = ", ".join(map(_link, files().get(row.id, [])))
    return row.id, row.tried, row.holds, tests or row.absent or "none yet"


def _link(path: Path) -> str:
    inside = path.relative_to(ROOT).as_posix()
    return f"[{inside.removeprefix('tests/')}](../../{inside})"


if __name__ == "__main__":
    for letter, (path, _) in PAGES.items():
        path.write_text(render(letter), encoding="utf-8")
