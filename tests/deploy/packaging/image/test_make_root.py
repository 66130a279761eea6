"""The root file system that is made from Debian's packages."""

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.packaging.image import make_root

NEEDS_DPKG = pytest.mark.skipif(
    not shutil.which("dpkg-deb"), reason="packages are made and read with dpkg-deb of Debian"
)


def package(folder: Path, name: str, files: dict[str, str]) -> None:
    """Make a package."""
    root = folder / name
    for path, text in {"DEBIAN/control": control(name), **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", root, folder / f"{name}_1_all.deb"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    shutil.rmtree(root)


def control(name: str) -> str:
    return (
        f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b.c>\nDescription: d\n"
    )


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Folder with packages of a small system."""
    folder = tmp_path / "packages"
    folder.mkdir()
    files = {
        "etc/os-release": "ID=debian\n",
        "etc/profile.d/a.sh": "",
        "usr/share/man/man1/a": "",
        "usr/share/doc/base-files/copyright": "licence",
        "usr/share/doc/base-files/README": "",
        "usr/sbin/tool": "",
    }
    package(folder, "base-files", files)
    authorities = "usr/share/ca-certificates/mozilla"
    files = {f"{authorities}/B.crt": "B\n", f"{authorities}/A.crt": "A\n"}
    package(folder, "ca-certificates", files)
    package(folder, "python", {"usr/lib/python3.13/a.py": "x = 1\n"})
    return folder


@NEEDS_DPKG
def test_the_root_has_settings_certificates_and_bytecode(packages: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"

    make_root.main(packages, root)

    files = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    bytecode = f"usr/lib/python3.13/__pycache__/a.{sys.implementation.cache_tag}.pyc"
    assert files == {
        *("etc/group", "etc/nsswitch.conf", "etc/os-release", "etc/passwd"),
        make_root.CERTIFICATES,
        "usr/lib/python3.13/a.py",
        bytecode,
        "usr/share/doc/base-files/copyright",
        *(f"var/lib/dpkg/status.d/{name}" for name in ("base-files", "ca-certificates", "python")),
    }
    assert (root / make_root.CERTIFICATES).read_text() == "A\nB\n"
    assert b"a.py" in (root / bytecode).read_bytes()
    assert str(tmp_path).encode() not in (root / bytecode).read_bytes()
    assert "Version: 1" in (root / "var/lib/dpkg/status.d/python").read_text()
    assert stat.S_IMODE((root / "tmp").stat().st_mode) == 0o1777
    assert stat.S_IMODE((root / "data").stat().st_mode) == 0o750


@NEEDS_DPKG
def test_a_module_that_does_not_compile_ends_the_build(packages: Path, tmp_path: Path) -> None:
    package(packages, "broken", {"usr/lib/python3.13/b.py": "x =\n"})

    with pytest.raises(SystemExit, match="cannot be compiled"):
        make_root.main(packages, tmp_path / "root")


def test_the_user_has_the_number_of_the_containerfile() -> None:
    text = (Path(make_root.__file__).parents[1] / "Containerfile").read_text()

    assert f"USER {make_root.USER}:{make_root.USER}" in text
