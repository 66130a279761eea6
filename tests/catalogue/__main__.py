"""Run the tests of rows: `python -m tests.catalogue F [F18 F19 …]` (a letter alone: all of it)."""

import subprocess
import sys

from tests.catalogue.rows import files, named, rows

TIMEOUT = "900"


def main(letter: str, *words: str) -> int:
    """Run the tests with the marks of these rows; return pytest's code, 1 for rows without any."""
    try:
        ids = list(named([each.upper() for each in words], letter))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    without = [each for each in ids if each not in files()]
    for each in without:
        print(f"{each} has no test: {rows()[each].absent or 'none is written yet'}")
    paths = sorted({path for each in ids for path in files().get(each, [])})
    if not paths:
        return 0 if all(rows()[each].absent for each in without) else 1
    marks = " or ".join(each for each in ids if each in files())
    command = [sys.executable, "-m", "pytest", "-m", marks, f"--timeout={TIMEOUT}"]
    return subprocess.call([*command, *map(str, paths)])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
