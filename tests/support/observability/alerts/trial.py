"""Trial of the alert rules: a fault in a watched stack, and the alerts that fire by it."""

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deploy.dashboards.written import RULES
from tests.support.acceptance.running_stack import environment
from tests.support.acceptance.versions.load import calling
from tests.support.guides.guide_shell import blocks
from tests.support.observability.alerts.faults import Fault
from tests.support.observability.alerts.parts import save
from tests.support.observability.alerts.scaled_rules import divide
from tests.support.observability.prometheus import Prometheus
from tests.support.observability.stack import DURABLE, ObservedStack, observed_stack
from tests.support.redis.stepped_clock import SteppedRedis

ROOT = Path(__file__).parents[4]
RUNBOOK = re.compile(r"runbook_url: (\S+)")
FACTOR = float(os.environ.get("ALERTS_FACTOR", "10"))
"""Divisor of the durations of the rules; a busy machine needs a smaller one."""
SCRAPE_SECONDS = 2.0
"""Also the longest time that a page of metrics may take, on a machine with other work."""
FIRE_SECONDS, CALM_SECONDS, QUIET_SECONDS = 1_800 / FACTOR, 4_000 / FACTOR, 450 / FACTOR
LINGER_SECONDS = 10.0
"""Time after the expected alerts in which others may come."""
CALLERS = 3
LARGE_BYTES = 400_000
"""Size of an output that goes to the place for media."""
BY_HAND = ("redis-cli", "sudo")
"""Commands of runbooks that need what a test does not have."""
JOURNAL = re.compile(r"journalctl -u 'headrace-([a-z]*)@?\*' -o cat(?: --since \S+)?")
"""Logs of units of systemd, for which the logs of processes stand here."""


@dataclass(kw_only=True)
class Outcome:
    """Alerts that fired by a fault, each with the seconds from the fault to its first firing."""

    fault: str
    expected: list[str]
    fired: dict[str, float] = field(default_factory=dict)
    resolved_after: float = 0.0
    """Seconds from the end of the fault until no alert was left."""
    shown: str = ""
    """Output of the first look of the runbooks."""


@contextlib.contextmanager
def tried_stack(folder: Path) -> Iterator[ObservedStack]:
    """Run a watched stack with the divided rules."""
    rules = folder / "rules.yaml"
    rules.write_text(divide(RULES.read_text(), FACTOR))
    media = folder / "media"
    media.mkdir()
    redis = SteppedRedis(*DURABLE)
    with observed_stack(
        folder,
        rules=[rules],
        redis=redis,
        scrape_seconds=SCRAPE_SECONDS,
        HEADRACE_MEDIA_URL=media.as_uri(),
    ) as stack:
        assert stack.traffic is not None and stack.prometheus is not None
        graph = calling(f"{stack.target.url}/large/{LARGE_BYTES}")
        stack.traffic.slugs["large"] = save(stack, "large", graph)
        stack.prometheus.await_targets()
        yield stack


def try_fault(stack: ObservedStack, fault: Fault) -> Outcome:
    """Plant a fault and take it back; return the alerts of the time until all are over."""
    prometheus = stack.prometheus
    assert prometheus is not None
    outcome = Outcome(fault=fault.name, expected=sorted(fault.alerts))
    with stack.calls(CALLERS, fault.kinds):
        await_calm(prometheus)
        began = time.time()
        with fault.plant(stack):
            if fault.alerts:
                await_alerts(prometheus, fault, began)
                outcome.shown = look(stack, fault)
                time.sleep(LINGER_SECONDS)
            else:
                time.sleep(QUIET_SECONDS)
        ended = time.time()
        outcome.resolved_after = await_calm(prometheus) - ended
    outcome.fired = fired_between(prometheus, began, time.time())
    assert not prometheus.rule_problems()
    return outcome


def await_alerts(prometheus: Prometheus, fault: Fault, began: float) -> None:
    """Wait until all alerts of a fault have fired, or for long enough to say that they do not."""
    deadline = time.time() + FIRE_SECONDS
    while time.time() < deadline:
        if fault.alerts <= fired_between(prometheus, began, time.time()).keys():
            return
        time.sleep(1)


def await_calm(prometheus: Prometheus) -> float:
    """Wait until no alert fires or is about to; return that time."""
    prometheus.until(lambda: not prometheus.alerts(), "no alert is left", CALM_SECONDS)
    return time.time()


def fired_between(prometheus: Prometheus, began: float, ended: float) -> dict[str, float]:
    """Return the alerts that fired, with the seconds from the beginning."""
    firing = 'max by (alertname) (ALERTS{alertstate="firing"})'
    found = prometheus.query_range(firing, began, ended)
    return {
        series.labels["alertname"]: round(series.points[0][0] - began, 1)
        for series in sorted(found, key=lambda each: each.points[0][0])
    }


def look(stack: ObservedStack, fault: Fault) -> str:
    """Run the first look of the runbook of each alert of a fault; return its output."""
    assert stack.prometheus is not None
    shown = []
    for alert in fault.alerts:
        page = runbook_of(alert)
        for query in blocks(page, "promql"):
            shown += [f"{query.strip()} = {stack.prometheus.query(query)}"]
        for block in blocks(page):
            for line in block.splitlines():
                if line and not any(word in line for word in BY_HAND):
                    shown.append(run_line(stack, line))
    return "\n".join(shown)


def runbook_of(alert: str) -> Path:
    """Return the page that a rule names."""
    return ROOT / RUNBOOK.findall(RULES.read_text().split(f"- alert: {alert}\n")[1])[0]


def run_line(stack: ObservedStack, line: str) -> str:
    """Run one command of a runbook as an operator would; return the command and its output."""
    port = stack.fleet.members[0].port
    if stack.gateways:
        port = stack.gateways[0].port
    command = line.replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    command = JOURNAL.sub(lambda unit: f"cat {stack.fleet.folder}/{unit[1]}*-*.log", command)
    done = subprocess.run(
        ["bash", "-uc", command],
        cwd=ROOT,
        env=environment(**stack.fleet.environ, ACCOUNT=stack.account_id, KEY=stack.key),
        capture_output=True,
        text=True,
        timeout=120,
    )
    return f"$ {line}\n{done.stdout}{done.stderr}"
