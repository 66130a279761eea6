"""Panels of the dashboards: curves, figures, tables, states and heat maps, all of one style."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import (
    common,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    timeseries,
)
from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models.dashboard import DashboardLink as Link
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.dashboards.generator import queries

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
COLOURS = {
    "completed": "green",
    "ok": "green",
    "delivered": "green",
    "accepted": "blue",
    "pending": "yellow",
    "started": "green",
    "cancelled": "yellow",
    "throttled": "orange",
    "timeout": "purple",
    "refused": "blue",
    "failed": "red",
    "internal": "red",
    "limit": "red",
    "faults of Headrace": "red",
}
"""Colours of curves by their names, the same in all panels."""
LETTERS = "ABCDEFGHIJ"
HEIGHT = 7
FIGURE_HEIGHT = 4


@dataclass(frozen=True)
class Query:
    """A query of a panel, and the name of its curves."""

    expr: str
    legend: str = "all"


@dataclass(frozen=True)
class Steps:
    """Values from which a figure is orange, and red."""

    orange: float | None = None
    red: float | None = None
    green: float | None = None
    """The figure is red below this value, as a number of living workers is below 1."""

    def build(self) -> ThresholdsConfig:
        """Return the steps as Grafana takes them."""
        first = "green" if self.green is None else "red"
        marks = ((self.green, "green"), (self.orange, "orange"), (self.red, "red"))
        steps = [Threshold(color=first)]
        steps += [Threshold(value=at, color=colour) for at, colour in marks if at is not None]
        return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


class Panel(Protocol):
    """Members that builders of panels of all kinds have."""

    def title(self, title: str, /) -> Self: ...
    def description(self, description: str, /) -> Self: ...
    def datasource(self, datasource: DataSourceRef, /) -> Self: ...
    def span(self, w: int, /) -> Self: ...
    def height(self, h: int, /) -> Self: ...
    def unit(self, unit: str, /) -> Self: ...
    def links(self, links: list[Builder[Link]], /) -> Self: ...
    def data_links(self, links: list[Builder[Link]], /) -> Self: ...


P = TypeVar("P", bound=Panel)


@dataclass(frozen=True, kw_only=True)
class Look:
    """Members of a panel that all kinds share."""

    title: str
    text: str
    """Its meaning, and the first thing to do where it is bad."""
    unit: str = "short"
    width: int = 6
    height: int = HEIGHT
    links: Sequence[Builder[Link]] = ()
    """Links of the panel's title."""
    data_links: Sequence[Builder[Link]] = ()
    """Links of each curve or value, which may name its labels."""

    def begin(self, panel: P) -> P:
        """Give a panel these members."""
        return (
            panel.title(self.title)
            .description(self.text)
            .datasource(SOURCE)
            .span(self.width)
            .height(self.height)
            .unit(self.unit)
            .links([*self.links])
            .data_links([*self.data_links])
        )


