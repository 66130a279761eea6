from pathlib import Path
from typing import Any

import pytest

from deploy.client.inputs import parse_inputs, upload_files
from deploy.output.problems import CommandFailed

TYPES = {"name": "text", "count": "number", "size": "slider", "loud": "toggle", "data": "json"}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("name=Ada", {"name": "Ada"}),
        ("name=", {"name": ""}),
        ("name=a=b", {"name": "a=b"}),
        ("name=12", {"name": "12"}),
        ("count=12", {"count": 12}),
        ("size=1.5", {"size": 1.5}),
        ("loud=yes", {"loud": True}),
        ("loud=False", {"loud": False}),
        ('data={"a": [1]}', {"data": {"a": [1]}}),
        ("other=12", {"other": "12"}),
        ("other:=12", {"other": 12}),
        ("name:=null", {"name": None}),
    ],
)
def test_an_input_is_read_by_the_type_of_its_field(word: str, expected: dict[str, Any]) -> None:
    assert parse_inputs([word], TYPES) == expected


@pytest.mark.parametrize(
    "word", ["name", "=x", ":=1", "count=many", "loud=perhaps", "data={", "x:=["]
)
def test_an_input_that_cannot_be_read_is_refused_in_a_sentence(word: str) -> None:
    with pytest.raises(CommandFailed, match=r"\.$"):
        parse_inputs([word], TYPES)


def test_a_file_is_an_input_of_a_field_that_takes_media(tmp_path: Path) -> None:
    file = tmp_path / "cat.png"
    file.touch()
    types = {"photo": "image", "film": "video", "song": "audio", "bill": "file", "name": "text"}
    words = [f"{name}=@{file}" for name in (*types, "unknown")]

    found = parse_inputs(words, types)

    assert found == {
        **dict.fromkeys(("photo", "film", "song", "bill"), file),
        **dict.fromkeys(("name", "unknown"), f"@{file}"),
    }


def test_who_may_not_read_the_fields_gives_files_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "cat.png"
    file.touch()

    assert parse_inputs([f"photo=@{file}", "count=12", 'name:="@ada"'], None) == {
        "photo": file,
        "count": "12",
        "name": "@ada",
    }


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="The input 'photo' names no file: "):
        parse_inputs([f"photo=@{tmp_path}"], {"photo": "image"})


async def test_each_file_becomes_the_id_that_its_upload_gives() -> None:
    async def upload(file: Path) -> str:
        return f"id of {file}"

    assert await upload_files({"photo": Path("a"), "name": "b"}, upload) == {
        "photo": "id of a",
        "name": "b",
    }
