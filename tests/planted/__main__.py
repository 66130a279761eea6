"""Plant each fault in turn and run the tests of its rows: `python -m tests.planted [words…]`.

With words, only faults are planted whose name has one of them. All happens in a copy of the code
(`tests/planted/trials.py`). A whole run writes `build/proofs/planted.json`.

Environment: SECONDS bounds a fault (300), MINUTES the run (240): faults beyond are not tried.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.planted.plan import ROOT, copy_code, environ


def main(*words: str) -> int:
    """Plant the faults; return 0 when enough are caught."""
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    build = ROOT / "build"
    (build / "proofs").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hr-planted-") as made:
        folder = Path(made)
        copy_code(folder)
        command = [sys.executable, "-m", "tests.planted.trials", str(build), commit, *words]
        return subprocess.call(command, cwd=folder, env=environ(folder))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
