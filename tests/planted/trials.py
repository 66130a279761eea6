"""Trials of planted faults, in the copy of the code that `python -m tests.planted` makes.

The test that caught a fault last time comes first, then quick tests, then those of stacks, then
slow ones. At the end each test that failed runs once without the fault: one that fails then as
well has caught nothing.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from tests.planted.catches import Catch, first_failure, holding
from tests.planted.plan import COPY, ROOT, Planted, planted_faults, require_loading

LEAST_CAUGHT = 58 / 60
SECONDS = float(os.environ.get("SECONDS", "300"))
MINUTES = float(os.environ.get("MINUTES", "240"))


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Outcome of one planted fault."""

    name: str
    seconds: float
    catch: Catch | None
    why: str
    """Why it was not caught."""


def main(build: str, commit: str, *words: str) -> int:
    """Plant the faults, write the records into `build`; return 0 when enough are caught."""
    if not (ROOT / COPY).exists():
        raise RuntimeError(f"{ROOT} is no copy of the code: run `make planted`")
    require_loading(ROOT)
    chosen = [each for each in planted_faults() if not words or any(w in each.name for w in words)]
    trials = _proven(_try_all(chosen, Path(build) / "planted-last.json"))
    missed = [each for each in trials if not each.catch]
    for each in missed:
        print(f"NOT CAUGHT: {each.name}: {each.why}")
    print(f"{len(trials) - len(missed)} of {len(trials)} planted faults were caught")
    if not words:
        _write(Path(build) / "proofs" / "planted.json", commit, trials)
    return 0 if len(missed) <= (1 - LEAST_CAUGHT) * len(trials) else 1


def _try_all(chosen: list[Planted], last_path: Path) -> list[Trial]:
    ends_at = time.monotonic() + MINUTES * 60
    last = json.loads(last_path.read_text(encoding="utf-8")) if last_path.exists() else {}
    trials: list[Trial] = []
    for number, fault in enumerate(chosen, 1):
        if time.monotonic() > ends_at:
            print(f"{MINUTES:g} minutes are over: {len(chosen) - len(trials)} were not tried")
            break
        trials.append(trial := _try(fault, last.get(fault.name, "")))
        verdict = f"{trial.catch.test}: {trial.catch.why}" if trial.catch else trial.why
        print(f"{number}/{len(chosen)} {fault.name}: {verdict} ({trial.seconds:.0f} s)", flush=True)
        if trial.catch:
            last[fault.name] = trial.catch.test
            last_path.write_text(json.dumps(last, indent=1) + "\n", encoding="utf-8")
    return trials


def _try(fault: Planted, last: str) -> Trial:
    began = time.monotonic()
    catch, why = None, "no test of its rows failed"
    with fault.planted(ROOT):
        try:
            if not fault.is_script:
                require_loading(ROOT)
            catch = first_failure(fault, last, SECONDS)
        except ValueError as error:
            why = str(error)
        except subprocess.TimeoutExpired:
            why = f"the tests of its rows have not ended in {SECONDS:.0f} s"
    return Trial(name=fault.name, seconds=time.monotonic() - began, catch=catch, why=why)


def _proven(trials: list[Trial]) -> list[Trial]:
    """Take back the catches whose test fails without a fault."""
    held = holding(sorted({each.catch.test for each in trials if each.catch}))
    why = "its test fails without the fault as well"
    return [
        replace(each, catch=None, why=f"{why}: {each.catch.test}")
        if each.catch and each.catch.test not in held
        else each
        for each in trials
    ]


def _write(path: Path, commit: str, trials: list[Trial]) -> None:
    faults = [
        {
            "name": each.name,
            "caughtBy": each.catch.test if each.catch else "",
            "why": each.catch.why if each.catch else each.why,
            "seconds": round(each.seconds),
        }
        for each in trials
    ]
    record = {"commit": commit, "at": int(time.time()), "tried": len(faults), "faults": faults}
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
