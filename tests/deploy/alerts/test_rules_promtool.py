"""The tests of the alert rules by promtool, as they stand and in other installations.

The cases have one series for each metric. Here they are repeated with two gateways, with the labels
that Kubernetes adds beside pages of single workers, and beside healthy values of other metrics.
"""

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml", reason="comes with schemathesis")

FOLDER = Path(__file__).parents[3] / "deploy" / "alerts"
CASES = FOLDER / "rules_test.yaml"
STEPS = re.compile(r"(-?[\d.]+)(?:([+-][\d.]+))?x(\d+)")
HEALTHY = {
    "headrace_redis_up": "1x130",
    "headrace_workers_alive": "2x130",
    "headrace_redis_memory_used_bytes": "10x130",
    "headrace_redis_memory_limit_bytes": "100x130",
    "headrace_oldest_hint_seconds": "0x130",
    "headrace_oldest_delivery_seconds": "0x130",
    'headrace_webhook_lag_seconds_bucket{le="10.0"}': "0+1x130",
    "headrace_webhook_lag_seconds_count": "0+1x130",
    "headrace_due_lag_seconds": "0x130",
    "headrace_schedule_due_lag_seconds": "0x130",
    "headrace_history_up": "1x130",
    "headrace_history_lag_seconds": "2x130",
    "headrace_http_faults_total": "0x130",
    'headrace_http_requests_total{route="/api/me",method="GET",status="200"}': "0+1x130",
    'headrace_executions_ended_total{status="cancelled"}': "0x130",
    'headrace_executions_failed_total{cause="internal"}': "0x130",
    'headrace_executions_failed_total{cause="caller"}': "0+1x130",
    "headrace_storage_failures_total": "0x130",
    'headrace_provider_calls_total{provider="r",outcome="ok"}': "0+1x130",
    'headrace_provider_breaker_open{provider="r"}': "0x130",
    'headrace_schedule_lateness_seconds_bucket{le="10.0"}': "0+1x130",
    "headrace_schedule_lateness_seconds_count": "0+1x130",
    'headrace_wait_lateness_seconds_bucket{le="10.0"}': "0+1x130",
    "headrace_wait_lateness_seconds_count": "0+1x130",
    'headrace_trigger_occurrences_total{kind="schedule",status="missed",reason=""}': "5x130",
}
"""Values of an installation without faults, by series."""

Series = dict[str, str]
Variant = Callable[[Sequence[Series]], list[Series]]


def with_labels(series: str, **labels: str) -> str:
    """Return the name of a series with further labels."""
    added = ", ".join(f'{name}="{value}"' for name, value in labels.items())
    name, _, given = series.rstrip("}").partition("{")
    return f"{name}{{{', '.join(filter(None, (given, added)))}}}"


def name_of(series: str) -> str:
    """Return the name of the metric."""
    return series.partition("{")[0]


def two_gateways(found: Sequence[Series]) -> list[Series]:
    """Each of two gateways tells the whole; the second one restarts for three scrapes."""
    return [
        {"series": with_labels(each["series"], job="headrace", instance=instance), "values": values}
        for each in found
        for instance, values in (("a", each["values"]), ("b", with_gap(each["values"])))
    ]


def with_gap(values: str, first: int = 30) -> str:
    """Return values without those of three scrapes."""
    listed = [word for part in values.split() for word in expand(part)]
    return " ".join(
        ("stale" if number == first else "_") if first <= number < first + 3 else word
        for number, word in enumerate(listed)
    )


def expand(part: str) -> list[str]:
    """Return the single values of a word such as `0+2x80`, `1x8`, `_x2`, `stale` or `5`."""
    if part.startswith("_x"):
        return ["_"] * int(part[2:])
    if not (steps := STEPS.fullmatch(part)):
        return [part]
    begin, step, count = float(steps[1]), float(steps[2] or 0), int(steps[3])
    return [f"{begin + step * number:g}" for number in range(count + 1)]


def kubernetes(found: Sequence[Series]) -> list[Series]:
    """Labels of pods are added, and each of two workers has half of the counts on its own page."""
    pods = [
        {**each, "series": with_labels(each["series"], namespace="n", job="gateway", pod=pod)}
        for each in found
        for pod in ("gateway-1", "gateway-2")
    ]
    halves = [
        {
            "series": with_labels(each["series"], namespace="n", job="worker", pod=pod),
            "values": " ".join(
                word if word in ("_", "stale") else f"{float(word) / 2:g}"
                for part in each["values"].split()
                for word in expand(part)
            ),
        }
        for each in found
        for pod in ("worker-1", "worker-2")
        if name_of(each["series"]).endswith(("_total", "_bucket", "_count"))
    ]
    return pods + halves


