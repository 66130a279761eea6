"""Rows of nodes and failed attempts, which versions side by side write and read."""

from decimal import Decimal

import msgpack
import pytest
from msgspec import DecodeError

from engine.executions.rows import (
    FailedAttemptRow,
    ItemAnswerRow,
    NodeRow,
    StepRows,
    pack_answers,
    pack_rows,
    pack_short_rows,
    split_outputs,
    unpack_answers,
    unpack_rows,
)

ERROR = {"code": "timeout", "message": "too slow"}
NODE = NodeRow(2, 3, 1_000, 40, ERROR, b"packed", 7, 5)
FAILED = FailedAttemptRow(2, 1, 900, 30, ERROR, 4, 250)


def test_rows_are_arrays_of_msgpack() -> None:
    node, failed = [2, 3, 1_000, 40, ERROR, b"packed", 7, 5], [2, 1, 900, 30, ERROR, 4, 250]

    packed = pack_rows(StepRows([NODE], [FAILED]))

    assert msgpack.unpackb(packed) == [[node], [failed]]
    assert unpack_rows(packed) == StepRows([NODE], [FAILED])


def test_members_of_a_later_version_are_ignored() -> None:
    node, failed = [0, 1, 5, 6, None, "3.0.9", 0, 0, "new"], [0, 1, 5, 6, None, 0, 9, "new"]

    rows = unpack_rows(msgpack.packb([[node], [failed], ["new"]]))

    assert rows == StepRows(
        [NodeRow(0, 1, 5, 6, None, "3.0.9")], [FailedAttemptRow(0, 1, 5, 6, pause_ms=9)]
    )


def test_members_that_an_earlier_version_lacks_have_defaults() -> None:
    assert unpack_rows(msgpack.packb([[[4]]])) == StepRows([NodeRow(4)])
    assert unpack_rows(msgpack.packb([[], [[4, 1, 2, 3]]])).failed_attempts == [
        FailedAttemptRow(4, 1, 2, 3)
    ]


@pytest.mark.parametrize("wrong", [[[[]]], [[["x"]]], [[[0, 1, 2]], 0], {}])
def test_what_is_no_row_is_refused(wrong: object) -> None:
    with pytest.raises(DecodeError):
        unpack_rows(msgpack.packb(wrong))


def test_a_node_that_was_settled_from_the_start_has_no_end() -> None:
    assert (NODE.ended_at, NodeRow(0).ended_at) == (1_040, None)


def test_answers_are_read_whatever_their_versions_add_or_lack() -> None:
    full = ItemAnswerRow(1, b"packed", 9, 1, 2, Decimal("2.5"), 3, 4, Decimal("1.5"))
    members = [1, b"packed", 9, 1, 2, "2.5", 3, 4, "1.5"]

    assert msgpack.unpackb(pack_answers([full, ItemAnswerRow(2)]))[0] == members
    assert unpack_answers(pack_answers([full])) == [full]
    assert unpack_answers(msgpack.packb([[*members, "new"], [2]])) == [full, ItemAnswerRow(2)]


def test_outputs_are_split_from_their_rows() -> None:
    bare, outputs = split_outputs([NODE, NodeRow(3, outputs="3.0.9"), NodeRow(4)])

    assert outputs == {2: b"packed", 3: "3.0.9"}
    assert [(row.index, row.outputs) for row in bare] == [(2, None), (3, None), (4, None)]
    assert (bare[0].credits, NODE.outputs) == (7, b"packed")


def test_short_rows_are_read_as_rows_with_all_members() -> None:
    rows = unpack_rows(pack_short_rows([2, 0]))

    assert rows == StepRows([NodeRow(2, 1, 0, 0), NodeRow(0, 1, 0, 0)])
