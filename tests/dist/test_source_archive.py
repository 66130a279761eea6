"""The source archive of `dist/`, installed where there is no Node."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.dist.installed_wheel import InstalledWheel
from tests.support.dist.interpreters import Interpreter

pytestmark = pytest.mark.slow
GENERATED = {"RECORD", "WHEEL"}
"""Files that name the builder, which may be a newer one."""


def test_the_source_archive_installs_what_the_wheel_has(wheel: Path, tmp_path: Path) -> None:
    archive = wheel.with_name(f"{wheel.name.removesuffix('-py3-none-any.whl')}.tar.gz")
    interpreter = Interpreter("{}.{}".format(*sys.version_info), sys.executable)
    installed = InstalledWheel(interpreter, tmp_path)

    installed.install(archive, "--no-deps")

    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    python = str(installed.programs / "python")
    site = Path(subprocess.check_output([python, "-c", code], text=True).strip())
    with zipfile.ZipFile(wheel) as packed:
        names = [name for name in packed.namelist() if Path(name).name not in GENERATED]
        different = [name for name in names if (site / name).read_bytes() != packed.read(name)]
    assert any(name.startswith("gateway/static/") for name in names)
    assert different == []
