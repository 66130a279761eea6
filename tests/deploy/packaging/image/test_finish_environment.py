"""An environment without the files that no process opens."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.packaging.image import finish_environment

TAG = sys.implementation.cache_tag
RECORD = """\
kept/__init__.py,sha256=a,1
"kept/a, b.py",sha256=a,1
kept/gone.pyx,sha256=a,1
kept-1.dist-info/direct_url.json,sha256=a,1
kept-1.dist-info/RECORD,,
"""


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """Folder of an environment with one package, and files that nothing needs."""
    site = tmp_path / "lib/python3.13/site-packages"
    for name in (
        *("kept/__init__.py", "kept/gone.pyx", "kept/a, b.py", "bazel-project/a.py"),
        *("networkx/__init__.py", "networkx/utils/tests/test_a.py", "pygments/lexers/a.py"),
        *("kept-1.dist-info/direct_url.json", "kept-1.dist-info/RECORD", "any.libs/liba.so.1"),
    ):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("")
    (site / "kept-1.dist-info/RECORD").write_text(RECORD)
    (tmp_path / "bin").mkdir()
    for name in ("headrace", "python3.13", "activate", "alembic"):
        (tmp_path / "bin" / name).touch()
    return tmp_path


def test_only_what_can_be_used_stays(environment: Path) -> None:
    finish_environment.main(environment)

    site = environment / "lib/python3.13/site-packages"
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert files == {
        "any.libs/liba.so.1",
        "kept-1.dist-info/RECORD",
        "kept/__init__.py",
        "kept/a, b.py",
        f"kept/__pycache__/__init__.{TAG}.pyc",
        f"kept/__pycache__/a, b.{TAG}.pyc",
        "networkx/__init__.py",
        f"networkx/__pycache__/__init__.{TAG}.pyc",
        "pygments/lexers/a.py",
    }
    assert {path.name for path in (environment / "bin").iterdir()} == {"headrace", "python3.13"}


def test_lists_of_installed_files_name_none_that_was_removed(environment: Path) -> None:
    finish_environment.main(environment)

    site = environment / "lib/python3.13/site-packages"
    assert (site / "kept-1.dist-info/RECORD").read_text().splitlines() == [
        "kept/__init__.py,sha256=a,1",
        '"kept/a, b.py",sha256=a,1',
        "kept-1.dist-info/RECORD,,",
    ]


@pytest.mark.skipif(not shutil.which("strip"), reason="strip of binutils is not here")
def test_extension_modules_lose_their_symbols_for_debuggers(environment: Path) -> None:
    import _ctypes

    source = Path(_ctypes.__file__)
    module = environment / "lib/python3.13/site-packages/kept" / source.name
    shutil.copyfile(source, module)
    before = module.stat().st_size

    finish_environment.main(environment)

    assert module.stat().st_size <= before
    load = ["-c", "import sys; from importlib.machinery import ExtensionFileLoader as L;"]
    load[1] += "from importlib.util import spec_from_loader as s, module_from_spec as m;"
    load[1] += "m(s('_ctypes', L('_ctypes', sys.argv[1])))"
    assert subprocess.run([sys.executable, *load, module]).returncode == 0
