"""Declarations: names, units, labels from closed sets, and series that begin with 0."""

import re

import pytest

from engine.executions.node_waits import Decision, WaitKind
from engine.executions.statuses import NODE_TERMINAL, TERMINAL
from engine.services.metrics import facts
from engine.store.dispatch.hints import BULK_QUEUE, WALK_QUEUE
from engine.telemetry import metrics
from engine.telemetry.metrics import DECLARATIONS, REGISTRY, Declaration, Signal, executions
from engine.triggers.occurrences import OccurrenceStatus
from engine.triggers.trigger import TriggerKind
from engine.webhooks.deliveries import DeliveryStatus

UNITS = ("_seconds", "_bytes", "_total")
FORBIDDEN = {"account", "workflow", "slug", "model", "key", "execution", "batch", "trigger", "id"}


@pytest.mark.parametrize("each", DECLARATIONS.values(), ids=lambda each: each.name)
def test_names_tell_unit_and_kind_and_labels_are_bounded(each: Declaration) -> None:
    assert re.fullmatch(r"headrace(_[a-z]+)+", each.name)
    assert each.name.endswith("_total") == (each.kind == "counter")
    assert each.kind != "histogram" or each.name.endswith(UNITS)
    assert each.text.endswith(".")
    assert each.signal in Signal
    assert not FORBIDDEN & set(each.labels)


def test_all_metrics_of_the_process_are_declared() -> None:
    collected = {
        each.name + ("_total" if each.type == "counter" else "") for each in REGISTRY.collect()
    }

    assert collected == {name for name, each in DECLARATIONS.items() if not each.is_fact}
    assert {name for name, each in DECLARATIONS.items() if each.is_fact} >= {facts.REDIS_UP.name}


def test_a_name_is_declared_once() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        metrics.counter("headrace_redis_up", "Text.", Signal.ERRORS)


def test_series_of_closed_labels_begin_with_0() -> None:
    for cause in executions.CAUSES:
        assert (
            REGISTRY.get_sample_value("headrace_executions_failed_total", {"cause": cause})
            is not None
        )


def test_values_of_labels_are_those_of_the_engine() -> None:
    ended = set(TERMINAL)
    assert set(values("headrace_executions_ended_total", "status")) == ended
    assert set(values("headrace_webhook_attempts_total", "outcome")) == {*DeliveryStatus}
    assert set(values("headrace_hint_wait_seconds", "queue")) == {WALK_QUEUE, BULK_QUEUE}
    assert set(values("headrace_waits_opened_total", "kind")) == {*WaitKind}
    assert set(values("headrace_waits_ended_total", "outcome")) == {*Decision, "timeout"}
    occurrences = "headrace_trigger_occurrences_total"
    assert set(values(occurrences, "kind")) == {*TriggerKind}
    assert set(values(occurrences, "status")) == {each.value for each in OccurrenceStatus}
    nodes = {each.value for each in NODE_TERMINAL}
    assert set(values("headrace_nodes_ended_total", "status")) == nodes


def values(name: str, label: str) -> list[str]:
    """Return the values that a declaration tells."""
    told = DECLARATIONS[name].labels[label]
    return re.findall(r"`(\w+)`", told) if isinstance(told, str) else list(told)
