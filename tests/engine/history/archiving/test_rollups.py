"""Figures of minutes, hours and days."""

from collections.abc import Iterable

from engine.history.archiving.execution_rows import ExecutionRows
from engine.history.archiving.execution_writer import write_executions
from engine.history.database.connections import Database
from engine.history.schema import rollups
from engine.history.sketches import bin_of, quantiles, unpack_sketch
from tests.support.history.rows import DAY, HOUR, MINUTE, MONDAY, rows, table_rows

Found = dict[tuple[str, str, int, str], tuple[int, int, int]]


def figures(database: Database, dimension: str) -> Found:
    return {
        (row["account_id"], row["bucket"], row["at"], row["key"]): (
            row["runs"],
            row["failed"],
            row["credits"],
        )
        for row in table_rows(database, rollups)
        if row["dimension"] == dimension
    }


def write(database: Database, executions: Iterable[ExecutionRows]) -> None:
    write_executions(database, list(executions))


def test_an_execution_counts_in_its_minute_hour_and_day(database: Database) -> None:
    at = MONDAY + 5 * HOUR + 7 * MINUTE + 3

    write(database, [rows(at=at, spent=4)])

    assert figures(database, "workflow") == {
        ("acc_1", "minute", MONDAY + 5 * HOUR + 7 * MINUTE, "echo"): (1, 0, 4),
        ("acc_1", "hour", MONDAY + 5 * HOUR, "echo"): (1, 0, 4),
        ("acc_1", "day", MONDAY, "echo"): (1, 0, 4),
    }


def test_figures_add_up_over_transactions(database: Database) -> None:
    write(database, [rows(spent=4), rows(status="failed", spent=1)])
    write(database, [rows(status="cancelled", at=MONDAY + MINUTE), rows(slug="other")])

    of_day = {key[3]: found for key, found in figures(database, "workflow").items() if "day" in key}
    assert of_day == {"echo": (3, 1, 5), "other": (1, 0, 0)}
    by_status = {key[3]: found[0] for key, found in figures(database, "status").items()}
    assert by_status == {"completed": 2, "failed": 1, "cancelled": 1}


def test_each_model_of_an_execution_counts_and_none_is_counted_apart(database: Database) -> None:
    write(database, [rows(models="gpt,claude"), rows(models="gpt"), rows(models="", key="")])

    by_model = {key[3]: found[0] for key, found in figures(database, "model").items()}
    by_key = {key[3]: found[0] for key, found in figures(database, "key").items()}
    assert by_model == {"gpt": 2, "claude": 1, "": 1}
    assert by_key == {"key_1": 2, "": 1}


def test_accounts_have_figures_of_their_own(database: Database) -> None:
    write(database, [rows(account_id="acc_1"), rows(account_id="acc_2")])

    assert {key[0] for key in figures(database, "key")} == {"acc_1", "acc_2"}


def test_durations_are_merged(database: Database) -> None:
    write(database, [rows(duration_ms=each) for each in range(1, 51)])
    write(database, [rows(duration_ms=each) for each in range(51, 101)])

    row = next(row for row in table_rows(database, rollups) if row["bucket"] == "day")
    sketch = unpack_sketch(row["durations"])
    assert sum(sketch.values()) == 100
    assert abs((quantiles(sketch, 0.95)[0] or 0) - 95) <= 2
    assert sketch[bin_of(1)] == 1


def test_many_figures_of_one_transaction_are_all_written(database: Database) -> None:
    write(database, [rows(at=MONDAY + day * DAY, key=f"key_{day}") for day in range(300)])
    write(database, [rows(at=MONDAY + day * DAY, key=f"key_{day}") for day in range(300)])

    found = figures(database, "key")
    assert len(found) == 900
    assert set(found.values()) == {(2, 0, 0)}
