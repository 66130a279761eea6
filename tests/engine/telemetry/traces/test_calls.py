"""Spans of calls: their parents, failures, and those that are kept until the end."""

import asyncio
from collections.abc import Iterator

import pytest

from engine.errors.nodes import NodeFailed
from engine.telemetry.traces import calls
from engine.telemetry.traces.account_queue import AccountSpace
from engine.telemetry.traces.calls import CALLS, begin_calls, is_traced, open_call, open_tool_call
from engine.telemetry.traces.context import CURRENT, TraceContext
from engine.telemetry.traces.span import NS_OF_MS
from engine.telemetry.traces.tracing import Tracing
from tests.support.observability.traced import ATTEMPT, NOW, take_spans, traced_walk, tracing_on

HOUR_NS = 3_600 * 10**9
UNSAMPLED = TraceContext(ATTEMPT.trace_id, ATTEMPT.span_id, False)


@pytest.fixture
def made() -> Iterator[Tracing]:
    with traced_walk() as (using, _):
        yield using


def test_a_call_outside_of_a_trace_has_no_span() -> None:
    with open_call("POST", {}) as call:
        assert call is None
        assert CURRENT.get() is None


def test_a_call_within_a_call_is_its_child(made: Tracing) -> None:
    with open_call("chat", {"gen_ai.operation.name": "chat"}) as outer:
        assert outer is not None
        outer.attributes["gen_ai.usage.input_tokens"] = 7
        with open_call("POST", {}):
            assert CURRENT.get() != ATTEMPT

    inner_span, outer_span = take_spans(made)
    assert inner_span.parent_id == outer_span.span_id
    assert outer_span.parent_id == ATTEMPT.span_id
    assert {inner_span.trace_id, outer_span.trace_id} == {ATTEMPT.trace_id}
    assert outer_span.attributes["gen_ai.usage.input_tokens"] == 7
    assert CURRENT.get() == ATTEMPT
    assert 0 <= outer_span.began_at - NOW * NS_OF_MS < HOUR_NS  # by the store's clock


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NodeFailed("provider_unavailable", "it said: secret"), "provider_unavailable"),
        (ValueError("secret"), "ValueError"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
def test_a_failure_is_told_by_its_code_alone(
    error: BaseException, code: str, made: Tracing
) -> None:
    with pytest.raises(type(error)), open_call("POST", {}):
        raise error

    [span] = take_spans(made)
    assert span.error_type == code
    assert "secret" not in str(span)


def test_calls_of_a_trace_that_is_not_sampled_are_sent_if_the_run_fails() -> None:
    with traced_walk(is_sampled=False) as (made, spans):
        for number in range(calls.MAX_KEPT + 5):
            with open_call(f"call {number}", {}):
                pass
        assert take_spans(made) == []
        spans.send_kept()

    names = [span.name for span in take_spans(made)]
    assert len(names) == calls.MAX_KEPT
    assert names[-1] == f"call {calls.MAX_KEPT + 4}"
    spans.send_kept()
    assert take_spans(made) == []


def test_the_walks_of_an_account_keep_few_calls_beyond_the_last_of_each() -> None:
    with traced_walk(is_sampled=False) as (made, _):
        made.kept = AccountSpace(100)
        walks = [begin_calls("greedy", UNSAMPLED, NOW) for _ in range(1_000)]
        for number, walk in enumerate(filter(None, walks)):
            CALLS.set(walk)
            for each in range(10):
                with open_call(f"call {number}.{each}", {}):
                    pass
        other = begin_calls("other", UNSAMPLED, NOW)
        for each in range(10):
            with open_call(f"other {each}", {}):
                pass

        assert other is not None
        other.send_kept()
        assert len(take_spans(made)) == 10
        last = walks[-1]
        assert last is not None
        last.send_kept()
        assert [span.name for span in take_spans(made)] == ["call 999.9"]
        for walk in filter(None, walks):
            walk.drop_kept()
        assert sum(made.kept.take("greedy") for _ in range(100)) == 50


def test_the_calls_of_one_walk_have_a_bound(made: Tracing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MAX_CALLS", 3)
    for _ in range(5):
        with open_call("POST", {}):
            pass

    assert len(take_spans(made)) == 3


async def test_tasks_of_a_walk_share_its_spans(made: Tracing) -> None:
    async def call(name: str) -> None:
        with open_call(name, {}):
            await asyncio.sleep(0)

    await asyncio.gather(call("first"), call("second"))

    spans = take_spans(made)
    assert {span.name for span in spans} == {"first", "second"}
    assert {span.parent_id for span in spans} == {ATTEMPT.span_id}


def test_without_tracing_or_a_trace_a_walk_has_no_spans() -> None:
    assert begin_calls("account", ATTEMPT, NOW) is None
    with tracing_on():
        assert begin_calls("account", None, NOW) is None
    assert not is_traced()


def test_a_call_of_a_tool_names_the_tool_and_its_server(made: Tracing) -> None:
    with open_tool_call("find-order" + "x" * 200, "tools.example") as call:
        assert call is not None

    [span] = take_spans(made)
    assert span.name == ("execute_tool find-order" + "x" * 118)
    assert span.attributes["gen_ai.operation.name"] == "execute_tool"
    assert span.attributes["gen_ai.tool.name"] == "find-order" + "x" * 118
    assert span.attributes["server.address"] == "tools.example"
