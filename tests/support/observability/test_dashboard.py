"""Queries and links of dashboards are filled in as Grafana does it."""

import pytest

from tests.support.observability.dashboard import fill, panel, panels


def test_variables_have_their_values_or_all() -> None:
    text = 'rate(x{job="$job", provider=~"$provider"}[$__rate_interval])'

    assert fill(text) == 'rate(x{job="headrace", provider=~".*"}[20s])'
    assert fill("${url}/a?from=${__from:date:iso}", url="http://h") == "http://h/a?from=.*"


@pytest.mark.parametrize("name", ["overview", "providers", "runs", "redis-and-history", "webhooks"])
def test_no_query_keeps_a_variable(name: str) -> None:
    found = [each for panel in panels(name) for each in panel.expressions]

    assert found
    assert not [each for each in found if "$" in each]


def test_the_way_of_the_five_clicks_is_there() -> None:
    bars = panel("providers", "Calls that fail, of all calls to the provider")
    link = bars.link("Failed runs", headrace_url="http://h", **{"__from:date:iso": "then"})

    assert link == "http://h/app/executions?status=failed&from=then&to=.*"
    assert "/d/headrace-providers?" in panel("overview", "Failing providers").link("Details")
