"""Files of packages: found without an import, and used only with the right hash."""

import hashlib
import sys
from pathlib import Path

import pytest

from engine.errors.nodes import NodeFailed
from workers.nodes.local_models.package_files import PackageFile, check_package

MISSING = "Install the extra"
FILES = {
    "made_up/a.onnx": b"weights",
    "made_up/code.py": b"raise SystemExit\n",
    "made_up/__pycache__/code.cpython-311.pyc": b"bytecode",
}
RECORD = "".join(f"{name},,\n" for name in (*FILES, "made_up-1.dist-info/RECORD"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package, and return the folder that it is in."""
    information = {"METADATA": b"Name: made-up\nVersion: 1\n", "RECORD": RECORD.encode()}
    for name, data in (
        FILES.items()
        | {f"made_up-1.dist-info/{name}": data for name, data in information.items()}.items()
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def of_package() -> str:
    """Return the hash of the lines of names and hashes, without bytecode."""
    lines = [
        f"{name} {sha256(data)}\n" for name, data in sorted(FILES.items()) if "pycache" not in name
    ]
    return sha256("".join(lines).encode())


def test_a_file_is_found_and_read_without_its_package_being_imported(folder: Path) -> None:
    file = PackageFile(package="made-up", name="a.onnx", sha256=sha256(b"weights"))

    assert file.find(MISSING) == folder / "made_up" / "a.onnx"
    assert file.read(MISSING) == b"weights"
    assert "made_up" not in sys.modules


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("package", "name", "message"),
    [
        ("made-up", "a.onnx", "A.onnx of the package made-up is not the one that is known"),
        ("made-up", "b.onnx", MISSING),
        ("not-there", "a.onnx", MISSING),
    ],
)
def test_a_file_that_is_missing_or_another_is_not_used(
    package: str, name: str, message: str
) -> None:
    with pytest.raises(NodeFailed) as caught:
        PackageFile(package=package, name=name, sha256="0" * 64).find(MISSING)

    assert (caught.value.code, caught.value.message) == ("not_installed", message)


@pytest.mark.usefixtures("folder")
def test_a_package_is_known_by_one_hash_of_its_files_without_bytecode() -> None:
    check_package("made-up", "made_up", of_package(), MISSING)

    assert "made_up" not in sys.modules


@pytest.mark.parametrize("name", ["made_up/a.onnx", "made_up/code.py"])
def test_a_package_with_another_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"other")

    with pytest.raises(NodeFailed) as caught:
        check_package("made-up", "made_up", of_package(), MISSING)

    assert caught.value.message == "The package made-up is not the one that is known"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("package", "part"), [("made-up", "elsewhere"), ("not-there", "made_up")])
def test_a_package_that_is_missing_is_told_to_be_installed(package: str, part: str) -> None:
    with pytest.raises(NodeFailed) as caught:
        check_package(package, part, of_package(), MISSING)

    assert (caught.value.code, caught.value.message) == ("not_installed", MISSING)
