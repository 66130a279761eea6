import io

import pytest

from deploy.backup.row_files import pack_rows, read_rows
from deploy.output.problems import CommandFailed

ROWS = [["a", 2**62, None, True, b"\x00\xff"], ["", -1, None, False, b""]]


def test_rows_come_back_as_they_were() -> None:
    data = b"".join(pack_rows(["a", "b", "c", "d", "e"], ROWS))

    columns, rows = read_rows(io.BytesIO(data))

    assert columns == ["a", "b", "c", "d", "e"]
    assert list(rows) == ROWS


def test_rows_that_end_too_soon_are_refused() -> None:
    columns, *rows = pack_rows(["a", "b", "c", "d", "e"], ROWS)
    data = b"".join([columns, *rows])
    whole_rows = {len(columns), len(columns) + len(rows[0])}
    for size in set(range(1, len(data))) - whole_rows:
        with pytest.raises(CommandFailed):
            list(read_rows(io.BytesIO(data[:size]))[1])


def test_a_table_without_columns_is_refused() -> None:
    with pytest.raises(CommandFailed, match="without columns"):
        read_rows(io.BytesIO(b""))
