"""Only regular files of a media folder are read, never links, pipes or outside files."""

import errno
import os
from pathlib import Path

import pytest

from engine.media.folder import check_path, open_file

OUTSIDE = b"of somebody else"
NO_FILES = [
    *("", "/", ".", "..", "a", "a/", "a/.", "a/..", "a/./b", "a/../a/b", "../outside", "a//b"),
    *(
        "a/b/c",
        "/etc/passwd",
        "a/b\0",
        "a/b\0.png",
        "..\\outside",
        "C:\\x",
        "C:/x",
        "a/b:x",
        "a/b.",
    ),
    *(
        "a/b ",
        "nul",
        "a/con",
        "a/" + "b" * 300,
        "b/" * 2_000 + "b",
        "a/%62",
        "a/．．/outside",
        "~/b",
    ),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside").write_bytes(OUTSIDE)
    folder = tmp_path / "media"
    (folder / "a").mkdir(parents=True)
    (folder / "a/b").write_bytes(b"0123456789")
    return folder


def test_a_file_is_read_from_where_one_wants(folder: Path) -> None:
    file = open_file(folder, "a/b")

    assert [file.read(at, 4) for at in (0, 4, 8, 10)] == [b"0123", b"4567", b"89", b""]


@pytest.mark.A51
@pytest.mark.parametrize("key", NO_FILES)
def test_what_is_no_way_to_a_file_is_not_found(folder: Path, key: str) -> None:
    with pytest.raises(FileNotFoundError):
        open_file(folder, key)


def link_of_the_file(folder: Path) -> None:
    (folder / "a/b").unlink()
    (folder / "a/b").symlink_to(folder.parent / "outside")


def link_within(folder: Path) -> None:
    (folder / "a/b").rename(folder / "a/c")
    (folder / "a/b").symlink_to("c")


def link_of_its_folder(folder: Path) -> None:
    (folder / "a/b").rename(folder.parent / "b")
    (folder / "a").rmdir()
    (folder / "a").symlink_to(folder.parent)


def pipe(folder: Path) -> None:
    (folder / "a/b").unlink()
    os.mkfifo(folder / "a/b")


def device(folder: Path) -> None:
    (folder / "a/b").unlink()
    (folder / "a/b").symlink_to("/dev/zero")


def folder_itself(folder: Path) -> None:
    (folder / "a/b").unlink()
    (folder / "a/b").mkdir()


@pytest.mark.A51
@pytest.mark.parametrize(
    "swap", [link_of_the_file, link_within, link_of_its_folder, pipe, device, folder_itself]
)
def test_what_was_put_in_the_place_of_a_file_is_not_read(folder: Path, swap) -> None:
    swap(folder)

    with pytest.raises(FileNotFoundError):
        open_file(folder, "a/b")


def test_a_file_that_is_open_is_read_to_its_end_whatever_takes_its_place(folder: Path) -> None:
    file = open_file(folder, "a/b")

    link_of_the_file(folder)

    assert file.read(0, 20) == b"0123456789"


@pytest.mark.A51
def test_the_way_to_a_file_may_be_there_or_not_but_is_no_link(folder: Path) -> None:
    for key in ("a/b", "a/new", "new/new", "new", "x/y/z"):
        check_path(folder, key)
    link_of_its_folder(folder)
    (folder / "c").symlink_to(folder / "nowhere")

    for key in ("a/b", "a/b/c", "c/d", "c/d/e"):
        with pytest.raises(OSError, match="link") as refused:
            check_path(folder, key)
        assert refused.value.errno == errno.ELOOP


def test_the_folder_itself_may_be_a_link_of_the_operators(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(folder)

    assert open_file(tmp_path / "linked", "a/b").read(0, 2) == b"01"


def test_files_that_were_opened_are_closed(folder: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))

    for _ in range(50):
        open_file(folder, "a/b").read(0, 1)
        with pytest.raises(FileNotFoundError):
            open_file(folder, "a")

    assert len(list(Path("/dev/fd").iterdir())) == before
