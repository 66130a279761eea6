"""Spans of deliveries: real store, worker and receiver."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.settings import Settings
from engine.store.webhooks.deliveries import ClaimedDelivery
from engine.telemetry.traces.context import CURRENT, delivery_span_id, execution_span_id
from engine.telemetry.traces.span import Span
from engine.telemetry.traces.tracing import Tracing
from engine.webhooks.deliveries import DeliveryStatus
from tests.support.eventually import eventually
from tests.support.http.webhook_receivers import Receiver
from tests.support.observability.traced import (
    ATTEMPT,
    CALLER,
    NOW,
    TRACE_ID,
    take_spans,
    tracing_on,
)
from tests.support.workers.webhook_owner import Owner
from workers.walk.walker import Walker
from workers.webhooks.delivery_spans import begin_attempt, end_attempt

pytestmark = pytest.mark.usefixtures("brisk_sweeper")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, cpu_slots=1, webhook_time_scale=0.001)


@pytest.fixture
def made() -> Iterator[Tracing]:
    with tracing_on() as using:
        yield using


def header(flags: str) -> str:
    return f"00-{TRACE_ID}-{CALLER}-{flags}"


async def await_delivery(made: Tracing, found: list[Span]) -> Span:
    """Wait until the span of the delivery is there; the other spans are in `found`."""

    async def read() -> Span | None:
        found.extend(take_spans(made))
        return next((span for span in found if span.name.startswith("deliver ")), None)

    span = await eventually(read)
    assert span is not None
    found.remove(span)
    return span


async def test_a_delivery_is_below_its_execution_and_its_attempts_below_it(
    owner: Owner, receiver: Receiver, walker: Walker, made: Tracing
) -> None:
    key_id, found = await owner.hook("/ok"), list[Span]()
    execution_id = await owner.run(key_id, trace=header("01"))

    span = await await_delivery(made, found)

    assert span.span_id == delivery_span_id(execution_id)
    assert (span.trace_id, span.parent_id) == (TRACE_ID, execution_span_id(execution_id))
    assert span.name == "deliver execution.completed"
    assert span.attributes["headrace.delivery.status"] == "delivered"
    assert span.error_type == ""
    [attempt] = found
    assert (attempt.name, attempt.parent_id) == ("POST", span.span_id)
    assert attempt.attributes["http.response.status_code"] == 200
    assert "/ok" not in str(attempt)
    [request] = receiver.received
    assert request.headers["traceparent"] == f"00-{TRACE_ID}-{attempt.span_id}-01"


async def test_a_receiver_is_told_the_span_of_the_execution_while_tracing_is_off(
    owner: Owner, receiver: Receiver, walker: Walker
) -> None:
    key_id = await owner.hook("/ok")
    execution_id = await owner.run(key_id, trace=header("01"))
    await owner.settled(key_id, execution_id)

    [request] = receiver.received
    expected = f"00-{TRACE_ID}-{execution_span_id(execution_id)}-01"
    assert request.headers["traceparent"] == expected


async def test_a_delivery_that_is_given_up_has_a_span_though_its_trace_is_not_sampled(
    owner: Owner, receiver: Receiver, walker: Walker, made: Tracing
) -> None:
    fine, key_id, found = await owner.hook("/ok"), await owner.hook("/status/410"), list[Span]()
    await owner.settled(fine, await owner.run(fine, trace=header("00")))
    assert take_spans(made) == []
    execution_id = await owner.run(key_id, trace=header("00"))

    span = await await_delivery(made, found)

    assert span.span_id == delivery_span_id(execution_id)
    assert span.error_type == "given_up"
    assert span.attributes["headrace.delivery.status"] == DeliveryStatus.FAILED.value
    assert [attempt.error_type for attempt in found] == ["410"]


async def test_a_delivery_of_no_trace_has_no_span(
    owner: Owner, receiver: Receiver, walker: Walker, made: Tracing
) -> None:
    key_id = await owner.hook("/ok")
    await owner.settled(key_id, await owner.run(key_id))

    assert take_spans(made) == []


async def test_a_span_of_a_delivery_is_not_made_of_the_trace_of_the_one_before(
    made: Tracing,
) -> None:
    def claim(name: str) -> ClaimedDelivery:
        return ClaimedDelivery(
            id=name,
            account_id="account",
            execution_id=name,
            owner="key",
            url="https://receiver.example/",
            event="execution.completed",
            body=None,
            fence=1,
            tries=1,
            lost=0,
            secrets=(),
            now=NOW,
        )

    token = CURRENT.set(ATTEMPT)
    begin_attempt(claim("first"))  # its end could not be recorded
    CURRENT.reset(token)
    end_attempt(claim("second"), DeliveryStatus.DELIVERED, NOW)
    assert take_spans(made) == []
    end_attempt(claim("first"), DeliveryStatus.DELIVERED, NOW)
    assert len(take_spans(made)) == 1
