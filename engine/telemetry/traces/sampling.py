"""Sampling: which traces are recorded, by the standard variables of OpenTelemetry."""

import logging
from collections.abc import Mapping

from msgspec import Struct

SAMPLER, ARGUMENT = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
PARENT_BASED = "parentbased_"
DEFAULT = "parentbased_always_on"
RATES = {"always_on": 1.0, "always_off": 0.0}
BY_RATE = "traceidratio"
RANDOM_BITS = 64
"""Lower bits of a trace's id, by which all processes decide alike."""

log = logging.getLogger(__name__)


class Sampling(Struct, frozen=True):
    """Rate of traces that are recorded, and whether the caller's decision counts first."""

    rate: float = 1.0
    is_parent_based: bool = True

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Sampling":
        """Read the variables; a wrong value is logged, and the default is used."""
        name = environ.get(SAMPLER, "").strip().lower() or DEFAULT
        kind = name.removeprefix(PARENT_BASED)
        is_parent_based = kind != name
        if kind in RATES:
            return cls(RATES[kind], is_parent_based)
        if kind == BY_RATE:
            return cls(_read_rate(environ.get(ARGUMENT, "")), is_parent_based)
        log.warning("unknown sampler of traces; use another", extra={"variable": SAMPLER})
        return cls()

    def has_trace(self, trace_id: str) -> bool:
        """Decide about a new trace: by its id, so that another process decides the same."""
        low = int(trace_id, 16) & ((1 << RANDOM_BITS) - 1)
        return low < round(self.rate * (1 << RANDOM_BITS))

    def samples(self, trace_id: str, is_caller_sampled: bool | None) -> bool:
        """Decide as a `Sampler` of the process: by the caller's decision, if there is a caller."""
        if is_caller_sampled is None or not self.is_parent_based:
            return self.has_trace(trace_id)
        return is_caller_sampled


def _read_rate(text: str) -> float:
    try:
        rate = float(text or 1)
    except ValueError:
        rate = -1.0
    if 0 <= rate <= 1:
        return rate
    log.warning("the rate of traces is no number from 0 to 1", extra={"variable": ARGUMENT})
    return 1.0
