"""Ways to watch an installation: the settings of each, and the code that runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.acceptance.versions.releases import check_out

OFF, AGAIN, BEFORE = "off", "off again", "before"
RARELY, ALWAYS, LINES = "traces, 1 %", "traces, 100 %", "lines"
ACCESS_LOG, EXECUTION_LOG = "access.log", "executions.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to watch, and the bar of its cost over `off`."""

    name: str
    meaning: str
    environ: Mapping[str, str] = field(default_factory=dict)
    most: float | None = None
    """Largest ratio of CPU per run to that of `off`; None: there is no bar."""


def ways_in(folder: Path, collector: str, base: str) -> Sequence[Way]:
    """Return all ways. `base` is the commit of `before`, whose code is written into the folder."""
    code = check_out(folder / "before", base)
    # Spans leave within a measurement, not while the next stack is measured.
    traces = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_BSP_SCHEDULE_DELAY": "250"}
    rarely = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.01"}
    lines = {
        "HEADRACE_ACCESS_LOG": str(folder / ACCESS_LOG),
        "HEADRACE_EXECUTION_LOG": str(folder / EXECUTION_LOG),
    }
    return (
        Way(name=OFF, meaning="no traces, no lines of requests and executions"),
        Way(name=AGAIN, meaning="another stack of the same, which shows the noise"),
        Way(
            name=BEFORE,
            meaning=f"commit {base[:8]}, which has neither",
            environ=code.environment,
        ),
        Way(name=RARELY, meaning="one run in a hundred", environ=traces | rarely, most=1.03),
        Way(name=ALWAYS, meaning="every run", environ=traces),
        Way(name=LINES, meaning="a line for each request and execution", environ=lines),
    )
