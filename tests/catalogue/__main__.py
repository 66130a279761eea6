"""Run the tests of rows: `python -m tests.catalogue F [F18 F19 …]` (a letter alone: all of it).

Words that begin with a dash are options of pytest. The results go to build/proofs.
"""

import subprocess
import sys
from pathlib import Path

from tests.catalogue import runs
from tests.catalogue.repository import ROOT, commit
from tests.catalogue.rows import TESTS, files, named, rows

TIMEOUT = "900"
TOOLS = {
    "acceptance/drains": "drain",
    "acceptance/failover": "clocks",
    "acceptance/faults": "clocks",
    "acceptance/hosts": "hosts",
    "acceptance/parts": "clocks",
    "e2e": "e2e",
    "mcp": "mcp",
    "observability": "observe",
}
"""Folders of tests that need more than `make .venv/.installed-dev`, and their targets of tools."""
FEW = 20
"""Rows that run at once, whatever their groups."""
HAS_ENDED = {0, 1}
"""Codes of pytest after a whole run: all passed, or some failed."""


def main(letter: str, *words: str) -> int:
    """Run the tests with the marks of these rows; return pytest's code, 1 for rows without any."""
    options = [each for each in words if each.startswith("-")]
    try:
        ids = list(named([each for each in words if each not in options], letter))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    without = [each for each in ids if each not in files()]
    for each in without:
        print(f"{each} has no test: {rows()[each].absent or 'none is written yet'}")
    tried = [each for each in ids if each in files()]
    print(f"Rows: {', '.join(tried) or 'none'}")
    code = max((_run(each, options) for each in _batches(tried)), default=0)
    return code or int(not all(rows()[each].absent for each in without))


def _batches(ids: list[str]) -> list[list[str]]:
    """Return many ids by group, so that a run that breaks off leaves what it has tried."""
    found: dict[str, list[str]] = {}
    for each in ids:
        found.setdefault(rows()[each].group if len(ids) > FEW else "", []).append(each)
    return list(found.values())


def _run(ids: list[str], options: list[str]) -> int:
    """Run the tests of rows in a process for each place that needs tools of its own, and one more.

    A browser's event loop would be in the way of other tests.
    """
    places: dict[str, list[str]] = {}
    for path in sorted({path for each in ids for path in files()[each]}):
        places.setdefault(_place(path), []).append(str(path))
    proof, began_at, codes = runs.new_path(), commit(), set()
    for place, paths in sorted(places.items()):
        if place:
            make = ["make", "--no-print-directory", f"tools-{place}"]
            subprocess.run(make, cwd=ROOT, check=True)
        marks = ["-m", " or ".join(ids), f"--timeout={TIMEOUT}"]
        part = f"--junitxml={runs.part(proof, place)}"
        codes.add(subprocess.call([sys.executable, "-m", "pytest", *marks, part, *options, *paths]))
    if codes <= HAS_ENDED:
        runs.sign(proof, ids, began_at)
        print(f"{proof} has the results; `make report` puts them into the report")
    else:
        print("The run did not come to its end: nothing of it goes into the report")
    return max(codes)


def _place(path: Path) -> str:
    folder = path.parent.relative_to(TESTS).as_posix() + "/"
    return next((place for name, place in TOOLS.items() if folder.startswith(name + "/")), "")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
