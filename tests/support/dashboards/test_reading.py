"""Queries and links of dashboards are filled in as Grafana does it."""

import pytest

from tests.support.dashboards.reading import NAMES, fill, find_panel, read_panels


def test_variables_have_their_values_or_all() -> None:
    text = 'rate(x{job="$job", provider=~"$provider"}[$__rate_interval])'

    assert fill(text) == 'rate(x{job="headrace", provider=~".*"}[20s])'
    assert fill("${url}/a?from=${__from:date:iso}", url="http://h") == "http://h/a?from=.*"


@pytest.mark.parametrize("name", NAMES)
def test_no_query_keeps_a_variable(name: str) -> None:
    found = [each.expr for panel in read_panels(name) for each in panel.targets]

    assert found
    assert not [each for each in found if "$" in each]


def test_the_way_of_the_five_clicks_is_there() -> None:
    bars = find_panel("providers", "Calls that fail, of all calls to the provider")
    link = bars.link("Failed runs", headrace_url="http://h", **{"__from:date:iso": "then"})

    assert link == "http://h/app/executions?status=failed&from=then&to=.*"
    assert "/d/headrace-providers?" in find_panel("overview", "Failing providers").link("Details")