def curves(
    look: Look,
    *wanted: Query,
    colours: Sequence[str] = (),
    is_stacked: bool = False,
    most: float | None = None,
) -> timeseries.Panel:
    """Return curves over time; `colours` are the names of curves whose colours are fixed."""
    panel = (
        look.begin(timeseries.Panel())
        .min(0)
        .line_width(1)
        .fill_opacity(60 if is_stacked else 8)
        .show_points(options.VisibilityMode.NEVER)
        .span_nulls(False)
        .legend(
            common.VizLegendOptions()
            .display_mode(options.LegendDisplayMode.LIST)
            .placement(options.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs([])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(options.TooltipDisplayMode.MULTI)
            .sort(options.SortOrder.DESCENDING)
        )
    )
    if is_stacked:
        panel.stacking(common.StackingConfig().mode(options.StackingMode.NORMAL).group("A"))
    if most is not None:
        panel.max(most)
    for name in colours:
        panel.override_by_name(name, [_fixed(COLOURS[name])])
    for letter, query in zip(LETTERS, wanted, strict=False):
        panel.with_target(_range(letter, query))
    return panel


def figure(
    look: Look, query: str, *, steps: Steps, words: Mapping[str, str] | None = None
) -> stat.Panel:
    """Return a figure with its newest value; `words` stand for values."""
    panel = (
        look.begin(stat.Panel())
        .thresholds(steps.build())
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .color_mode(options.BigValueColorMode.BACKGROUND)
        .graph_mode(options.BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("none")
        .with_target(_range("A", Query(query)))
    )
    if words:
        named = {value: ValueMappingResult(text=text) for value, text in words.items()}
        panel.mappings([ValueMap(options=named)])
        panel.graph_mode(options.BigValueGraphMode.NONE)
    return panel


def states(
    look: Look, query: Query, *, steps: Steps, words: Mapping[str, str]
) -> statetimeline.Panel:
    """Return bars that say since when a state lasts."""
    named = {value: ValueMappingResult(text=text) for value, text in words.items()}
    return (
        look.begin(statetimeline.Panel())
        .thresholds(steps.build())
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .mappings([ValueMap(options=named)] if named else [])
        .merge_values(True)
        .show_value(options.VisibilityMode.NEVER)
        .row_height(0.8)
        .fill_opacity(70)
        .line_width(0)
        .legend(
            common.VizLegendOptions()
            .display_mode(options.LegendDisplayMode.LIST)
            .placement(options.LegendPlacement.BOTTOM)
            .show_legend(False)
            .calcs([])
        )
        .with_target(_range("A", query))
    )


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of figures in a table."""

    name: str
    expr: str
    unit: str = "short"
    steps: Steps | None = None


def table(look: Look, label: str, name: str, *columns: Column) -> tables.Panel:
    """Return a table with a row for each value of a label, called `name`."""
    panel = look.begin(tables.Panel()).show_header(True)
    panel.override_by_name(label, [DynamicConfigValue(id_val="displayName", value=name)])
    for letter, column in zip(LETTERS, columns, strict=False):
        panel.with_target(
            prometheus.Dataquery()
            .ref_id(letter)
            .datasource(SOURCE)
            .expr(column.expr)
            .instant()
            .format(PromQueryFormat.TABLE)
        )
        properties = [
            DynamicConfigValue(id_val="displayName", value=column.name),
            DynamicConfigValue(id_val="unit", value=column.unit),
            DynamicConfigValue(id_val="decimals", value=2),
        ]
        if column.steps is not None:
            coloured = {"type": "color-background", "mode": "basic"}
            properties += [
                DynamicConfigValue(id_val="thresholds", value=column.steps.build().build()),
                DynamicConfigValue(id_val="custom.cellOptions", value=coloured),
            ]
        panel.override_by_name(f"Value #{letter}", properties)
    hidden = {"Time": True} | {f"Time {number}": True for number in range(1, len(columns) + 1)}
    return panel.with_transformation(
        DataTransformerConfig(id_val="joinByField", options={"byField": label, "mode": "outer"})
    ).with_transformation(
        DataTransformerConfig(id_val="organize", options={"excludeByName": hidden})
    )


def heat(look: Look, metric: str, where: str = "") -> heatmap.Panel:
    """Return how many observations of a histogram are in each bucket over time."""
    return (
        look.begin(heatmap.Panel())
        .calculate(False)
        .color(
            heatmap.HeatmapColorOptions()
            .mode(HeatmapColorMode.SCHEME)
            .scheme("Oranges")
            .exponent(0.5)
            .steps(64)
        )
        .y_axis(heatmap.YAxisConfig().unit(look.unit))
        .cell_gap(1)
        .with_target(
            prometheus.Dataquery()
            .ref_id("A")
            .datasource(SOURCE)
            .expr(queries.buckets(metric, where))
            .range()
            .format(PromQueryFormat.HEATMAP)
            .legend_format("{{le}}")
        )
    )


def quantiles(metric: str, where: str = "") -> list[Query]:
    """Return queries of the usual quantiles of a histogram."""
    return [
        Query(queries.quantile(share, metric, where=where), f"p{share * 100:.0f}")
        for share in queries.QUANTILES
    ]


def _range(letter: str, query: Query) -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(letter).datasource(SOURCE).expr(query.expr).range()
    return target.legend_format(query.legend)


def _fixed(colour: str) -> DynamicConfigValue:
    return DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": colour})
