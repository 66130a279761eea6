"""A model in parts: joined once, and used only with the right hash."""

import hashlib
import sys
from pathlib import Path

import pytest

from deploy.local_model import weights as module
from deploy.local_model.file import model_file
from deploy.local_model.installed import INSTALL
from deploy.local_model.weights import QWEN, Weights, join
from deploy.output.problems import CommandFailed

PARTS = [b"GGUF first ", b"second ", b"third"]
WHOLE = b"".join(PARTS)


def carry(site: Path, package: str, part: bytes, name: str = "part.bin") -> None:
    """Install a package with a part, and with code that must not run."""
    folder = package.replace("-", "_")
    files = {
        f"{folder}/__init__.py": b"raise AssertionError('imported')",
        f"{folder}/data/{name}": part,
        f"{folder}-0.9.0.dist-info/METADATA": f"Name: {package}\nVersion: 0.9.0\n".encode(),
    }
    record = f"{folder}-0.9.0.dist-info/RECORD"
    lines = "".join(f"{file},,\n" for file in (*files, record))
    for file, data in {**files, record: lines.encode()}.items():
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_bytes(data)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Weights:
    """Return weights in three installed packages."""
    site = tmp_path / "site"
    names = tuple(f"made-up-part{number}" for number in (1, 2, 3))
    for name, part in zip(names, PARTS, strict=True):
        carry(site, name, part)
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    digest = hashlib.sha256(WHOLE).hexdigest()
    return Weights(file="made-up.gguf", sha256=digest, packages=names, notice="Made up.\n")


def test_parts_are_joined_in_order_with_a_notice_beside_them(
    weights: Weights, tmp_path: Path
) -> None:
    folder = tmp_path / "data" / "models"

    joined = join(weights, folder)

    assert joined == folder / "made-up.gguf"
    assert joined.read_bytes() == WHOLE
    assert (folder / "made-up.gguf.NOTICE").read_text() == "Made up.\n"
    assert sorted(file.name for file in folder.iterdir()) == [
        ".lock",
        "made-up.gguf",
        "made-up.gguf.NOTICE",
    ]


def test_they_are_joined_once(
    weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = join(weights, tmp_path).stat().st_ino
    monkeypatch.setattr(sys, "path", [path for path in sys.path if "site" not in Path(path).name])

    assert join(weights, tmp_path).stat().st_ino == first


def test_what_is_not_the_right_file_is_refused_and_removed(
    weights: Weights, tmp_path: Path
) -> None:
    carry(tmp_path / "site", "made-up-part2", b"SECOND ")

    with pytest.raises(CommandFailed) as caught:
        join(weights, tmp_path / "models")

    assert "its SHA-256 is not" in str(caught.value)
    assert [file.name for file in (tmp_path / "models").iterdir()] == [".lock"]


def test_a_file_that_was_damaged_since_is_joined_again(weights: Weights, tmp_path: Path) -> None:
    join(weights, tmp_path).write_bytes(WHOLE[:-1])

    assert join(weights, tmp_path).read_bytes() == WHOLE


@pytest.mark.parametrize("missing", ["not-installed", "made-up-empty"])
def test_a_part_that_is_missing_is_named_with_what_to_install(
    weights: Weights, tmp_path: Path, missing: str
) -> None:
    carry(tmp_path / "site", "made-up-empty", b"", name="nothing.txt")
    incomplete = Weights(
        file="a.gguf", sha256=weights.sha256, packages=(*weights.packages, missing), notice=""
    )

    with pytest.raises(CommandFailed) as caught:
        join(incomplete, tmp_path / "models")

    assert f"The package {missing} is missing: {INSTALL}" in str(caught.value)
    assert "HEADRACE_LOCAL_MODEL" in str(caught.value)


def test_a_folder_that_cannot_be_used_is_told(weights: Weights, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("not a folder")

    with pytest.raises(CommandFailed, match="cannot be used"):
        join(weights, tmp_path / "models")


def test_without_a_file_of_ones_own_the_carried_one_is_taken(
    weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.local_model.file.QWEN", weights)

    assert model_file("", tmp_path) == tmp_path / "models" / "made-up.gguf"


def test_any_gguf_file_of_ones_own_is_taken(tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF and more")

    assert model_file(str(own), tmp_path) == own


@pytest.mark.parametrize(
    ("data", "reason"),
    [(None, "cannot be read: No such file"), (b"PK\x03\x04", "is not a GGUF file")],
)
def test_another_file_is_refused_in_one_sentence(
    tmp_path: Path, data: bytes | None, reason: str
) -> None:
    own = tmp_path / "own.gguf"
    if data is not None:
        own.write_bytes(data)

    with pytest.raises(CommandFailed, match=reason):
        model_file(str(own), tmp_path)


def test_what_ships_is_pinned_and_says_where_it_comes_from() -> None:
    root = Path(module.__file__).parents[2]
    extras = (root / "pyproject.toml").read_text()
    notice = (root / "NOTICE").read_text()

    assert all(f'"{package}==0.9.0"' in extras for package in QWEN.packages)
    assert QWEN.sha256 in QWEN.notice and QWEN.sha256 in notice
    for text in (QWEN.notice, notice):
        assert "Apache License, Version 2.0" in text and "Alibaba Cloud" in text
    assert (root / "LICENSES" / "Apache-2.0.txt").read_text().strip().startswith("Apache License")
