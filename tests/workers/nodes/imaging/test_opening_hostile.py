"""Hostile images: each costs a child process little, and the worker nothing."""

import resource
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any, NamedTuple

import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.support.image_edits import (
    Convert,
    Edit,
    ImageData,
    ImageFormat,
    Resize,
    SaveOptions,
)
from engine.process.pool import Pool
from tests.support.media import hostile_images
from tests.support.media.pictures import plain
from workers.nodes import imaging
from workers.nodes.executor import PRELOAD

pytestmark = pytest.mark.A56

MEMORY = 512 * 1024 * 1024
CPU_SECONDS = 5.0
"""Most CPU time of one edit: the time by the clock depends on the other load of the machine."""
DEADLINE_SECONDS = 150.0
TASKS: tuple[Edit, ...] = (
    Resize(width=16, height=16),
    Convert(saving=SaveOptions(format=ImageFormat.PNG)),
)


SAMPLE = {
    "a PNG of 65535 x 65535",
    "a JPEG with a thousand passes",
    "an AVIF of 60000 x 60000",
    "a GIF with a frame of 65535 x 65535",
    "noise",
    "an SVG with entities",
    "a PNG with a text of 100 MB",
    "a GIF of 50,000 frames",
    "a JPEG with EXIF that loops",
}
"""Images of the default run: one of each way to cost much, and one without an image."""


def thorough(makers: Iterable[tuple[str, Any]]) -> list[Any]:
    """Return the images as parameters, those outside the sample as thorough ones."""
    return [
        pytest.param(name, maker, id=name, marks=() if name in SAMPLE else pytest.mark.thorough)
        for name, maker in makers
    ]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[Pool]:
    pool = Pool(slots=1, memory_bytes=MEMORY, preload=PRELOAD)
    await pool.start()
    yield pool
    await pool.close()


class MeasuredEdit(NamedTuple):
    """End of an edit, with the CPU time it took and the peak memory of its process."""

    ending: str
    cpu_seconds: float
    memory: int


def measure(task: Edit, data: bytes) -> MeasuredEdit:
    """Edit an image in this process."""
    began = time.process_time()
    try:
        imaging.edit(task, [data])
        ending = "made"
    except NodeFailed as failure:
        ending = failure.code
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return MeasuredEdit(ending, time.process_time() - began, memory)


async def edit_in(pool: Pool, data: bytes) -> list[MeasuredEdit]:
    """Make each edit in a child process, within its CPU time."""
    deadline = DEADLINE_SECONDS
    edits = [await pool.run(measure, task, data, deadline_seconds=deadline) for task in TASKS]
    assert max(each.cpu_seconds for each in edits) < CPU_SECONDS
    return edits


def test_the_corpus_has_forty_files_at_least() -> None:
    assert len(list(hostile_images.every())) >= 40
    assert {name for name, _ in hostile_images.every()} | set(hostile_images.HARMLESS) >= SAMPLE


@pytest.mark.parametrize(("name", "maker"), thorough(hostile_images.every()))
async def test_it_is_refused_at_once_in_little_memory(name: str, maker: Any, pool: Pool) -> None:
    data = maker()

    edits = await edit_in(pool, data)

    assert [each.ending for each in edits] == ["bad_media"] * len(TASKS), name
    assert max(each.memory for each in edits) < 200 * 1024 * 1024 + 2 * len(data)


@pytest.mark.parametrize(("name", "maker"), thorough(hostile_images.HARMLESS.items()))
async def test_a_harmless_odd_image_is_edited(name: str, maker: Any, pool: Pool) -> None:
    data = maker()

    edits = await edit_in(pool, data)

    assert [each.ending for each in edits] == ["made"] * len(TASKS), name
    assert max(each.memory for each in edits) < 200 * 1024 * 1024 + 2 * len(data)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "maker"), [pytest.param(*each, id=each[0]) for each in hostile_images.LARGE.items()]
)
async def test_a_large_image_is_edited_within_the_memory(name: str, maker: Any) -> None:
    data, own = maker(), Pool(slots=1, memory_bytes=MEMORY, preload=PRELOAD)
    await own.start()

    edits = await edit_in(own, data)
    await own.close()

    assert [each.ending for each in edits] == ["made"] * len(TASKS), name
    assert max(each.memory for each in edits) < MEMORY


@pytest.mark.parametrize(("name", "maker"), thorough(hostile_images.TOO_LARGE.items()))
def test_a_size_over_the_limit_is_named(name: str, maker: Any) -> None:
    with pytest.raises(NodeFailed) as raised:
        imaging.edit(Convert(), [maker()])

    assert raised.value.code == "bad_media", name


@pytest.mark.parametrize("places", [15, pytest.param(150, marks=pytest.mark.thorough)])
def test_any_piece_of_an_image_and_any_byte_changed_in_it_ends_in_words(places: int) -> None:
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "AVIF"):
        whole = plain((24, 24), kind=kind)
        for place in range(0, len(whole), max(1, len(whole) // places)):
            for data in (whole[:place], whole[:place] + b"\xff" + whole[place + 1 :]):
                try:
                    made = imaging.edit(Resize(width=8, height=None), [data])
                except NodeFailed as failure:
                    assert failure.code in {"bad_media", "invalid_value"}
                else:
                    assert isinstance(made, ImageData)
