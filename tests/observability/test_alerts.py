"""Each fault raises the alerts that it should, and no other (`make alerts`)."""

import dataclasses
import datetime
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.observability.alerts.faults import FAULTS, Fault
from tests.support.observability.alerts.trial import Outcome, tried_stack, try_fault
from tests.support.observability.stack import ObservedStack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservedStack]:
    """A stack that all faults are planted in, one after another."""
    with tried_stack(tmp_path_factory.mktemp("alerts")) as stack:
        yield stack


@pytest.fixture(scope="module")
def outcomes() -> Iterator[list[Outcome]]:
    """Outcomes of all faults, which are written where `ALERTS_FIGURES` says."""
    found: list[Outcome] = []
    yield found
    if path := os.environ.get("ALERTS_FIGURES"):
        measured = (
            f"Measured on {datetime.date.today()}, {os.cpu_count()} cores, load "
            f"{os.getloadavg()[2]:.0f}."
        )
        kept = {"measured": measured, "outcomes": [dataclasses.asdict(each) for each in found]}
        Path(path).write_text(json.dumps(kept, indent=1))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: each.name)
def test_a_fault_raises_its_alerts_and_no_other(
    tried: ObservedStack, outcomes: list[Outcome], fault: Fault
) -> None:
    outcome = try_fault(tried, fault)
    outcomes.append(outcome)
    print(outcome)

    assert {*outcome.fired} == fault.alerts
    assert fault.looks in outcome.shown
