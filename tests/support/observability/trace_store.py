"""Collectors of traces, as processes that send to them and tests that ask for traces see them."""

import time
from collections.abc import Callable
from typing import Protocol

from tests.support.eventually import PATIENCE_SECONDS
from tests.support.observability.spans import Span


class TraceStore(Protocol):
    """A collector that answers with the spans of a trace."""

    @property
    def url(self) -> str:
        """Value of `OTEL_EXPORTER_OTLP_ENDPOINT`."""

    @property
    def trace_url(self) -> str:
        """Value of `HEADRACE_TRACE_URL`."""

    def trace(self, trace_id: str) -> list[Span]:
        """Return the spans of a trace, the first to begin first."""

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables of processes that send their spans here soon."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.url,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "HEADRACE_TRACE_URL": self.trace_url,
        }

    def await_trace(
        self,
        trace_id: str,
        holds: Callable[[list[Span]], object] = bool,
        *,
        timeout: float = PATIENCE_SECONDS,
    ) -> list[Span]:
        """Wait until the spans of a trace are as expected; return them."""
        deadline = time.monotonic() + timeout
        while not holds(found := self.trace(trace_id)):
            names = [each.name for each in found]
            assert time.monotonic() < deadline, f"trace {trace_id} has only {names}"
            time.sleep(0.1)
        return found
