"""Rows of several pages are read as one list."""

import pytest

from deploy.client.callers import MAX_PAGE, Page, read_pages


@pytest.mark.parametrize(
    ("there", "limit", "asked"),
    [
        (3, 2, [(2, None)]),
        (2, 20, [(20, None)]),
        (0, 20, [(20, None)]),
        (MAX_PAGE, MAX_PAGE + 1, [(MAX_PAGE, None)]),
        (MAX_PAGE + 7, MAX_PAGE + 2, [(MAX_PAGE, None), (2, str(MAX_PAGE))]),
        (MAX_PAGE + 7, MAX_PAGE + 9, [(MAX_PAGE, None), (9, str(MAX_PAGE))]),
    ],
)
async def test_pages_are_read_until_there_are_enough_rows(
    there: int, limit: int, asked: list[tuple[int, str | None]]
) -> None:
    calls: list[tuple[int, str | None]] = []

    async def read(count: int, cursor: str | None) -> Page:
        calls.append((count, cursor))
        start = int(cursor or 0)
        end = min(start + count, there)
        return [{"number": number} for number in range(start, end)], str(
            end
        ) if end < there else None

    rows = await read_pages(read, limit)

    assert [row["number"] for row in rows] == list(range(min(there, limit)))
    assert calls == asked
