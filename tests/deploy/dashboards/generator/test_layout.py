"""The layout of a dashboard: names, numbers, places and variables."""

from deploy.dashboards.generator.layout import DashboardLayout, Row, choice
from deploy.dashboards.generator.panels import Look, Query, curves


def make() -> DashboardLayout:
    panels = [curves(Look(title=f"{n}", text="Some.", width=12), Query("up")) for n in range(3)]
    return DashboardLayout(
        name="some",
        title="Some",
        text="For a test.",
        rows=[Row("First", panels[:2]), Row("Second", panels[2:])],
        variables=[choice("provider", "Provider", "x_total", "provider")],
    )


def test_panels_have_numbers_and_places_below_their_rows() -> None:
    panels = make().build().panels or []
    places = [(each.id_val, each.grid_pos.x, each.grid_pos.y) for each in panels if each.grid_pos]

    assert places == [(1, 0, 0), (2, 0, 1), (3, 12, 1), (4, 0, 8), (5, 0, 9)]


def test_a_dashboard_has_the_shared_variables_and_its_own() -> None:
    made = make().build()
    assert made.templating is not None
    names = [each.name for each in made.templating.list_val or ()]

    assert made.uid == "headrace-some"
    assert names == ["datasource", "job", "headrace_url", "runbooks_url", "provider"]
