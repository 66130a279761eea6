"""Tests that catch a planted fault: those of its rows, the quick ones first."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.catalogue.rows import files
from tests.planted.plan import ROOT, Planted, run_in
from tests.planted.warm import run_warm
from tests.support.suite.suite_order import STARTS_STACKS

SOME_FAILED, UNKNOWN_TEST, ENDS = 1, 4, {0, 1, 5}
SLOW = (*STARTS_STACKS, "tests/contract/")
QUIET = ("-q", "--timeout=120", "-p", "tests.planted.unshrunk")
EACH_SECONDS = 60
"""Time of each test that runs without a fault, more than most need."""


@dataclass(frozen=True, kw_only=True)
class Catch:
    """A test that fails with the fault, and the begin of its reason."""

    test: str
    why: str


def first_failure(fault: Planted, last: str, seconds: float) -> Catch | None:
    """Return the first test of the fault's rows that fails, `last` before others; None: none does.

    Raises ValueError if they cannot be run, and subprocess.TimeoutExpired after `seconds`.
    """
    ends_at = time.monotonic() + seconds
    marks = " or ".join(fault.rows)
    paths = {
        path.relative_to(ROOT).as_posix() for row in fault.rows for path in files().get(row, [])
    }
    stacks = {each for each in paths if each.startswith(SLOW)}
    for names, kind in (
        ({last} - {""}, marks),
        (paths - stacks, f"({marks}) and not slow"),
        (stacks, f"({marks}) and not slow"),
        (paths, f"({marks}) and slow"),
    ):
        if not names:
            continue
        words = (*QUIET, "-x", "-m", kind, *sorted(names))
        code, written = _run(fault, words, ends_at - time.monotonic())
        if code == SOME_FAILED:
            return next(failures(written))
        if code not in ENDS and not (code == UNKNOWN_TEST and names == {last}):
            raise ValueError(f"the tests cannot be run: {written[-1000:]}")
    return None


def _run(fault: Planted, words: tuple[str, ...], seconds: float) -> tuple[int, str]:
    if fault.is_script:
        return run_warm(*words, seconds=seconds)
    return run_in(ROOT, "-m", "pytest", *words, seconds=seconds)


def holding(tests: list[str]) -> set[str]:
    """Return those of the tests that pass on the code as it is."""
    if not tests:
        return set()
    words = (*QUIET, "-m", "slow or not slow", *tests)
    code, written = run_warm(*words, seconds=EACH_SECONDS * (5 + len(tests)))
    if code not in ENDS:
        raise ValueError(f"the tests cannot be run: {written[-1000:]}")
    return set(tests) - {each.test for each in failures(written)}


def failures(written: str) -> Iterator[Catch]:
    """Yield the failures in pytest's summary."""
    for line in written.splitlines():
        kind, _, told = line.partition(" ")
        if kind in ("FAILED", "ERROR") and "::" in told:
            test, _, why = told.partition(" - ")
            yield Catch(test=test, why=why[:200])
