"""Reading of images with fake models."""

import builtins
import io
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from engine.errors.nodes import NodeFailed
from engine.process.extras import install_hint
from engine.process.pool import PoolCrashed
from tests.support.eventually import PATIENCE_SECONDS
from workers.nodes.local_models import LocalPool, ocr


def png(size: tuple[int, int] = (40, 20), mode: str = "RGB", color: Any = "red") -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, color).save(written, "PNG")
    return written.getvalue()


class Reader:
    """Stands for the models: notes its inputs."""

    seen: Any = None
    fails: Exception | None = None
    lines: tuple[str, ...] | None = ("one", "two")

    def __init__(self, params: dict[str, Any]) -> None:
        assert params["EngineConfig.onnxruntime.intra_op_num_threads"] == 1

    def __call__(self, pixels: Any) -> Any:
        Reader.seen = pixels
        if Reader.fails is not None:
            raise Reader.fails
        return SimpleNamespace(txts=Reader.lines)


class Pixels:
    """Stands for an array."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image

    def __getitem__(self, _: object) -> "Pixels":
        return self

    def copy(self) -> Image.Image:
        return self.image


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Reader]]:
    for name, members in {
        "rapidocr": {"RapidOCR": Reader},
        "cv2": {"setNumThreads": lambda count: None},
        "numpy": {"asarray": Pixels},
    }.items():
        module = ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(Reader, "fails", None)
    monkeypatch.setattr(Reader, "lines", ("one", "two"))
    ocr._engine.cache_clear()
    yield Reader
    ocr._engine.cache_clear()


def test_lines_are_one_below_the_other(models: type[Reader]) -> None:
    assert ocr.read_text(png()) == "one\ntwo"
    assert models.seen.size == (40, 20)


def test_an_image_without_letters_gives_an_empty_text(
    models: type[Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "lines", None)

    assert ocr.read_text(png()) == ""


def test_a_large_image_is_made_smaller_in_its_shape(models: type[Reader]) -> None:
    ocr.read_text(png((5_000, 2_500)))

    assert models.seen.size == (2_000, 1_000)


def test_transparent_parts_are_read_on_white(models: type[Reader]) -> None:
    ocr.read_text(png(mode="RGBA", color=(0, 0, 0, 0)))

    assert models.seen.mode == "RGB"
    assert models.seen.getpixel((5, 5)) == (255, 255, 255)


def test_data_that_are_no_image_are_refused_before_any_model_runs(models: type[Reader]) -> None:
    models.seen = None

    with pytest.raises(NodeFailed) as caught:
        ocr.read_text(b"not an image")

    assert caught.value.code == "bad_media"
    assert models.seen is None


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (RuntimeError("Status Message: std::bad_alloc"), MemoryError),
        (MemoryError(), MemoryError),
        (ValueError("of the model's own"), NodeFailed),
    ],
)
def test_errors_of_models_become_our_errors(
    models: type[Reader],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    raised: type[Exception],
) -> None:
    monkeypatch.setattr(models, "fails", error)

    with pytest.raises(raised) as caught:
        ocr.read_text(png())

    assert "own" not in str(caught.value)


def test_a_worker_without_the_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name in ("cv2", "rapidocr"):
            raise ImportError(name)
        return real(name, *rest)

    ocr._engine.cache_clear()
    monkeypatch.setattr(builtins, "__import__", refuse)

    with pytest.raises(NodeFailed) as caught:
        ocr.read_text(png())

    assert caught.value.code == "not_installed"
    assert install_hint("local-ocr") in caught.value.message


async def test_the_pool_takes_calls_until_it_is_closed() -> None:
    pool = LocalPool()

    given = await pool.run(abs, -3, deadline_seconds=PATIENCE_SECONDS)
    await pool.close()

    assert given == 3
    with pytest.raises(PoolCrashed):
        await pool.run(abs, -3, deadline_seconds=PATIENCE_SECONDS)


async def test_an_unused_pool_is_closed() -> None:
    await LocalPool().close()
