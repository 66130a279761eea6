"""Samples: what several say together, and quantiles of their durations."""

import msgspec
import pytest

from engine.store.metrics.installation_sample import (
    ActivityCounts,
    Durations,
    InstallationFacts,
    InstallationSample,
    Latencies,
    NodeTypeSample,
    ProviderSample,
    add_durations,
    combine,
    pack_sample,
    unpack_sample,
)

INFINITY = float("inf")


def test_samples_add_up_and_the_state_is_that_of_the_last() -> None:
    first = InstallationSample(
        at=10_000,
        seconds=10.0,
        counts=ActivityCounts(completed=3, causes={"provider": 1}),
        facts=InstallationFacts(workers=1, waiting={"walk": 9}),
        latencies=Latencies(execution=Durations(1, 0.2, ((0.1, 0), (0.25, 1)))),
        node_types=(NodeTypeSample("llm", 2, 0, Durations(2, 1.0, ((1.0, 2),))),),
        providers=(ProviderSample("openai", {"ok": 2}),),
    )
    second = InstallationSample(
        at=20_000,
        seconds=10.0,
        counts=ActivityCounts(completed=1, failed=2, causes={"provider": 1, "caller": 1}),
        facts=InstallationFacts(workers=2),
        node_types=(NodeTypeSample("llm", 0, 1), NodeTypeSample("text", 4)),
        providers=(ProviderSample("openai", {"throttled": 3}),),
    )

    both = combine([first, second])

    assert (both.at, both.seconds, both.facts) == (20_000, 20.0, InstallationFacts(workers=2))
    assert both.counts == ActivityCounts(completed=4, failed=2, causes={"provider": 2, "caller": 1})
    assert both.latencies.execution.count == 1
    assert {row.type: (row.completed, row.failed) for row in both.node_types} == {
        "llm": (2, 1),
        "text": (4, 0),
    }
    [provider] = both.providers
    assert (provider.calls, provider.failed) == (5, 3)
    assert both.rate(both.counts.completed) == 0.2


@pytest.mark.parametrize(("share", "seconds"), [(0.25, 0.1), (0.5, 0.15), (0.75, 0.2), (1.0, 0.25)])
def test_a_quantile_lies_within_its_bucket(share: float, seconds: float) -> None:
    durations = Durations(4, 0.5, ((0.05, 0), (0.1, 1), (0.25, 3)))

    assert durations.quantile(share) == pytest.approx(seconds)


def test_a_quantile_beyond_the_last_bound_is_that_bound() -> None:
    assert Durations(1, 90.0, ((60.0, 0), (INFINITY, 1))).quantile(0.95) == 60.0


def test_no_durations_have_no_quantile() -> None:
    assert Durations().quantile(0.5) is None


def test_buckets_of_several_durations_are_in_order() -> None:
    both = add_durations([Durations(1, 5.0, ((2.5, 0), (5.0, 1))), Durations(2, 0.2, ((0.1, 2),))])

    assert both == Durations(3, 5.2, ((0.1, 2), (2.5, 0), (5.0, 1)))


def test_a_sample_of_a_later_release_with_more_members_is_read() -> None:
    sample = InstallationSample(at=1, seconds=10.0, counts=ActivityCounts(completed=1))
    members = msgspec.msgpack.decode(pack_sample(sample))

    assert unpack_sample(msgspec.msgpack.encode([*members, "more"])) == sample
    assert unpack_sample(msgspec.msgpack.encode(members[:2])) == InstallationSample(
        at=1, seconds=10.0
    )