def beside_healthy(found: Sequence[Series]) -> list[Series]:
    """All other metrics are there, with the values of an installation without faults."""
    names = {name_of(each["series"]) for each in found}
    others = [
        {"series": series, "values": values}
        for series, values in HEALTHY.items()
        if name_of(series) not in names
    ]
    return [*found, *others]


VARIANTS: dict[str, Variant] = {
    "two gateways": two_gateways,
    "kubernetes": kubernetes,
    "beside healthy values": beside_healthy,
    "two gateways beside healthy values": lambda found: two_gateways(beside_healthy(found)),
    "kubernetes beside healthy values": lambda found: kubernetes(beside_healthy(found)),
}


def has_gateways(case: Any) -> bool:
    """Return whether a case has gateways of its own, or begins without any."""
    names = [each["series"] for each in case["input_series"]]
    return any("instance=" in each or each.startswith("up{") for each in names)


def run_promtool(document: Any, folder: Path) -> None:
    """Fail unless all tests of a document pass."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is in Debian's package prometheus")
    document["rule_files"] = [str(FOLDER / "rules.yaml")]
    path = folder / "cases.yaml"
    path.write_text(json.dumps(document))
    done = subprocess.run([program, "test", "rules", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_cases_pass_as_they_stand(tmp_path: Path) -> None:
    run_promtool(yaml.safe_load(CASES.read_text()), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_cases_pass_in_other_installations(variant: str, tmp_path: Path) -> None:
    document = copy.deepcopy(yaml.safe_load(CASES.read_text()))
    document["tests"] = [each for each in document["tests"] if not has_gateways(each)]
    for case in document["tests"]:
        case["input_series"] = VARIANTS[variant](case["input_series"])

    assert len(document["tests"]) > 30
    run_promtool(document, tmp_path)


def test_a_healthy_installation_raises_no_alert(tmp_path: Path) -> None:
    series = two_gateways(beside_healthy([]))
    checks = [{"expr": "ALERTS", "eval_time": f"{minute}m"} for minute in range(1, 30)]
    case = {"interval": "15s", "input_series": series, "promql_expr_test": checks}

    run_promtool({"evaluation_interval": "15s", "tests": [case]}, tmp_path)


@pytest.mark.slow
def test_a_metric_that_is_missing_raises_no_other_alert(tmp_path: Path) -> None:
    down = [{"labels": '{alertname="HeadraceDown"}', "value": 1}]
    cases = []
    for missing in sorted({name_of(each) for each in HEALTHY}):
        check = {
            "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
            "eval_time": "12m",
            "exp_samples": down if missing == "headrace_redis_up" else [],
        }
        series = [each for each in beside_healthy([]) if name_of(each["series"]) != missing]
        cases.append({"interval": "15s", "input_series": series, "promql_expr_test": [check]})

    run_promtool({"evaluation_interval": "15s", "tests": cases}, tmp_path)


def test_every_metric_of_the_rules_has_a_healthy_value_here() -> None:
    text = (FOLDER / "rules.yaml").read_text()
    named = {
        name
        for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
        for name in re.findall(r"headrace_\w+", rule["expr"])
    }

    assert named == {name_of(each) for each in HEALTHY}


def test_every_alert_has_a_case_that_fires_and_one_that_does_not() -> None:
    rules = yaml.safe_load((FOLDER / "rules.yaml").read_text())["groups"]
    alerts = {rule["alert"] for group in rules for rule in group["rules"]}
    cases = yaml.safe_load(CASES.read_text())["tests"]
    expected = [
        sample["labels"]
        for case in cases
        for check in case.get("promql_expr_test", [])
        for sample in check.get("exp_samples", [])
    ]

    for alert in alerts:
        assert any(f'alertname="{alert}"' in each for each in expected), alert
    quiet = [
        case
        for case in cases
        if not any(
            check.get("exp_samples") for check in case.get("promql_expr_test", [{"exp_samples": 1}])
        )
    ]
    assert len(quiet) >= len(alerts)
