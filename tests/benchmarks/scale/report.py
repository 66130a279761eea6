"""The model of scale as a page and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.report import machine_line, shown
from tests.benchmarks.scale.model import BUSY, FEW, MANY, UNDER_WAY, Check, Model
from tests.benchmarks.scale.runs import ROUNDS, RunUse
from tests.benchmarks.scale.usage import Use
from tests.benchmarks.scale.waiting import ACCOUNTS

TEMPLATE = Path(__file__).with_name("page.md")
RATE = 10_000
WAITING = 1_000_000
WORKERS, GATEWAYS = 1_000, 100
MICRO, MILLI, MEGA, GIGA = 1e6, 1e3, 1e6, 1e9
HOT_MINUTES = 60

Cells = Sequence[object]


def write(folder: Path, model: Model) -> None:
    """Write scale.md and scale.json."""
    folder.mkdir(parents=True, exist_ok=True)
    record = asdict(model.measured)
    (folder / "scale.json").write_text(json.dumps(record, indent=2) + "\n")
    (folder / "scale.md").write_text(page(model))


def page(model: Model) -> str:
    """Return the page."""
    facts = _check_facts(model) | _idle_facts(model) | _waiting_facts(model)
    return TEMPLATE.read_text(encoding="utf-8").format(
        machine=machine_line(),
        load=shown(model.measured.load_average),
        rounds=ROUNDS,
        runs=_run_table(model),
        idle=_idle_table(model),
        accounts=ACCOUNTS,
        waiting=_waiting_table(model),
        few=FEW,
        many=MANY,
        under_way=UNDER_WAY,
        busy=f"{BUSY:.0%}",
        needs=_need_table(model),
        **facts,
    )


def _run_table(model: Model) -> str:
    measured = model.measured
    return _table(
        ("run", "callers", "requests", "commands", "CPU of Redis (µs)", "of gateways (µs)"),
        ("of workers (µs)", "to Redis (bytes)", "from Redis (bytes)", "kept in Redis (bytes)"),
        *(_run_row("W1", callers, found) for callers, found in sorted(measured.runs.items())),
        _run_row("three models in line", UNDER_WAY, measured.models),
        _run_row("W1 in the background, with a webhook", UNDER_WAY, measured.webhooks),
    )


def _run_row(name: str, callers: int, found: RunUse) -> Cells:
    use = found.use
    times = [each * MICRO for each in (use.redis_cpu, use.gateway_cpu, use.worker_cpu)]
    sizes = use.received, use.sent, use.memory
    return (name, callers, found.requests, use.commands, *times, *sizes)


def _idle_table(model: Model) -> str:
    measured = model.measured
    gateway = measured.idle_gateway
    return _table(
        ("part", "commands", "CPU of Redis (ms)", "own CPU (ms)"),
        ("to and from Redis (bytes)", "connections", "memory (MB)"),
        _idle_row("a worker", model.worker, model.worker.worker_cpu, measured.worker_megabytes),
        _idle_row("a gateway", gateway, gateway.gateway_cpu, measured.gateway_megabytes),
        _idle_row("once: the leading sweeper, and Redis itself", model.base, None, None),
    )


def _idle_row(name: str, use: Use, cpu: float | None, megabytes: float | None) -> Cells:
    own = None if cpu is None else cpu * MILLI
    sizes = use.received + use.sent, use.connections
    return (name, use.commands, use.redis_cpu * MILLI, own, *sizes, megabytes)


def _waiting_table(model: Model) -> str:
    rows = (
        (
            *(f"{each.executions:,}", each.bytes_each, each.idle.commands),
            *(each.idle.redis_cpu * MILLI, each.idle.worker_cpu * MILLI),
        )
        for each in model.measured.waiting
    )
    return _table(
        ("waiting", "in Redis, each (bytes)", "commands in a second"),
        ("CPU of Redis in a second (ms)", "of the sweeping worker (ms)"),
        *rows,
    )


def _check_facts(model: Model) -> dict[str, object]:
    checks = model.checks()
    worst = max(checks, key=lambda each: abs(each.error))
    table = _table(
        ("prediction", "unit"),
        ("predicted", "measured", "error"),
        *(
            (each.what, each.unit, each.predicted, each.measured, f"{each.error:+.0%}")
            for each in checks
        ),
    )
    return {"checks": table, "error": stated_error(checks), "worst": worst.what}


def stated_error(checks: Sequence[Check]) -> int:
    """Return the percents that no error exceeds, in steps of five."""
    largest = max(abs(each.error) for each in checks)
    return 5 * (int(largest * 20) + 1)


def _need_table(model: Model) -> str:
    measured = model.measured
    kinds = (
        ("W1", model.run(UNDER_WAY)),
        ("three models in line", measured.models.use),
        ("W1 with a webhook", measured.webhooks.use),
    )
    return _table(
        ("run", "primaries", "cores of Redis", "of these, for hints, on one primary"),
        ("gateways", "workers", "network (MB/s)", "memory per minute (GB)", "for 60 (GB)"),
        *(_need_row(model, name, use) for name, use in kinds),
    )


def _need_row(model: Model, name: str, use: Use) -> Cells:
    needs = model.needs(RATE, use)
    gigabytes = needs.memory_per_hot_minute / GIGA
    return (
        *(name, needs.primaries, needs.redis_cores, needs.queue_cores),
        *(needs.gateways, needs.workers, needs.bytes_per_second / MEGA),
        *(gigabytes, gigabytes * HOT_MINUTES),
    )


def _idle_facts(model: Model) -> dict[str, object]:
    measured, idle = model.measured, model.idle(WORKERS, GATEWAYS)
    megabytes = WORKERS * measured.worker_megabytes + GATEWAYS * measured.gateway_megabytes
    return {
        "workers": f"{WORKERS:,}",
        "gateways": GATEWAYS,
        "idle_commands": shown(idle.commands),
        "idle_cores": shown(idle.redis_cpu),
        "idle_connections": shown(idle.connections),
        "idle_network": shown((idle.received + idle.sent) / MEGA),
        "idle_memory": shown(megabytes / MILLI),
    }


def _waiting_facts(model: Model) -> dict[str, object]:
    waiting, resend = model.waiting(WAITING), model.measured.resend
    resends = model.resends(WAITING)
    return {
        "waiting_memory": shown(waiting.bytes_each * WAITING / GIGA),
        "waiting_cores": shown(waiting.idle.redis_cpu),
        "resend_redis": shown(resend.redis_cpu * MICRO),
        "resend_sweeper": shown(resend.sweeper_cpu * MICRO),
        "resends": shown(resends),
        "resend_cores": shown(resends * resend.redis_cpu),
    }


def _table(head: Sequence[str], more: Sequence[str], *rows: Cells) -> str:
    names = (*head, *more)
    lines = [
        f"| {' | '.join(names)} |",
        f"|{'|'.join('---' if place == 0 else '---:' for place in range(len(names)))}|",
        *(f"| {' | '.join(map(_cell, row))} |" for row in rows),
    ]
    return "\n".join(lines)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return shown(value) if isinstance(value, float) else str(value)
