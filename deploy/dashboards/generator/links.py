"""Links from panels: to Headrace's pages, to other dashboards and to runbooks.

Addresses of Headrace and of the runbooks are variables of each dashboard.
"""

from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

TAG = "headrace"
"""Tag of all dashboards, by which they are linked."""
WINDOW = "from=${__from:date:iso}&to=${__to:date:iso}"
"""The shown time as the page of executions takes it."""
SHARED = "&".join(
    f"${{{name}:queryparam}}" for name in ("datasource", "job", "headrace_url", "runbooks_url")
)
"""Values of the variables that all dashboards have."""


def executions(title: str, **filters: str) -> DashboardLink:
    """Return a link to Headrace's page of executions, for the shown time."""
    query = "".join(f"{name}={value}&" for name, value in filters.items())
    return _link(title, f"${{headrace_url}}/app/executions?{query}{WINDOW}").target_blank(True)


def failed_runs() -> DashboardLink:
    """Return a link to the runs that failed in the shown time."""
    return executions("Failed runs", status="failed")


def page(title: str, path: str) -> DashboardLink:
    """Return a link to another page of Headrace."""
    return _link(title, f"${{headrace_url}}{path}").target_blank(True)


def dashboard(title: str, name: str, **variables: str) -> DashboardLink:
    """Return a link to another dashboard, with the shown time and the values of variables."""
    query = "".join(f"&var-{variable}={value}" for variable, value in variables.items())
    return _link(title, f"/d/headrace-{name}?${{__url_time_range}}&{SHARED}{query}")


def runbook(name: str, title: str = "Runbook") -> DashboardLink:
    """Return a link to a runbook."""
    return _link(title, f"${{runbooks_url}}/{name}.md").target_blank(True)


def all_dashboards() -> DashboardLink:
    """Return links to all dashboards of Headrace."""
    return (
        DashboardLink("Headrace")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .include_vars(True)
        .keep_time(True)
    )


def _link(title: str, url: str) -> DashboardLink:
    return DashboardLink(title).type(DashboardLinkType.LINK).url(url)
