"""Names of alerts and of their runbooks, for links from panels."""

import re

from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

ALERTS = (
    "HeadraceDown",
    "HeadraceNoWorkers",
    "HeadraceErrors",
    "HeadraceRedisFull",
    "HeadraceRunsWait",
    "HeadraceRunsFail",
    "HeadraceProviderFails",
    "HeadraceHistoryBehind",
    "HeadraceWebhooksLate",
    "HeadraceDueTimesLate",
)
"""Alerts of `deploy/alerts/rules.yaml`."""


def name_of(alert: str) -> str:
    """Return the file name of an alert's runbook, without its ending."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", alert.removeprefix("Headrace")).lower()


def link_of(alert: str) -> DynamicConfigValue:
    """Return the link from a value of an alert to its runbook."""
    url = f"${{runbooks_url}}/{name_of(alert)}.md"
    link = {"title": f"Runbook of {alert}", "url": url, "targetBlank": True}
    return DynamicConfigValue(id_val="links", value=[link])
