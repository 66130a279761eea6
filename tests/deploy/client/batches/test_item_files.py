"""Items read from CSV files and from JSON lines."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.client.batches.item_files import MAX_ITEMS, ItemFile, read_items
from deploy.output.problems import CommandFailed

TYPES = {
    "name": "text",
    "letter": "textarea",
    "age": "number",
    "size": "slider",
    "mood": "pills",
    "loud": "toggle",
    "data": "json",
    "photo": "image",
    "bill": "file",
}


def read(folder: Path, text: str | bytes, name: str = "items.csv", types: Any = TYPES) -> ItemFile:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_items(file, types)


def inputs(found: ItemFile) -> list[Any]:
    return [item["inputs"] for item in found.items]


def faults(folder: Path, text: str | bytes, name: str = "items.csv", types: Any = TYPES) -> Any:
    with pytest.raises(CommandFailed) as refusal:
        read(folder, text, name, types)
    return str(refusal.value).replace(f"{folder}/", "").splitlines()


def test_cells_are_read_by_the_types_of_their_fields(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "name,age,size,mood,loud,data,photo\r\n"
        'Ada,36,1.5,warm,yes,"{""a"": [1]}",https://example.org/a.png\r\n'
        "12,-1,1e3,7,FALSE,null,\r\n",
    )

    photo = "https://example.org/a.png"
    assert inputs(found) == [
        {
            "name": "Ada",
            "age": 36,
            "size": 1.5,
            "mood": "warm",
            "loud": True,
            "data": {"a": [1]},
            "photo": photo,
        },
        {"name": "12", "age": -1, "size": 1000.0, "mood": "7", "loud": False, "data": None},
    ]


def test_an_empty_cell_leaves_its_field_out_and_an_empty_row_is_no_item(tmp_path: Path) -> None:
    found = read(tmp_path, "name,age\nAda,\n,\n\n,7\nEve\n")

    assert inputs(found) == [{"name": "Ada"}, {"age": 7}, {"name": "Eve"}]
    assert [found.place(index) for index in range(3)] == [
        f"{found.file}, row {row}" for row in (2, 5, 6)
    ]


def test_cells_may_have_commas_quotes_and_lines(tmp_path: Path) -> None:
    found = read(tmp_path, 'name,letter\n"Lovelace, ""Ada""","Dear,\nyou"\n')

    assert inputs(found) == [{"name": 'Lovelace, "Ada"', "letter": "Dear,\nyou"}]


def test_the_mark_of_a_spreadsheet_before_the_text_is_no_part_of_a_name(tmp_path: Path) -> None:
    assert inputs(read(tmp_path, b"\xef\xbb\xbfname\nAd\xc3\xa4\n")) == [{"name": "Adä"}]


def test_each_wrong_cell_is_named_by_its_row_and_column(tmp_path: Path) -> None:
    told = faults(tmp_path, "name,age,loud,data\nAda,many,yes,1\nEve,1,perhaps,{\nLin,1,no,1,2\n")

    assert told[:2] == [
        "items.csv, row 2, column 'age': must be a number, not 'many'",
        "items.csv, row 3, column 'loud': is a toggle: say yes or no, not 'perhaps'",
    ]
    assert told[2].startswith("items.csv, row 3, column 'data': is not JSON: ")
    assert told[3] == "items.csv, row 4: has 5 cells, and there are 4 columns"


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1e999"])
def test_a_number_is_finite(tmp_path: Path, text: str) -> None:
    told = faults(tmp_path, f"age\n{text}\n")

    assert told == [f"items.csv, row 2, column 'age': must be a number, not '{text}'"]


def test_a_column_that_is_no_field_is_named_with_the_fields(tmp_path: Path) -> None:
    told = faults(tmp_path, "name,nmae,name\nAda,x,y\n", types={"name": "text", "age": "number"})

    assert told == [
        "items.csv, row 1, column 'nmae': is no field of the workflow, which has 'name', 'age'",
        "items.csv, row 1, column 'name': is there more than once",
    ]


