"""The monkey (`make soak MINUTES=60 SEED=1`): mixed real use under random faults loses nothing.

Users of all kinds work over two gateways, three workers, PostgreSQL and Sentinel, while a fault is
drawn each 5 to 40 s. The seed repeats the draws. `-s` shows each fault and all figures.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.acceptance.versions.releases import NoHistory, Release, check_out_previous
from tests.support.soak.faults import FAULTS, PREVIOUS
from tests.support.soak.figures import figures_of, must_be_flat
from tests.support.soak.plan import Turn, draw_turns
from tests.support.soak.session import Session, session

MINUTES = float(os.environ.get("MINUTES", "2"))
SEED = int(os.environ.get("SEED", "1"))
USERS = int(os.environ.get("USERS", "10"))
ONLY = os.environ.get("ONLY", "")
"""Parts of the names of the faults that are drawn, separated by commas; empty: all."""


def previous_release(folder: Path) -> Release | None:
    try:
        return check_out_previous(folder / "previous")
    except NoHistory as reason:
        print(reason)
        return None


def chosen(previous: Release | None) -> list[str]:
    """Return the names of the faults that may be drawn."""
    parts = ONLY.split(",")
    names = [name for name in FAULTS if any(part in name for part in parts)]
    return [name for name in names if previous or name != PREVIOUS]


async def report(
    soak: Session, seconds: float, turns: list[Turn], note: Callable[[str, object], None]
) -> None:
    """Run a session; note and print its figures and differences."""
    oracle = await soak.run(turns, seconds)
    note("seed", SEED)
    for name, value in figures_of(soak, oracle).items():
        note(name, value)
        print(f"{name}: {value}", flush=True)
    for began, ended in soak.differences.failovers:
        print(f"failover: {soak.differences.after(began)} to {soak.differences.after(ended)}")
    for each in soak.differences.found:
        print(each, flush=True)


@pytest.mark.thorough
async def test_mixed_use_under_a_kill_and_a_failover_loses_and_doubles_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """The smoke: a few seconds of the session."""
    kinds = ("a worker is killed", "a failover after a kill")
    turns = [Turn(at=1 + 3 * n, kind=kind, seed=kind) for n, kind in enumerate(kinds)]
    async with session(tmp_path, seed=SEED, users=6) as soak:
        await report(soak, 12.0, turns, record_property)

    assert soak.differences.unexplained == []


@pytest.mark.F48
@pytest.mark.slow
@pytest.mark.timeout(MINUTES * 60 + 3_600)
async def test_mixed_use_under_random_faults_loses_and_doubles_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    previous, seconds = previous_release(tmp_path), MINUTES * 60
    turns = draw_turns(SEED, seconds, chosen(previous), {PREVIOUS: seconds / 2 - 40})
    print(f"\nseed {SEED}, {MINUTES:g} minutes, {len(turns)} faults")
    async with session(tmp_path, seed=SEED, users=USERS, previous=previous) as soak:
        await report(soak, seconds, turns, record_property)

    assert soak.differences.unexplained == []
    must_be_flat(soak.footprint, soak.seconds)
