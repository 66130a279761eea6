"""Sampling: variables, the decision by a trace's id, and that of a caller."""

import os

import pytest
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased

from engine.telemetry.traces.sampling import Sampling


def sampling(name: str = "", argument: str = "") -> Sampling:
    return Sampling.from_environ({"OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": argument})


@pytest.mark.parametrize(
    ("name", "argument", "expected"),
    [
        ("", "", Sampling(1.0, True)),
        ("always_on", "", Sampling(1.0, False)),
        ("always_off", "", Sampling(0.0, False)),
        ("parentbased_always_off", "", Sampling(0.0, True)),
        ("traceidratio", "0.25", Sampling(0.25, False)),
        ("parentbased_traceidratio", "0.01", Sampling(0.01, True)),
        ("PARENTBASED_TRACEIDRATIO", "", Sampling(1.0, True)),
        ("parentbased_traceidratio", "lots", Sampling(1.0, True)),
        ("parentbased_traceidratio", "1.5", Sampling(1.0, True)),
        ("jaeger_remote", "", Sampling(1.0, True)),
    ],
)
def test_variables_are_read(name: str, argument: str, expected: Sampling) -> None:
    assert sampling(name, argument) == expected


@pytest.mark.parametrize("rate", [0.0, 0.001, 0.3, 1.0])
def test_the_decision_by_rate_is_that_of_other_processes(rate: float) -> None:
    ours, theirs = Sampling(rate), TraceIdRatioBased(rate)
    for _ in range(500):
        trace_id = os.urandom(16).hex()
        decision = theirs.should_sample(None, int(trace_id, 16), "name").decision

        assert ours.has_trace(trace_id) == (decision is Decision.RECORD_AND_SAMPLE)


def test_the_callers_decision_counts_where_the_sampler_asks_for_it() -> None:
    trace_id = "1" * 32

    assert Sampling(0.0, is_parent_based=True).samples(trace_id, True)
    assert not Sampling(1.0, is_parent_based=True).samples(trace_id, False)
    assert Sampling(1.0, is_parent_based=True).samples(trace_id, None)
    assert not Sampling(0.0, is_parent_based=False).samples(trace_id, True)
    assert Sampling(1.0, is_parent_based=False).samples(trace_id, False)
