"""A dashboard as a page: panels in Grafana's grid, drawn from the answers of a Prometheus."""

import html
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.support.dashboards.drawing import (
    COLOURS,
    PALETTE,
    Curve,
    Span,
    draw_curves,
    draw_heat,
    draw_spark,
    draw_states,
)
from tests.support.dashboards.reading import (
    PanelView,
    Target,
    name_series,
    read_panels,
    read_title,
)
from tests.support.dashboards.units import write_value
from tests.support.observability.prometheus import Prometheus, Series

WIDTH, CELL, GAP, HEAD = 1_680, 30, 8, 56
STYLE = """
* { box-sizing: border-box; margin: 0 }
body { background: #111217; color: #d8d9da; font: 13px Inter, "Noto Sans", sans-serif; width: 1680px }
header { height: 56px; padding: 17px 16px; font-size: 17px }
header small { color: #8e9196; float: right; font-size: 13px }
svg { display: block } svg text { font: 11px Inter, "Noto Sans", sans-serif }
.panel { position: absolute; background: #181b1f; border: 1px solid #24272d; border-radius: 2px; overflow: hidden }
.panel h2 { font-size: 13px; font-weight: 500; height: 28px; padding: 7px 10px 0 }
.row { position: absolute; padding: 6px 12px; font-size: 15px; font-weight: 500 }
.legend { padding: 0 10px; height: 22px; overflow: hidden; white-space: nowrap; color: #c7c8ca; font-size: 12px }
.legend i { display: inline-block; width: 14px; height: 3px; margin: 0 5px 3px 0; border-radius: 2px }
.legend span { margin-right: 12px }
.figure { position: absolute; inset: 0; color: #fff }
.figure h2 { position: absolute } .figure svg { position: absolute; bottom: 0 }
.figure b { position: absolute; inset: 28px 0 0; display: grid; place-items: center; font-size: 28px; font-weight: 500 }
.none { display: grid; place-items: center; height: calc(100% - 36px); color: #8e9196 }
table { border-collapse: collapse; width: 100%; font-size: 12.5px }
th { color: #6e9fff; font-weight: 500; text-align: left }
th, td { padding: 4px 10px; border-bottom: 1px solid #24272d; text-align: right }
th:first-child, td:first-child { text-align: left }
"""  # noqa: E501


def make_page(prometheus: Prometheus, name: str, span: Span) -> tuple[str, int]:
    """Return the page of a dashboard in HTML, and its height."""
    panels = read_panels(name)
    drawn = "".join(_place(prometheus, panel, span) for panel in panels)
    lowest = max(each.place["y"] + each.place["h"] for each in panels)
    title = f"{html.escape(read_title(name))}<small>{_describe(span)}</small>"
    page = (
        f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><header>{title}</header>{drawn}"
    )
    return page, HEAD + lowest * (CELL + GAP) + GAP


def _describe(span: Span) -> str:
    begin, end = (f"{datetime.fromtimestamp(at):%H:%M:%S}" for at in (span.start, span.end))
    return f"{begin} to {end}, drawn from the answers of Prometheus in the layout of Grafana"


def _place(prometheus: Prometheus, panel: PanelView, span: Span) -> str:
    column = (WIDTH - GAP) / 24
    x, y, wide, tall = (panel.place[key] for key in "xywh")
    left, top = GAP + x * column, HEAD + y * (CELL + GAP)
    size = round(wide * column - GAP), tall * (CELL + GAP) - GAP
    style = f"left:{left:.0f}px;top:{top}px;width:{size[0]}px;height:{size[1]}px"
    if panel.kind == "row":
        return f'<div class=row style="{style}">{html.escape(panel.title)}</div>'
    content = DRAWN[panel.kind](prometheus, panel, span, size)
    if panel.kind != "stat":
        content = f"<h2>{html.escape(panel.title)}</h2>{content}"
    return f'<div class=panel style="{style}">{content}</div>'


def _curves(prometheus: Prometheus, panel: PanelView, span: Span, size: tuple[int, int]) -> str:
    found = list(_series(prometheus, panel, span))
    if not found:
        return "<div class=none>No data</div>"
    fixed = _fixed_colours(panel)
    colours = iter(PALETTE * 4)
    curves = [Curve(name, fixed.get(name) or next(colours), each) for name, each in found]
    custom = panel.defaults.get("custom", {})
    is_stacked = custom.get("stacking", {}).get("mode") == "normal"
    drawn = draw_curves(
        curves,
        span,
        (size[0], size[1] - 54),
        panel.unit,
        is_stacked=is_stacked,
        most=panel.defaults.get("max"),
    )
    legend = "".join(
        f'<span><i style="background:{each.colour}"></i>{html.escape(each.name)}</span>'
        for each in curves
    )
    return f"{drawn}<div class=legend>{legend}</div>"


