"""Plant each fault in turn and run the tests of its rows: `python -m tests.planted [words…]`.

With words, only faults are planted whose name has one of them. Quick tests come first; slow ones
are run when those pass. A record of each goes to `build/proofs/planted.json`.
"""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.catalogue.rows import files
from tests.planted.plan import (
    ROOT,
    Planted,
    copy_code,
    planted_faults,
    require_loading,
    run_in,
)

RECORD = ROOT / "build" / "proofs" / "planted.json"
LEAST_CAUGHT = 58 / 60
ALL_PASSED, SOME_FAILED, NONE_RUN = 0, 1, 5
TIMEOUT = "300"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Outcome of one planted fault."""

    name: str
    caught_by: str
    """First test that failed; empty: none did."""
    seconds: float


def main(*words: str) -> int:
    """Plant the faults; return 0 when enough are caught."""
    chosen = [each for each in planted_faults() if not words or any(w in each.name for w in words)]
    trials = []
    with tempfile.TemporaryDirectory(prefix="hr-planted-") as made:
        folder = Path(made)
        copy_code(folder)
        require_loading(folder)
        for number, fault in enumerate(chosen, 1):
            trials.append(trial := _try(fault, folder))
            verdict = trial.caught_by or "NOT CAUGHT"
            print(
                f"{number}/{len(chosen)} {fault.name}: {verdict} ({trial.seconds:.0f} s)",
                flush=True,
            )
    caught = sum(bool(each.caught_by) for each in trials)
    print(f"{caught} of {len(trials)} planted faults were caught")
    if not words:
        _write(trials)
    return 0 if caught >= LEAST_CAUGHT * len(trials) else 1


def _try(fault: Planted, folder: Path) -> Trial:
    began = time.monotonic()
    with fault.planted(folder):
        require_loading(folder)
        caught_by = _failing(fault, folder, "not slow") or _failing(fault, folder, "slow")
    return Trial(name=fault.name, caught_by=caught_by, seconds=time.monotonic() - began)


def _failing(fault: Planted, folder: Path, kind: str) -> str:
    """Return the first test of the fault's rows that fails; empty: none does."""
    paths = sorted({path for row in fault.rows for path in files().get(row, [])})
    if not paths:
        return ""
    marks = f"({' or '.join(fault.rows)}) and {kind}"
    names = [str(path.relative_to(ROOT)) for path in paths]
    command = ("-m", "pytest", "-x", "-q", "-m", marks, f"--timeout={TIMEOUT}", *names)
    ran = run_in(folder, *command)
    if ran.returncode in (ALL_PASSED, NONE_RUN):
        return ""
    failed = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if ran.returncode != SOME_FAILED or not failed:
        raise RuntimeError(f"the tests could not be run: {(ran.stdout + ran.stderr)[-2000:]}")
    return failed[0].split(" ")[1]


def _write(trials: list[Trial]) -> None:
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"name": each.name, "caughtBy": each.caught_by} for each in trials]
    record = {"commit": commit, "at": int(time.time()), "faults": rows}
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
