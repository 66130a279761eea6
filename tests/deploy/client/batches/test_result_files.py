"""Results written to files, page by page."""

import csv
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy.client.batches.result_files import check_output, write_results
from deploy.output.problems import CommandFailed

DONE = {
    "index": 0,
    "status": "completed",
    "executionId": "e-0",
    "error": None,
    "creditsCost": 3,
    "result": "Dear Ada,\nyou",
}
NAMED = {**DONE, "index": 1, "result": {"text": "Hällo", "size": 2}}
ERROR = {"code": "EXECUTION_FAILED", "message": "It broke, alas"}
FAILED = {**DONE, "index": 2, "status": "failed", "result": None, "error": ERROR}
QUEUED = {**DONE, "index": 3, "status": "queued", "result": None, "executionId": None}
ROWS = [DONE, NAMED, FAILED, QUEUED]


async def pages(*pages: Sequence[Any], error: Exception | None = None) -> AsyncIterator[Any]:
    for page in pages:
        yield page
    if error is not None:
        raise error


async def test_json_lines_have_the_rows_of_the_api(tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"

    assert await write_results(file, pages(ROWS[:3], ROWS[3:])) == 4

    assert [json.loads(line) for line in file.read_text().splitlines()] == ROWS


async def table_of(file: Path, rows: Sequence[Any]) -> list[list[str]]:
    await write_results(file, pages(rows[:1], rows[1:]))
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.reader(lines))


async def test_a_table_has_texts_as_they_are_and_other_values_as_json(tmp_path: Path) -> None:
    header, *rows = await table_of(tmp_path / "out.CSV", ROWS)

    assert header == [
        *("index", "status", "executionId", "result", "errorCode", "errorMessage", "creditsCost")
    ]
    assert rows == [
        ["0", "completed", "e-0", "Dear Ada,\nyou", "", "", "3"],
        ["1", "completed", "e-0", '{"text": "Hällo", "size": 2}', "", "", "3"],
        ["2", "failed", "e-0", "", "EXECUTION_FAILED", "It broke, alas", "3"],
        ["3", "queued", "", "", "", "", "3"],
    ]


async def test_results_of_members_have_a_column_for_each(tmp_path: Path) -> None:
    other = {**NAMED, "index": 4, "result": {"more": [1], "text": None}}

    header, *rows = await table_of(tmp_path / "out.csv", [FAILED, NAMED, other])

    assert header[3:6] == ["result.text", "result.size", "result.more"]
    assert [row[3:6] for row in rows] == [["", "", ""], ["Hällo", "2", ""], ["", "", "[1]"]]
    assert list(tmp_path.iterdir()) == [tmp_path / "out.csv"]


@pytest.mark.A101a
@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@a", "'@a"),
        ("-x", "'-x"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("\t=1+1", "'\t=1+1"),
        ("\r=1+1", "'\r=1+1"),
        ("\n=1+1", "'\n=1+1"),
        ("＝1+1", "'＝1+1"),
        ("＠a", "'＠a"),
        ("-inf", "'-inf"),
        ("-1.5", "-1.5"),
        ("+4", "+4"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
async def test_no_text_is_computed_by_a_spreadsheet(tmp_path: Path, text: str, cell: str) -> None:
    _, row = await table_of(tmp_path / "out.csv", [{**DONE, "result": text}])

    assert row[3] == cell


@pytest.mark.A101a
async def test_no_name_and_no_message_is_computed_by_a_spreadsheet(tmp_path: Path) -> None:
    named = {**DONE, "result": {"=1+1": "x"}}
    failed = {**FAILED, "error": {"code": "=2+2", "message": "@sum(1)"}}

    table = await table_of(tmp_path / "out.csv", [named, failed])

    cells = [cell for row in table for cell in row]
    assert {"result.=1+1", "'=2+2", "'@sum(1)"} <= set(cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


async def test_a_file_is_replaced_once_all_is_there(tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    file.write_text("before")

    with pytest.raises(ConnectionError):
        await write_results(file, pages(ROWS, error=ConnectionError()))

    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_of_another_kind_or_place_is_refused(tmp_path: Path) -> None:
    check_output(tmp_path / "a.csv")
    for name in ("a.xlsx", "a", "nowhere/a.csv"):
        with pytest.raises(CommandFailed, match=r"\.$"):
            check_output(tmp_path / name)
