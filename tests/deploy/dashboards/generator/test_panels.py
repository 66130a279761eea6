"""Panels of all kinds in one style."""

from deploy.dashboards.generator.links import runbook
from deploy.dashboards.generator.panels import (
    Column,
    Look,
    Query,
    Steps,
    curves,
    figure,
    heat,
    quantiles,
    states,
    table,
)

LOOK = Look(title="Calls", text="Per second.", unit="ops", links=[runbook("down")])


def test_curves_have_the_look_and_one_target_for_each_query() -> None:
    made = curves(LOOK, Query("up", "{{job}}"), Query("down", "x"), colours=("failed",)).build()

    assert (made.title, made.description, made.type_val) == ("Calls", "Per second.", "timeseries")
    assert made.grid_pos is not None
    assert (made.grid_pos.w, made.grid_pos.h) == (6, 7)
    assert [each.to_json()["refId"] for each in made.targets or ()] == ["A", "B"]
    assert made.field_config is not None
    [override] = made.field_config.overrides
    assert override.matcher.options == "failed"


def test_a_figure_is_red_below_its_green_value_and_has_words() -> None:
    made = figure(LOOK, "up", steps=Steps(green=1), words={"0": "away"}).build().to_json()
    defaults = made["fieldConfig"].to_json()["defaults"].to_json()

    steps = [(each.value, each.color) for each in defaults["thresholds"].steps]
    assert steps == [(None, "red"), (1, "green")]
    assert defaults["mappings"][0].options["0"].text == "away"


def test_a_figure_is_orange_and_red_from_its_values_on() -> None:
    steps = [(each.value, each.color) for each in Steps(orange=0.1, red=0.2).build().build().steps]

    assert steps == [(None, "green"), (0.1, "orange"), (0.2, "red")]


def test_a_table_joins_its_columns_by_the_label() -> None:
    made = table(LOOK, "type", "Node type", Column(name="p50", expr="up", unit="s")).build()

    assert [each.id_val for each in made.transformations or ()] == ["joinByField", "organize"]
    assert [each.to_json()["format"] for each in made.targets or ()] == ["table"]


def test_states_and_heat_maps_have_one_query() -> None:
    bars = states(LOOK, Query("up", "{{job}}"), steps=Steps(red=1), words={}).build()
    map_ = heat(LOOK, "x_seconds").build()

    assert (bars.type_val, map_.type_val) == ("state-timeline", "heatmap")
    assert [len(each.targets or ()) for each in (bars, map_)] == [1, 1]


def test_the_usual_quantiles_are_the_half_and_the_tails() -> None:
    assert [each.legend for each in quantiles("x_seconds")] == ["p50", "p95", "p99"]