def test_a_file_without_a_header_is_refused(tmp_path: Path) -> None:
    assert faults(tmp_path, "") == faults(tmp_path, "\nAda\n")
    assert faults(tmp_path, "")[0].startswith("items.csv, row 1: names no columns")


def test_of_many_faults_the_first_are_named(tmp_path: Path) -> None:
    told = faults(tmp_path, "age\n" + "x\n" * 14)

    assert len(told) == 11
    assert told[-1] == "4 more faults"


def test_without_the_types_every_cell_is_a_text(tmp_path: Path) -> None:
    assert inputs(read(tmp_path, "any,age\nAda,7\n", types=None)) == [{"any": "Ada", "age": "7"}]


def test_a_medium_may_be_a_file_beside_the_table(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()

    found = read(tmp_path, "photo,bill,name\n@a.png,@a.png,@a.png\n")

    medium = tmp_path / "a.png"
    assert inputs(found) == [{"photo": medium, "bill": medium, "name": "@a.png"}]
    assert faults(tmp_path, "photo\n@b.png\n") == [
        "items.csv, row 2, column 'photo': names no file: b.png"
    ]


@pytest.mark.parametrize("name", ["items.jsonl", "ITEMS.NDJSON"])
def test_a_line_has_the_inputs_or_an_item(tmp_path: Path, name: str) -> None:
    lines = [{"name": "Ada", "age": 7}, {"inputs": {"name": "Eve"}, "tags": ["a"]}, {}]
    text = "\n\n".join(json.dumps(line) for line in lines)

    found = read(tmp_path, text, name)

    assert list(found.items) == [{"inputs": lines[0]}, lines[1], {"inputs": {}}]
    assert found.place(1, "name").endswith(f"{name}, line 3, field 'name'")


def test_a_field_of_the_name_inputs_is_no_item(tmp_path: Path) -> None:
    found = read(tmp_path, '{"inputs": {"a": 1}}', "a.jsonl", {"inputs": "json"})

    assert inputs(found) == [{"inputs": {"a": 1}}]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1]", "must be a JSON object"),
        ('{"inputs": {}, "tag": "a"}', "has 'tag', and an item takes inputs and tags"),
        ('{"inputs": [], "tags": []}', "has inputs that are no object"),
        ('{"name": NaN}', "is not JSON: NaN is no number of JSON"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, reason: str) -> None:
    assert faults(tmp_path, f"{{}}\n{line}\n", "a.jsonl") == [f"a.jsonl, line 2: {reason}"]


@pytest.mark.parametrize("line", ["{", '{"a": 1} 2', "[" * 100_000])
def test_a_line_that_is_no_json_is_named(tmp_path: Path, line: str) -> None:
    (told,) = faults(tmp_path, line, "a.jsonl")

    assert told.startswith("a.jsonl, line 1: is not JSON: ")


@pytest.mark.parametrize("name", ["items.xlsx", "items", "items.json"])
def test_another_kind_of_file_is_refused(tmp_path: Path, name: str) -> None:
    (told,) = faults(tmp_path, "name\nAda\n", name)

    assert "'.csv' or '.jsonl'" in told


def test_a_file_that_is_not_utf_8_or_not_csv_is_refused(tmp_path: Path) -> None:
    assert faults(tmp_path, b"name\n\xff\n") == ["items.csv is not UTF-8."]
    (told,) = faults(tmp_path, 'name\n"Ada\n')
    assert told.startswith("items.csv is not CSV: ")


@pytest.mark.parametrize("count", [0, MAX_ITEMS + 1])
def test_the_number_of_items_is_bounded(tmp_path: Path, count: int) -> None:
    (told,) = faults(tmp_path, "name\n" + "Ada\n" * count)

    assert told == f"A batch has 1 to 1,000 items; items.csv has {count:,}."
    assert len(read(tmp_path, "name\n" + "Ada\n" * MAX_ITEMS).items) == MAX_ITEMS
