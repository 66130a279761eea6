"""Spans of calls: their parents, failures, and those that are kept until the end."""

import asyncio
from collections.abc import Iterator, Sequence
from contextvars import ContextVar

import pytest

from engine.errors.nodes import NodeFailed
from engine.telemetry.traces import calls
from engine.telemetry.traces.calls import CALLS, CallSpans, open_call
from engine.telemetry.traces.context import CURRENT, TraceContext
from engine.telemetry.traces.environment import TraceEnvironment
from engine.telemetry.traces.sampling import Sampling
from engine.telemetry.traces.span import Span
from engine.telemetry.traces.tracing import Tracing

ATTEMPT = TraceContext("1" * 32, "2" * 16, True)


@pytest.fixture
def tracing() -> Tracing:
    return Tracing(Sampling(), TraceEnvironment(is_on=True))


@pytest.fixture
def walk(tracing: Tracing) -> Iterator[CallSpans]:
    with walking(tracing, is_sampled=True) as spans:
        yield spans


class walking:
    def __init__(self, tracing: Tracing, *, is_sampled: bool) -> None:
        self.spans = CallSpans(tracing, "account", is_sampled=is_sampled)

    def __enter__(self) -> CallSpans:
        self._tokens = CALLS.set(self.spans), CURRENT.set(ATTEMPT)
        return self.spans

    def __exit__(self, *_: object) -> None:
        CALLS.reset(self._tokens[0])
        CURRENT.reset(self._tokens[1])


def sent(tracing: Tracing) -> Sequence[Span]:
    return [span for make in tracing.queue.take(10_000) for span in make()]


def test_a_call_outside_of_a_trace_has_no_span() -> None:
    with open_call("POST", {}) as call:
        assert call is None
        assert CURRENT.get() is None


def test_a_call_within_a_call_is_its_child(tracing: Tracing, walk: CallSpans) -> None:
    with open_call("chat", {"gen_ai.operation.name": "chat"}) as outer:
        assert outer is not None
        outer.attributes["gen_ai.usage.input_tokens"] = 7
        with open_call("POST", {}):
            assert CURRENT.get() != ATTEMPT

    inner_span, outer_span = sent(tracing)
    assert inner_span.parent_id == outer_span.span_id
    assert outer_span.parent_id == ATTEMPT.span_id
    assert {inner_span.trace_id, outer_span.trace_id} == {ATTEMPT.trace_id}
    assert outer_span.attributes["gen_ai.usage.input_tokens"] == 7
    assert CURRENT.get() == ATTEMPT


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NodeFailed("provider_unavailable", "it said: secret"), "provider_unavailable"),
        (ValueError("secret"), "ValueError"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
def test_a_failure_is_told_by_its_code_alone(
    error: BaseException, code: str, tracing: Tracing, walk: CallSpans
) -> None:
    with pytest.raises(type(error)), open_call("POST", {}):
        raise error

    [span] = sent(tracing)
    assert span.error_type == code
    assert "secret" not in str(span)


def test_calls_of_a_trace_that_is_not_sampled_are_sent_if_the_run_fails(tracing: Tracing) -> None:
    with walking(tracing, is_sampled=False) as spans:
        for number in range(calls.MAX_KEPT + 5):
            with open_call(f"call {number}", {}):
                pass
        assert sent(tracing) == []
        spans.send_kept()

    names = [span.name for span in sent(tracing)]
    assert len(names) == calls.MAX_KEPT
    assert names[-1] == f"call {calls.MAX_KEPT + 4}"
    spans.send_kept()
    assert sent(tracing) == []


def test_the_calls_of_one_walk_have_a_bound(
    tracing: Tracing, walk: CallSpans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "MAX_CALLS", 3)
    for _ in range(5):
        with open_call("POST", {}):
            pass

    assert len(sent(tracing)) == 3


async def test_tasks_of_a_walk_share_its_spans(tracing: Tracing, walk: CallSpans) -> None:
    async def call(name: str) -> None:
        with open_call(name, {}):
            await asyncio.sleep(0)

    await asyncio.gather(call("first"), call("second"))

    spans = sent(tracing)
    assert {span.name for span in spans} == {"first", "second"}
    assert {span.parent_id for span in spans} == {ATTEMPT.span_id}
    assert isinstance(CALLS, ContextVar)
