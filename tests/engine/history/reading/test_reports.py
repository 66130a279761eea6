"""Reports on the whole history."""

from engine.history.archiving.execution_writer import write_executions
from engine.history.database.connections import Database
from engine.history.reading.reports import count_executions, read_exported
from engine.store.redis.record_packing import pack
from tests.support.history.rows import DAY, MONDAY, rows


def test_executions_are_exported_by_account_and_time(database: Database) -> None:
    found = [rows(account_id=name, at=MONDAY + day * DAY) for name in "ab" for day in (2, 0, 1)]
    write_executions(database, found)

    def export(
        account_id: str | None = None, from_ms: int | None = None, to_ms: int | None = None
    ) -> list[tuple[str, str]]:
        exported = read_exported(database, account_id=account_id, from_ms=from_ms, to_ms=to_ms)
        return [(row["account_id"], row["created_at"][8:10]) for row in exported]

    assert count_executions(database) == 6
    assert export() == [(name, day) for name in "ab" for day in ("01", "02", "03")]
    assert export(account_id="b", from_ms=MONDAY + DAY, to_ms=MONDAY + 2 * DAY) == [("b", "02")]


def test_pages_of_one_moment_lose_nothing(database: Database) -> None:
    found = [rows() for _ in range(2_100)]
    write_executions(database, found)

    exported = list(read_exported(database, account_id=None, from_ms=None, to_ms=None))

    assert {row["id"] for row in exported} == {each.execution["id"] for each in found}
    assert len(exported) == 2_100


def test_values_are_plain(database: Database) -> None:
    error = {"code": "X", "message": "no"}
    write_executions(
        database,
        [
            rows(
                account_id="a",
                models="gpt,claude",
                tags="a\0b",
                error=pack(error),
                warnings=pack(["w"]),
            ),
            rows(account_id="b", result=b"\xc1name.300000", started=None),
        ],
    )

    one, other = read_exported(database, account_id=None, from_ms=None, to_ms=None)

    assert one["result"] == {"text": "hello"}
    assert (one["error"], one["warnings"], one["model_ids"]) == (error, ["w"], ["gpt", "claude"])
    assert (one["tags"], other["tags"]) == (["a", "b"], [])
    assert one["created_at"] == "2025-12-01T00:00:00.000Z"
    assert (other["result"], other["started_at"], other["model_ids"]) == (None, None, [])
