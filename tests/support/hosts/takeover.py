"""Runs that a host holds when something happens to it, and the others that go on with them."""

import asyncio
from collections.abc import Sequence

from tests.support.acceptance.versions.load import Run
from tests.support.hosts.trial import HostsTrial

COUNT = 24
"""Runs of which each worker takes some."""


async def begin_held(trial: HostsTrial, name: str) -> tuple[list[Run], list[Run]]:
    """Begin runs whose calls take longer than a lease; return all, and those that a host holds.

    All calls have been made then. A host with none at first gets further runs.
    """
    runs, held = list[Run](), list[Run]()
    while not held:
        runs += await asyncio.gather(*(trial.load.accept("held") for _ in range(COUNT)))
        for run in runs:
            await trial.reached(lambda run=run: _first(trial, run))
        held = held_by(trial, name, runs)
    return runs, held


def held_by(trial: HostsTrial, name: str, runs: Sequence[Run]) -> list[Run]:
    """Return the runs whose call was made by a host."""
    address = trial.installed.host(name).address
    return [
        run for run in runs if trial.target.calls_of(trial.load.path_of(run))[0].address == address
    ]


async def seconds_until_others(
    trial: HostsTrial, name: str, runs: Sequence[Run], since: float
) -> list[float]:
    """Return the seconds from a moment until another host has made the call of each run again."""
    address = trial.installed.host(name).address

    def again(run: Run) -> float | None:
        calls = trial.target.calls_of(trial.load.path_of(run))
        return next((each.at for each in calls if each.address != address), None)

    return [await trial.reached(lambda run=run: again(run)) - since for run in runs]


async def await_ends(trial: HostsTrial, runs: Sequence[Run]) -> None:
    """Wait until runs have ended."""
    await asyncio.gather(*(trial.load.await_end(run) for run in runs))


def calls(trial: HostsTrial, runs: Sequence[Run]) -> list[int]:
    """Return the number of calls that each run has made."""
    return [len(trial.target.calls_of(trial.load.path_of(run))) for run in runs]


def _first(trial: HostsTrial, run: Run) -> float | None:
    found = trial.target.calls_of(trial.load.path_of(run))
    return found[0].at if found else None
