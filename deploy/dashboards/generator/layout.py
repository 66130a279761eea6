"""The layout of a dashboard: name, variables, links, marks of alerts, rows of panels."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models

from deploy.dashboards.generator import links, panels, queries

JOB = "headrace"
"""Job of Prometheus whose targets are gateways."""


@dataclass(frozen=True)
class Row:
    """A heading and the panels below it."""

    title: str
    panels: Sequence[Builder[models.Panel]]


@dataclass(frozen=True, kw_only=True)
class DashboardLayout:
    """All that is said about one dashboard."""

    name: str
    """Name of the file, and the end of the dashboard's identity."""
    title: str
    text: str
    rows: Sequence[Row]
    variables: Sequence[Builder[models.VariableModel]] = ()
    links: Sequence[builders.DashboardLink] = ()

    def build(self) -> models.Dashboard:
        """Return the dashboard as Grafana takes it."""
        made = (
            builders.Dashboard(self.title)
            .uid(f"headrace-{self.name}")
            .description(self.text)
            .tags([links.TAG])
            .editable()
            .refresh("30s")
            .time("now-1h", "now")
            .timezone("browser")
            .tooltip(models.DashboardCursorSync.CROSSHAIR)
            .variables([*_shared_variables(), *self.variables])
            .annotation(_alerts())
            .links([links.all_dashboards(), *self.links])
        )
        numbers = iter(range(1, 1000))
        for row in self.rows:
            made.with_row(builders.Row(row.title).id(next(numbers)))
            for panel in row.panels:
                made.with_panel(_Numbered(panel, next(numbers)))
        return made.build()


class _Numbered(Builder[models.Panel]):
    """A panel with its number, which Grafana wants to be unique in a dashboard."""

    def __init__(self, panel: Builder[models.Panel], number: int) -> None:
        self._panel = panel
        self._number = number

    def build(self) -> models.Panel:
        made = self._panel.build()
        made.id_val = self._number
        return made


def choice(name: str, label: str, metric: str, value: str) -> builders.QueryVariable:
    """Return a variable whose values are those of a label."""
    everything = models.VariableOption(selected=True, text="All", value="$__all")
    return (
        builders.QueryVariable(name)
        .label(label)
        .datasource(panels.SOURCE)
        .query(f'label_values({metric}{{job="$job"}}, {value})')
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(everything)
    )


def _shared_variables() -> list[Builder[models.VariableModel]]:
    return [
        builders.DatasourceVariable("datasource").label("Data source").type("prometheus"),
        builders.QueryVariable("job")
        .label("Installation")
        .datasource(panels.SOURCE)
        .query("label_values(headrace_redis_up, job)")
        .refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
        .current(models.VariableOption(selected=True, text=JOB, value=JOB)),
        _text("headrace_url", "Headrace", "http://localhost:8000"),
        _text("runbooks_url", "Runbooks", "http://localhost:3000/runbooks"),
    ]


def _text(name: str, label: str, value: str) -> builders.TextBoxVariable:
    return (
        builders.TextBoxVariable(name)
        .label(label)
        .default_value(value)
        .current(models.VariableOption(selected=True, text=value, value=value))
        .hide(models.VariableHide.HIDE_VARIABLE)
    )


def _alerts() -> builders.AnnotationQuery:
    """Return marks of the times at which alerts fire, in all panels."""
    return (
        builders.AnnotationQuery()
        .name("Alerts")
        .datasource(panels.SOURCE)
        .enable(True)
        .icon_color("red")
        .expr(queries.FIRING)
    )
