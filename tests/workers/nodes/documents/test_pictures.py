"""Pages without a text: which are drawn, what is read in them, and for how long."""

import asyncio
from collections.abc import Sequence

import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.support.documents import DocumentText
from workers.nodes.documents.pictures import read_pictures

DOCUMENT = DocumentText(content_type="application/pdf", pages=("One", "", "Three", *[" "] * 5))
drawn: list[list[int]] = []


async def draw(numbers: Sequence[int]) -> list[bytes]:
    drawn.append(list(numbers))
    return [b"" if number == 7 else str(number).encode() for number in numbers]


async def read_image(data: bytes) -> str:
    return f"picture {data.decode()}"


async def test_pages_without_a_text_are_drawn_a_few_at_a_time_and_read_in_order() -> None:
    drawn.clear()

    contents = await read_pictures(DOCUMENT, draw, read_image, 60)

    assert drawn == [[1, 3, 4, 5], [6, 7]]
    assert contents.pages == (
        *("One", "picture 1", "Three"),
        *(f"picture {number}" for number in range(3, 7)),
        "",
    )


@pytest.mark.parametrize(
    ("code", "expected", "words"),
    [
        ("timeout", "document_unreadable", "The 6 pages without a text were not read as pictures"),
        ("resource_exhausted", "document_unreadable", "cannot be read as a picture: Why"),
        ("not_installed", "not_installed", "Why"),
    ],
)
async def test_failures_of_the_model_are_those_of_the_document(
    code: str, expected: str, words: str
) -> None:
    async def fail(data: bytes) -> str:
        raise NodeFailed(code, "Why")

    with pytest.raises(NodeFailed, match=words) as caught:
        await read_pictures(DOCUMENT, draw, fail, 60)

    assert caught.value.code == expected


async def test_all_pictures_together_have_the_time() -> None:
    async def sleep(data: bytes) -> str:
        await asyncio.sleep(60)
        return ""

    with pytest.raises(NodeFailed, match=r"not read as pictures within 0\.05 s"):
        await read_pictures(DOCUMENT, draw, sleep, 0.05)
