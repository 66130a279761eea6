"""Tracing of a process: off, on, without the extra, and its bounds."""

import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from engine.process.extras import install_hint
from engine.telemetry.traces import context, environment, tracing
from engine.telemetry.traces.environment import TraceEnvironment
from engine.telemetry.traces.sampling import Sampling
from engine.telemetry.traces.span import Span, make_span
from engine.telemetry.traces.tracing import Tracing, open_tracing

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
SPAN = make_span(
    context.TraceContext("1" * 32, "2" * 16, True), "", "x", began_at=1, ended_at=2, attributes={}
)


async def test_without_an_endpoint_nothing_is_imported_and_no_trace_begins() -> None:
    async with open_tracing("gateway", "gateway-1", {}) as opened:
        assert opened is None
        assert tracing.active() is None
        assert context.new_trace() is None


def test_processes_import_no_exporter_until_an_endpoint_is_set() -> None:
    """The client of Redis imports the library itself where it is installed, but no exporter."""
    names = ("opentelemetry.exporter", "requests", tracing.EXPORT)
    code = (
        "import sys, gateway.server, workers.main, workers.history.main\n"
        f"print([name for name in sys.modules if name.startswith({names})])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "[]"


async def test_an_endpoint_without_the_extra_is_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(environment, "_is_installed", lambda module: False)

    with caplog.at_level(logging.WARNING):
        async with open_tracing("gateway", "gateway-1", ENDPOINT) as opened:
            assert opened is None

    [line] = caplog.messages
    assert install_hint("otel") in line


async def test_spans_reach_the_sender_by_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Span] = []
    replace_sender(monkeypatch, lambda spans: not sent.extend(spans))

    async with open_tracing("gateway", "gateway-1", ENDPOINT) as opened:
        assert opened is tracing.active() is not None
        begun = context.new_trace()
        assert begun is not None and begun.is_sampled
        opened.add("account", [SPAN])

    assert sent == [SPAN]
    assert tracing.active() is None
    assert context.new_trace() is None


def test_a_greedy_account_leaves_space_for_others() -> None:
    made = Tracing(Sampling(), TraceEnvironment(is_on=True, queue_spans=100))
    woken: list[bool] = []
    made.note_full = lambda: woken.append(True)

    for _ in range(1_000):
        made.add("greedy", [SPAN])
    made.add("modest", [SPAN] * 5)

    assert len(made.queue) == 55
    assert [len(make()) for make in made.queue.take(2)] == [1, 5]
    assert woken == []


def replace_sender(monkeypatch: pytest.MonkeyPatch, send: Callable[[Sequence[Span]], bool]) -> None:
    """Let spans go to `send`, in the real thread."""
    real = tracing.import_module

    def load(name: str) -> Any:
        if name.endswith(".otlp"):
            return SimpleNamespace(make_sender=lambda *_: (send, lambda: None))
        return real(name)

    monkeypatch.setattr(tracing, "import_module", load)
