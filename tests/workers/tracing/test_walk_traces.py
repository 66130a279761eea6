"""Calls of a walk in a trace: below the attempts that make them, and kept until a failure."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.settings import Settings
from engine.telemetry.traces.account_queue import AccountSpace
from engine.telemetry.traces.context import attempt_span_id
from engine.telemetry.traces.span import Span
from engine.telemetry.traces.tracing import Tracing
from tests.support.eventually import eventually
from tests.support.factories import Runner, http_fan
from tests.support.http.scripted_server import Target
from tests.support.observability.traced import CALLER, TRACE_ID, take_spans, tracing_on
from tests.support.store.records import accept
from workers.walk.walker import Walker


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, cpu_slots=1)


@pytest.fixture
def made() -> Iterator[Tracing]:
    with tracing_on() as using:
        yield using


async def run(runner: Runner, url: str, flags: str, calls: int = 1) -> str:
    """Run a workflow with calls of a URL to its end; return the id of the execution."""
    slug = await runner.save(http_fan(url, calls))
    workflow, plan = await runner.store.workflows.plan(slug)
    assert plan is not None
    trace = f"00-{TRACE_ID}-{CALLER}-{flags}"
    ids = (runner.account, workflow, plan)
    accepted = await accept(runner.store, *ids, {"who": "Ada"}, trace=trace)
    await eventually(
        lambda: runner.store.executions.facts(runner.account.id, accepted.id),
        lambda execution: execution.completed_at is not None,
    )
    return accepted.id


async def test_a_call_is_below_its_attempt(
    runner: Runner, walker: Walker, target: Target, made: Tracing
) -> None:
    execution_id = await run(runner, f"{target.url}/echo", "01")

    [span] = take_spans(made)
    parents = {attempt_span_id(execution_id, index, 1) for index in range(5)}
    assert span.name in ("GET", "POST")
    assert (span.trace_id, span.error_type) == (TRACE_ID, "")
    assert span.parent_id in parents


async def test_calls_of_a_trace_that_is_not_sampled_are_sent_only_if_the_run_fails(
    runner: Runner, walker: Walker, target: Target, made: Tracing
) -> None:
    await run(runner, f"{target.url}/echo", "00")
    assert take_spans(made) == []

    await run(runner, f"{target.url}/status/404", "00")
    [span] = await eventually(lambda: _take(made))
    assert span.error_type == "404"


async def test_calls_that_were_kept_take_no_space_after_their_walk(
    runner: Runner, walker: Walker, target: Target, made: Tracing
) -> None:
    made.kept = space = AccountSpace(100)
    await run(runner, f"{target.url}/echo", "00", calls=5)

    async def count_free() -> int:
        taken = sum(space.take("other") for _ in range(100))
        space.give_back("other", taken)
        return taken

    await eventually(count_free, lambda taken: taken == 50)


async def _take(made: Tracing) -> list[Span]:
    return take_spans(made)
