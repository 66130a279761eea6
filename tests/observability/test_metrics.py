"""Metrics of a real installation: which there are after runs of all kinds, faults and a kill."""

import re
import shutil
import signal
import subprocess
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.services.metrics import facts
from engine.telemetry.metrics import DECLARATIONS, PARTS
from tests.support.acceptance.running_stack import until
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.metrics.samples import parse_samples
from tests.support.observability.stack import ObservedStack, observed_stack

pytestmark = pytest.mark.slow

SELDOM = {
    *("headrace_provider_jobs_unknown_total", "headrace_sweeps_failed_total"),
    *("headrace_background_tasks_restarted_total", "headrace_media_free_bytes"),
}
"""Metrics without a series until their event has happened, or a medium is stored."""
GROW = {
    *("headrace_http_requests_total", "headrace_http_request_seconds_count"),
    *("headrace_executions_accepted_total", "headrace_executions_ended_total"),
    *("headrace_execution_seconds_count", "headrace_hint_wait_seconds_count"),
    *("headrace_nodes_ended_total", "headrace_node_seconds_count", "headrace_waits_opened_total"),
    *("headrace_provider_calls_total", "headrace_provider_call_seconds_count"),
    *("headrace_provider_calls_granted_total", "headrace_webhook_attempts_total"),
    *("headrace_webhook_lag_seconds_count", "headrace_trigger_occurrences_total"),
    *("headrace_history_archived_total", "headrace_loop_lag_seconds_count"),
    *("headrace_redis_round_trip_seconds_count", "headrace_process_cpu_seconds_total"),
}
FULL = {
    *("headrace_process_memory_bytes", "headrace_process_open_files", "headrace_worker_slots"),
    *("headrace_pool_size", "headrace_workers_alive", "headrace_redis_up", facts.HISTORY_UP.name),
}
Labels = tuple[tuple[str, str], ...]


def read(url: str, path: str = "/metrics") -> str:
    with urllib.request.urlopen(url + path, timeout=PATIENCE_SECONDS) as answer:
        return str(answer.read().decode())


def sums(page: str) -> Mapping[str, float]:
    """Return the sum of each sample over its labels."""
    found: dict[str, float] = defaultdict(float)
    for sample in parse_samples(page):
        found[sample.name] += sample.value
    return found


def counts(page: str) -> Mapping[tuple[str, Labels], float]:
    """Return the samples that must never fall."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for sample in parse_samples(page)
        if sample.name.endswith(("_total", "_bucket", "_count"))
    }


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservedStack]:
    """A stack without a Prometheus that has made runs of all kinds, one of which failed."""
    with observed_stack(tmp_path_factory.mktemp("metrics"), scrapes=False) as stack:
        assert stack.traffic is not None
        for kind in stack.traffic.kinds:
            stack.make(kind)
        stack.providers["shaky"].fault = "fail=500"
        stack.make("shaky")
        yield stack


def await_page(stack: ObservedStack, *wanted: str) -> str:
    """Return the page once it has samples over 0 of these names."""
    found: list[str] = []

    def missing() -> set[str]:
        found[:] = [read(stack.url)]
        values = sums(found[0])
        return {name for name in wanted if not values.get(name)}

    until(missing, lambda names: not names, timeout=PATIENCE_SECONDS)
    return found[0]


def test_runs_of_all_kinds_fill_the_metrics(stack: ObservedStack) -> None:
    page = await_page(stack, *GROW, *FULL)

    named = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in text_string_to_metric_families(page)
        if family.samples
    }
    assert set(DECLARATIONS) - named <= SELDOM
    assert named <= set(DECLARATIONS)
    for part in PARTS:
        assert f'headrace_process_memory_bytes{{part="{part}"}}' in page


def test_promtool_has_no_objection(stack: ObservedStack) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is in Debian's package prometheus")

    done = subprocess.run(
        [program, "check", "metrics"], input=read(stack.url), text=True, capture_output=True
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_failing_provider_is_seen(stack: ObservedStack) -> None:
    page = await_page(stack, "headrace_executions_failed_total")

    assert re.search(
        r'headrace_provider_calls_total{outcome="failed",provider="[^"]+"} [1-9]', page
    )
    assert re.search(r'headrace_executions_failed_total{cause="provider"} [1-9]', page)


def test_a_process_alone_shows_what_it_did(stack: ObservedStack) -> None:
    gateway = read(stack.gateways[0].url, "/metrics/process")
    worker = read(stack.workers[0].url, "/metrics")

    assert 'headrace_loop_lag_seconds_count{part="gateway"}' in gateway
    assert 'part="worker"' not in gateway
    assert 'headrace_loop_lag_seconds_count{part="worker"}' in worker
    assert 'part="gateway"' not in worker


def test_no_count_falls_when_a_worker_and_a_gateway_are_killed(stack: ObservedStack) -> None:
    before = counts(await_page(stack, *GROW))
    for member in (stack.workers[0], stack.gateways[1]):
        member.process.send_signal(signal.SIGKILL)
        member.process.wait()
    stack.make("story")
    until(
        lambda: sums(read(stack.url))["headrace_processes"],
        lambda living: living <= 3,
        timeout=3 * PATIENCE_SECONDS,
    )

    after = counts(read(stack.url))
    fallen = {
        key: (value, after.get(key)) for key, value in before.items() if after.get(key, 0) < value
    }
    assert fallen == {}
