"""Sizes of the parts of an image."""

from pathlib import Path

from deploy.packaging.image.sizes import compressed_size, part_sizes, table

SITE = "opt/headrace/lib/python3.13/site-packages"


def write(root: Path, name: str, size: int) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"a" * size)


def test_each_file_is_in_one_part(tmp_path: Path) -> None:
    write(tmp_path, f"{SITE}/engine/a.py", 10)
    write(tmp_path, f"{SITE}/headrace-1.dist-info/METADATA", 5)
    write(tmp_path, f"{SITE}/PIL/a.so", 3_000_000)
    write(tmp_path, f"{SITE}/pillow.libs/b.so", 1_000_000)
    write(tmp_path, f"{SITE}/small/a.py", 7)
    write(tmp_path, "usr/bin/python3.13", 100)
    write(tmp_path, "usr/lib/python3.13/os.py", 20)
    write(tmp_path, "usr/lib/x/libc.so.6", 50)
    write(tmp_path, "etc/passwd", 1)
    (tmp_path / "usr/lib/x/libc.so").symlink_to("libc.so.6")

    assert part_sizes(tmp_path) == {
        "pillow": 4_000_000,
        "Debian: Python": 120,
        "Debian: libraries and settings": 51,
        "Headrace": 15,
        "other packages": 7,
    }


def test_the_last_line_has_the_sum(tmp_path: Path) -> None:
    write(tmp_path, "usr/bin/python3.13", 2_000_000)

    lines = list(table(tmp_path))

    assert compressed_size(tmp_path) < 10_000
    assert lines[-1] == "    2.0 MB  all, 0 MB of it compressed"
