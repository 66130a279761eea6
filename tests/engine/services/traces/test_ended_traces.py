"""Traces of ended executions: read in the background, in turns, and without their values."""

import asyncio

import pytest

from engine.services.background_tasks import background
from engine.services.traces import ended_traces
from engine.services.traces.ended_traces import EndedTraces
from engine.store import Account, Store
from engine.store.executions.ended import EndedExecution
from engine.store.redis import keyspace
from engine.telemetry.metrics import SPANS_DROPPED
from engine.telemetry.traces.environment import TraceEnvironment
from engine.telemetry.traces.sampling import Sampling
from engine.telemetry.traces.tracing import Tracing
from tests.support.eventually import eventually
from tests.support.observability.traced import take_spans
from tests.support.store.ended import Ending

TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def tracing() -> Tracing:
    return Tracing(Sampling(), TraceEnvironment(is_on=True))


def fact(account_id: str, execution_id: str, trace: bytes = TRACE) -> EndedExecution:
    """Return the end of an execution as the store tells it."""
    known = [b"completed", None, b"1", None, b"1", None, b"2", None, trace, None, None]
    return EndedExecution.parse(account_id, execution_id, [*known, *[None] * 12])


async def end(store: Store, account: Account) -> str:
    ending = await Ending.of(store, account)
    reference = await ending.accept()
    ids = keyspace.parse_reference(reference)
    await store.client.send("HSET", keyspace.execution(*ids), "trace", TRACE)
    await ending.walk(reference)
    return ids[1]


async def test_an_ended_execution_becomes_spans_without_values(
    store: Store, account: Account, tracing: Tracing
) -> None:
    execution_id = await end(store, account)
    traces = EndedTraces(store, tracing)

    async with background("traces", traces.run):
        traces.note_end(fact(account.id, execution_id))
        await eventually(lambda: asyncio.sleep(0, len(tracing.queue)))

    found = take_spans(tracing)
    names = [span.attributes.get("headrace.node.id") for span in found]
    assert found[0].attributes["headrace.execution.id"] == execution_id
    assert len([name for name in names if name]) == 2
    assert "Ada" not in str(found)
    assert "hello" not in str(found)


async def test_the_last_executions_of_a_process_are_read_at_its_end(
    store: Store, account: Account, tracing: Tracing
) -> None:
    traces = EndedTraces(store, tracing)
    traces.note_end(fact(account.id, await end(store, account)))

    await traces.drain()

    assert take_spans(tracing)


async def test_an_execution_that_is_being_read_at_the_end_is_read_again_or_counted(
    store: Store, account: Account, tracing: Tracing, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def hang(*_: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    before = SPANS_DROPPED.labels("process_end")._value.get()
    ended = fact(account.id, await end(store, account))
    traces, late = EndedTraces(store, tracing), EndedTraces(store, tracing)
    with monkeypatch.context() as patched:
        patched.setattr(ended_traces, "read_trace_record", hang)
        patched.setattr(ended_traces, "DRAIN_SECONDS", 0.05)
        async with background("traces", traces.run):
            traces.note_end(ended)
            await asyncio.wait_for(begun.wait(), 20)
        late.note_end(ended)
        await late.drain()
    await traces.drain()

    assert take_spans(tracing)
    assert SPANS_DROPPED.labels("process_end")._value.get() - before == 1


async def test_a_record_that_is_gone_is_counted(store: Store, tracing: Tracing) -> None:
    before = SPANS_DROPPED.labels("unread")._value.get()
    traces = EndedTraces(store, tracing)
    traces.note_end(fact("acc_1", "00000000-0000-4000-8000-000000000001"))

    await traces.drain()

    assert take_spans(tracing) == []
    assert SPANS_DROPPED.labels("unread")._value.get() - before == 1


async def test_a_greedy_account_leaves_space_for_others(
    store: Store, account: Account, tracing: Tracing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ended_traces, "MAX_WAITING", 20)
    execution_id, traces = await end(store, account), EndedTraces(store, tracing)
    for number in range(100):
        traces.note_end(fact("greedy", f"00000000-0000-4000-8000-{number:012}"))

    traces.note_end(fact(account.id, execution_id))
    await asyncio.wait_for(traces.drain(), 20)

    assert take_spans(tracing)


async def test_an_execution_of_no_trace_is_not_read(store: Store, tracing: Tracing) -> None:
    before = SPANS_DROPPED.labels("unread")._value.get()
    traces = EndedTraces(store, tracing)
    traces.note_end(fact("acc_1", "00000000-0000-4000-8000-000000000001", b""))

    await traces.drain()

    assert SPANS_DROPPED.labels("unread")._value.get() == before
