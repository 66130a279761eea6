"""The model of scale: its arithmetic, and its measurement in the smallest size."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.benchmarks.processes import REPOSITORY
from tests.benchmarks.scale.model import BUSY, Measured, Model
from tests.benchmarks.scale.report import page
from tests.benchmarks.scale.runs import RunUse
from tests.benchmarks.scale.usage import Use
from tests.benchmarks.scale.waiting import Resend, Waiting


def run(callers: float) -> RunUse:
    """Return a run that costs 100 µs of each process and 300 µs that callers share."""
    cpu = (100 + 300 / callers) / 1e6
    use = Use(redis_cpu=cpu, gateway_cpu=cpu, worker_cpu=cpu, received=2_000, sent=500, memory=900)
    return RunUse(runs=1_000, requests=4.0, use=use)


def waiting(count: int) -> Waiting:
    """Return waiting executions of 700 bytes, each of which costs Redis 0.1 µs a second."""
    return Waiting(executions=count, bytes_each=700.0, idle=Use(redis_cpu=0.002 + count * 1e-7))


def idle(workers: int) -> Use:
    """Return a second of workers that send 12 commands each, beside 50 of the sweeper."""
    return Use(commands=50 + 12 * workers, redis_cpu=0.001 + 0.0005 * workers, connections=workers)


MEASURED = Measured(
    runs={callers: run(callers) for callers in (1, 8, 64)},
    models=run(8),
    webhooks=run(8),
    idle={workers: idle(workers) for workers in (1, 4, 16)},
    idle_gateway=Use(commands=40.0, redis_cpu=0.0004),
    worker_megabytes=50.0,
    gateway_megabytes=60.0,
    waiting=[waiting(count) for count in (10_000, 30_000, 100_000)],
    resend=Resend(commands=1.0, redis_cpu=4e-6, sweeper_cpu=2e-6),
    publication_cpu=1e-6,
    hint_cpu=30e-6,
    load_average=2.0,
)


def test_a_model_of_measurements_that_follow_its_formulas_predicts_the_others() -> None:
    checks = Model(MEASURED).checks()

    assert len(checks) == 4 + 4 + 2
    assert {round(each.error, 6) for each in checks} == {0.0}


def test_a_measurement_that_does_not_follow_is_an_error_of_the_prediction() -> None:
    twice = replace(run(8), use=replace(run(8).use, redis_cpu=2 * run(8).use.redis_cpu))

    checks = Model(replace(MEASURED, runs={**MEASURED.runs, 8: twice})).checks()

    errors = {each.what: each.error for each in checks if abs(each.error) > 1e-6}
    assert errors == {"CPU of Redis per run, 8 callers": pytest.approx(-0.5)}


def test_primaries_are_as_many_as_keep_each_below_the_planned_share() -> None:
    model = Model(MEASURED)

    needs = model.needs(10_000, model.run(8))

    load = 10_000 * 137.5e-6 + model.idle(needs.workers, needs.gateways).redis_cpu
    assert needs.workers == needs.gateways == 3  # 1.375 cores at 0.6 of each
    assert needs.redis_cores == pytest.approx(load + 0.01 * (needs.primaries - 1))
    assert needs.redis_cores <= BUSY * needs.primaries
    assert needs.redis_cores > BUSY * (needs.primaries - 1)
    assert needs.queue_cores == pytest.approx(0.31)
    assert needs.memory_per_hot_minute == pytest.approx(10_000 * 60 * 900)


def test_waiting_executions_and_idle_parts_add_up() -> None:
    model = Model(MEASURED)

    assert model.waiting(1_000_000).idle.redis_cpu == pytest.approx(0.102)
    assert model.idle(1_000, 100).commands == pytest.approx(50 + 12_000 + 4_000)
    assert model.resends(1_000_000) == pytest.approx(995, abs=1)


def test_the_page_states_the_largest_error_in_steps_of_five_percent() -> None:
    seen = replace(run(8), use=replace(run(8).use, worker_cpu=run(8).use.worker_cpu * 1.15))

    text = page(Model(replace(MEASURED, runs={**MEASURED.runs, 8: seen})))

    assert "**Stated error: ±15 %.** The largest is that of CPU of workers per run" in text
    assert "## 10,000 runs a second" in text
    assert "## 1,000,000 waiting executions" in text


@pytest.mark.thorough
def test_a_quick_session_measures_everything(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.scale", "--quick", "--output", str(tmp_path)]

    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "scale.json").read_text())
    assert found["runs"]["8"]["requests"] > 3
    assert found["models"]["use"]["redis_cpu"] > found["runs"]["8"]["use"]["redis_cpu"]
    assert found["waiting"][0]["bytes_each"] > 400
    assert (tmp_path / "scale.md").read_text().startswith("# Scale on paper\n")
