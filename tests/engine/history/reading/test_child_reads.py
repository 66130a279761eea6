"""Reads of archived children: by parent and node in the order of their indexes, and by id."""

from engine.executions.filter import EVERY_EXECUTION
from engine.executions.statuses import ExecutionStatus
from engine.history.archiving.execution_rows import ExecutionRows
from engine.history.archiving.execution_writer import write_executions
from engine.history.database.connections import Database
from engine.history.reading.child_reads import read_children
from engine.history.reading.execution_reads import (
    read_heads,
    read_page,
    read_record,
    read_results,
)
from engine.store.archive.archive import ParentNode
from engine.store.redis.record_packing import unpack
from tests.support.history.rows import PARENT, child_rows, rows

FAILED = {"status": "failed", "error": b""}


def written(database: Database) -> list[ExecutionRows]:
    """Write five children, of which every second one failed, and another's, in another order."""
    found = [child_rows(index=each, **(FAILED if each % 2 else {})) for each in range(5)]
    others = [child_rows(account_id="acc_2"), child_rows("another"), rows()]
    write_executions(database, [*reversed(found), *others])
    return found


def indexes(
    database: Database, *statuses: ExecutionStatus, after: int = -1, limit: int = 9
) -> list[int]:
    with database.read() as connection:
        found = read_children(
            connection, "acc_1", ParentNode(PARENT, "each"), statuses, after=after, limit=limit
        )
    return [each.execution.child.index for each in found if each.execution.child]


def test_children_come_in_the_order_of_their_indexes(database: Database) -> None:
    written(database)

    assert indexes(database) == [0, 1, 2, 3, 4]
    assert indexes(database, after=1, limit=2) == [2, 3]
    assert indexes(database, ExecutionStatus.FAILED) == [1, 3]
    assert indexes(database, ExecutionStatus.PROCESSING) == []


def test_a_child_is_read_by_its_id_and_is_in_no_list(database: Database) -> None:
    found = written(database)
    child = found[2].execution

    with database.read() as connection:
        [head] = read_heads(connection, "acc_1", [child["id"]])
        results = read_results(connection, "acc_1", [child["id"]])
        record = read_record(connection, "acc_1", child["id"])
        listed = read_page(connection, "acc_1", EVERY_EXECUTION, None, limit=9)

    place = head.execution.child
    assert place is not None
    assert (place.parent_id, place.node_id, place.index) == (PARENT, "each", 2)
    assert (place.root_id, place.depth) == (PARENT, 1)
    assert unpack(results[child["id"]]) == {"text": "hello"}
    assert record is not None
    assert record.fields["parent"].decode() == PARENT
    assert len(listed.executions) == 1
    assert listed.executions[0].execution.child is None
