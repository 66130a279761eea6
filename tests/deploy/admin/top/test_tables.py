"""Tables: the order of their rows, and rows without room."""

from deploy.admin.top.tables import TopTable, node_types_table, providers_table, workers_table
from engine.store.metrics.installation_sample import Durations, NodeTypeSample, ProviderSample
from tests.support.top.readings import reading, reading_without_counts, sample, worker

WIDTH = 80


def names(table: TopTable) -> list[str]:
    return [cells[0] for cells, _ in table.rows]


def test_dead_workers_stand_first_and_busy_ones_next() -> None:
    workers = [worker("a"), worker("b", executions=9), worker("c", is_alive=False)]

    table = workers_table(reading(workers=workers))

    assert names(table) == ["c", "b", "a"]
    assert table.rows[0][1] == "bad"


def test_node_types_are_in_the_order_of_their_time() -> None:
    rows = [
        NodeTypeSample("quick", 900),
        NodeTypeSample("slow", 3, 1, Durations(4, 20.0, ((2.5, 0), (5.0, 4)))),
    ]

    table = node_types_table(reading(sample(node_types=rows)))

    assert names(table) == ["slow", "quick"]
    assert list(table.rows[0][0]) == ["slow", "4", "1", "3.8 s", "4.9 s", "20 s"]
    assert (table.rows[0][1], table.rows[1][1]) == ("warn", "")


def test_providers_that_fail_stand_first() -> None:
    rows = [
        ProviderSample("good", {"ok": 900}),
        ProviderSample("bad", {"ok": 1, "failed": 5, "throttled": 2}),
    ]

    table = providers_table(reading(sample(providers=rows)))

    assert names(table) == ["bad", "good"]
    assert list(table.rows[0][0][:4]) == ["bad", "8", "2", "5"]
    assert table.rows[0][1] == "bad"


def test_without_counts_tables_have_no_rows() -> None:
    assert node_types_table(reading_without_counts()).rows == []


def test_a_head_tells_of_rows_without_room() -> None:
    rows = [ProviderSample(f"provider-{number}", {"ok": 1}) for number in range(9)]

    lines = providers_table(reading(sample(providers=rows))).lines(WIDTH, 4)

    assert len(lines) == 5
    assert lines[0][0][0].startswith("PROVIDER, 5 min (+5)")


def test_a_long_name_is_cut_and_figures_stay_in_their_columns() -> None:
    workers = [worker("host-" + "x" * 100), worker("short")]

    lines = workers_table(reading(workers=workers)).lines(WIDTH, 2)

    texts = [line[0][0] for line in lines]
    assert {len(text) for text in texts} == {len(texts[0])}
    assert len(texts[0]) <= WIDTH


def test_a_name_moves_no_cursor() -> None:
    rows = [ProviderSample("evil\x1b[2J", {"ok": 1})]

    lines = providers_table(reading(sample(providers=rows))).lines(WIDTH, 1)

    assert "\x1b" not in lines[1][0][0]
