"""The reference page of metrics, made of their declarations: `python -m` this writes it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from engine.services.metrics import facts
from engine.telemetry.metrics import (
    DECLARATIONS,
    Declaration,
    deliveries,
    executions,
    history,
    processes,
    providers,
    releases,
    requests,
    triggers,
)

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"
SECTIONS: Sequence[tuple[str, ModuleType]] = (
    ("Requests", requests),
    ("Executions and workers", executions),
    ("Providers", providers),
    ("Webhooks", deliveries),
    ("Triggers and waits", triggers),
    ("Releases", releases),
    ("History", history),
    ("Processes", processes),
    ("State of the store", facts),
)
UNITS = {"_seconds": "s", "_bytes": "bytes"}
HEAD = """# Metrics

This page is made of the code by `make metrics`.

| address | metrics |
|---|---|
| `/metrics` of a gateway, or its `HEADRACE_METRICS_PORT` | all processes together, and the store |
| `/metrics/process` of the same | this gateway alone |
| `/metrics` of a worker's `HEADRACE_HEALTH_PORT` | this worker alone, without its archiver |

No address asks for a key. Each process puts its counts into Redis every two seconds, and every ten
while they do not change. Counts of processes that have ended stay in the sum. While Redis is away,
the page has the counts that it read last, and nothing of the store.

Each gateway shows the whole sum, so a query must not add gateways up:

```
sum by (status) (max without (instance, pod) (rate(headrace_executions_ended_total[5m])))
histogram_quantile(0.99, sum by (le) (
  max without (instance, pod) (rate(headrace_execution_seconds_bucket[5m]))))
max(headrace_oldest_hint_seconds)
```

No label names an account, a workflow, a model or a key: the number of series does not grow with
them. Each metric answers one of four questions: how much is asked for (traffic), what fails
(errors), how long it takes (latency), how full it is (saturation).
"""


def render() -> str:
    """Return the page."""
    parts = [HEAD]
    for title, module in SECTIONS:
        parts.append(f"\n## {title}\n\n")
        if module is facts:
            parts.append("Read for each page, with a bounded number of reads.\n\n")
        parts.append(
            "| metric | type | unit | labels | signal | meaning |\n|---|---|---|---|---|---|\n"
        )
        parts += map(_row, _declared_in(module))
    return "".join(parts)


def _declared_in(module: ModuleType) -> Iterator[Declaration]:
    text = Path(str(module.__file__)).read_text()
    for name in re.findall(r'^    "(headrace_\w+)"|\("(headrace_\w+)"', text, re.MULTILINE):
        yield DECLARATIONS[name[0] or name[1]]


def _row(each: Declaration) -> str:
    name = each.name.removesuffix("_total")
    unit = next((unit for suffix, unit in UNITS.items() if name.endswith(suffix)), "")
    cells = [f"`{each.name}`", each.kind, unit, _labels(each.labels), each.signal.value, each.text]
    return re.sub(r"\|  (?=\|)", "| ", f"| {' | '.join(cells)} |\n")


def _labels(labels: Mapping[str, Sequence[str] | str]) -> str:
    return "; ".join(
        f"`{name}`: {values if isinstance(values, str) else ' '.join(f'`{v}`' for v in values)}"
        for name, values in labels.items()
    )


if __name__ == "__main__":
    PAGE.write_text(render())
