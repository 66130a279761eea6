"""Links take the shown time and the values of variables along."""

from deploy.dashboards.generator.links import dashboard, executions, page, runbook


def test_a_link_to_executions_has_their_filters_and_the_shown_time() -> None:
    made = executions("Failed runs", status="failed").build()

    assert made.url == (
        "${headrace_url}/app/executions?status=failed&from=${__from:date:iso}&to=${__to:date:iso}"
    )
    assert made.target_blank


def test_a_link_to_a_dashboard_keeps_the_time_and_the_variables_and_sets_one() -> None:
    url = dashboard("This provider", "providers", provider="steady").build().url or ""

    assert url.startswith("/d/headrace-providers?${__url_time_range}&${datasource:queryparam}&")
    assert url.endswith("&${runbooks_url:queryparam}&var-provider=steady")


def test_links_to_pages_and_runbooks_begin_with_variables() -> None:
    assert page("Models", "/app/models").build().url == "${headrace_url}/app/models"
    assert runbook("down").build().url == "${runbooks_url}/down.md"
