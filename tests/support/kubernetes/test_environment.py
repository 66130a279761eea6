"""Variables of a container are drawn, expanded and counted as the kubelet does it."""

import pytest

from tests.support.kubernetes.environment import expand, resolve
from tests.support.kubernetes.manifests import Manifests

OBJECTS = Manifests(
    [
        {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"HOST": "here", "A": "config"}},
        {"kind": "Secret", "metadata": {"name": "s"}, "data": {"A": "c2VjcmV0", "PASS": "cDok"}},
    ]
)
DRAWN = [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}}]


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("redis://:$(PASS)@$(HOST)", "redis://:p:$@here"),
        ("$(OTHER) stays", "$(OTHER) stays"),
        ("$$(HOST) and $$", "$(HOST) and $"),
        ("$HOST", "$HOST"),
    ],
)
def test_references_are_replaced_where_they_are_known(text: str, expanded: str) -> None:
    assert expand(text, {"PASS": "p:$", "HOST": "here"}) == expanded


def test_the_last_source_counts_and_own_entries_count_before_it() -> None:
    container = {"envFrom": DRAWN, "env": [{"name": "HOST", "value": "$(HOST):$(A)"}]}

    assert resolve(OBJECTS, container) == {"HOST": "here:secret", "A": "secret", "PASS": "p:$"}


@pytest.mark.parametrize(("cpu", "slots"), [("250m", "1"), ("1", "1"), ("1500m", "2"), ("4", "4")])
def test_cores_that_are_requested_are_rounded_up(cpu: str, slots: str) -> None:
    source = {"resourceFieldRef": {"resource": "requests.cpu"}}
    container = {
        "env": [{"name": "SLOTS", "valueFrom": source}],
        "resources": {"requests": {"cpu": cpu}},
    }

    assert resolve(OBJECTS, container) == {"SLOTS": slots}


def test_a_secret_that_is_missing_starts_nothing() -> None:
    with pytest.raises(KeyError, match="no Secret other"):
        resolve(OBJECTS, {"envFrom": [{"secretRef": {"name": "other"}}]})
