"""Labels of providers: bounded, whatever manifests name."""

import pytest

from engine.telemetry.metrics import providers
from engine.telemetry.metrics.providers import MOST_PROVIDERS, OTHER, provider_label


@pytest.fixture(autouse=True)
def none_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_named", set())


def test_a_process_names_a_hundred_providers() -> None:
    names = [f"p{number}.example" for number in range(1_000)]

    labels = [provider_label(name) for name in names]

    assert labels == names[:MOST_PROVIDERS] + [OTHER] * (1_000 - MOST_PROVIDERS)
    assert [provider_label(name) for name in names[:MOST_PROVIDERS]] == names[:MOST_PROVIDERS]
