import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.packaging.release.checksums import read_checksums, write_checksums


def test_checksums_are_read_again_and_without_a_file_there_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"a")

    before = read_checksums(tmp_path)
    write_checksums(tmp_path)

    assert before == {}
    assert read_checksums(tmp_path) == {
        "a.whl": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    }


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum here")
def test_sha256sum_reads_them(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"a")
    write_checksums(tmp_path)
    write_checksums(tmp_path)

    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).stdout == b"a.whl: OK\n"