def _figure(prometheus: Prometheus, panel: PanelView, span: Span, size: tuple[int, int]) -> str:
    found = [each for _, each in _series(prometheus, panel, span)]
    values = [value for each in found for _, value in each.points if math.isfinite(value)]
    if not found or not values:
        return f"<h2>{html.escape(panel.title)}</h2><div class=none>none</div>"
    words = {
        value: result["text"]
        for mapping in panel.defaults.get("mappings", ())
        for value, result in mapping["options"].items()
    }
    value = values[-1]
    text = words.get(f"{value:.0f}") if words else None
    colour = _step_colour(panel.defaults["thresholds"], value)
    spark = "" if words else draw_spark(found[0], span, (size[0], size[1] // 2))
    return (
        f'<div class=figure style="background:{colour}cc">{spark}'
        f"<h2>{html.escape(panel.title)}</h2><b>{text or write_value(value, panel.unit)}</b></div>"
    )


def _states(prometheus: Prometheus, panel: PanelView, span: Span, size: tuple[int, int]) -> str:
    rows = [
        (name, [(at, _step_colour(panel.defaults["thresholds"], v)) for at, v in each.points])
        for name, each in _series(prometheus, panel, span)
    ]
    if not rows:
        return f"<div class=none>{panel.defaults.get('noValue', 'No data')}</div>"
    return draw_states(rows, span, (size[0], size[1] - 32))


def _heat(prometheus: Prometheus, panel: PanelView, span: Span, size: tuple[int, int]) -> str:
    found = [each for _, each in _series(prometheus, panel, span)]
    if not found:
        return "<div class=none>No data</div>"
    return draw_heat(found, span, (size[0], size[1] - 32), panel.unit)


def _table(prometheus: Prometheus, panel: PanelView, span: Span, size: tuple[int, int]) -> str:
    overrides = {
        each["matcher"]["options"]: {one["id"]: one.get("value") for one in each["properties"]}
        for each in panel.member["fieldConfig"]["overrides"]
    }
    label = panel.member["transformations"][0]["options"]["byField"]
    columns = [overrides[f"Value #{target.letter}"] for target in panel.targets]
    rows: dict[str, dict[str, float]] = {}
    for target in panel.targets:
        for each in prometheus.query_range(target.expr, span.end, span.end):
            if math.isfinite(each.value):
                rows.setdefault(each.labels.get(label, ""), {})[target.letter] = each.value
    head = "".join(f"<th>{html.escape(each['displayName'])}</th>" for each in columns)
    lines = "".join(
        f"<tr><td>{html.escape(name)}</td>{''.join(_cells(panel.targets, columns, values))}</tr>"
        for name, values in sorted(rows.items())
    )
    return f"<table><tr><th>{overrides[label]['displayName']}</th>{head}</tr>{lines}</table>"


def _cells(
    targets: Sequence[Target], columns: Sequence[Mapping[str, Any]], values: Mapping[str, float]
) -> Iterator[str]:
    for target, column in zip(targets, columns, strict=True):
        value = values.get(target.letter)
        text = "" if value is None else write_value(value, column["unit"])
        colour = ""
        if value is not None and "thresholds" in column:
            colour = f' style="background:{_step_colour(column["thresholds"], value)}99"'
        yield f"<td{colour}>{text}</td>"


DRAWN: Mapping[str, Callable[[Prometheus, PanelView, Span, tuple[int, int]], str]] = {
    "timeseries": _curves,
    "stat": _figure,
    "state-timeline": _states,
    "heatmap": _heat,
    "table": _table,
}


def _series(prometheus: Prometheus, panel: PanelView, span: Span) -> Iterator[tuple[str, Series]]:
    for target in panel.targets:
        for each in prometheus.query_range(target.expr, span.start, span.end, span.step):
            if any(math.isfinite(value) for _, value in each.points):
                yield name_series(target.legend, each.labels), each


def _fixed_colours(panel: PanelView) -> dict[str, str]:
    return {
        each["matcher"]["options"]: COLOURS[one["value"]["fixedColor"]]
        for each in panel.member["fieldConfig"]["overrides"]
        for one in each["properties"]
        if one["id"] == "color"
    }


def _step_colour(thresholds: Mapping[str, Any], value: float) -> str:
    reached = [
        step["color"]
        for step in thresholds["steps"]
        if step.get("value") is None or value >= step["value"]
    ]
    return COLOURS[reached[-1]]
