import shutil
from pathlib import Path

import pytest

from deploy.packaging.release.commands import ReleaseFailed
from deploy.packaging.release.sources import copy_sources, read_sources
from tests.support.dist.clone import EPOCH, make_clone, needs_git

pytestmark = needs_git
ROOT = Path(__file__).parents[4]
FILES = {".gitignore": "built/\n", "code.py": "", "folder/run": "", "built/page": ""}


def test_sources_are_the_files_of_git_and_the_time_of_the_commit(tmp_path: Path) -> None:
    clone = make_clone(tmp_path, FILES)

    sources = read_sources(clone)

    assert [str(path) for path in sources.files] == [".gitignore", "code.py", "folder/run"]
    assert sources.is_committed
    assert sources.environ == {"SOURCE_DATE_EPOCH": str(EPOCH), "PYTHONPATH": str(clone)}


def test_files_that_are_new_or_deleted_count_as_not_committed(tmp_path: Path) -> None:
    clone = make_clone(tmp_path, FILES)
    (clone / "new.py").touch()
    (clone / "code.py").unlink()

    sources = read_sources(clone)

    assert [str(path) for path in sources.files] == [".gitignore", "folder/run", "new.py"]
    assert not sources.is_committed


def test_secrets_of_an_installation_that_runs_in_the_clone_are_no_sources(tmp_path: Path) -> None:
    template = "deploy/systemd/headrace.env"
    clone = make_clone(tmp_path, {template: ""})
    shutil.copy(ROOT / ".gitignore", clone)
    secret = (
        ".env",
        ".env.old",
        "kubernetes/overlays/production/headrace.env",
        ".headrace/secret.key",
    )
    for name in (*secret, "compose.override.yaml"):
        path = clone / "deploy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    sources = read_sources(clone)

    assert [str(path) for path in sources.files] == [".gitignore", template]


def test_copies_have_one_of_two_modes(tmp_path: Path) -> None:
    clone = make_clone(tmp_path / "clone", FILES)
    (clone / "code.py").chmod(0o600)
    (clone / "folder" / "run").chmod(0o700)

    copy_sources(read_sources(clone), tmp_path / "copy")

    modes = [(tmp_path / "copy" / n).stat().st_mode & 0o777 for n in ("code.py", "folder/run")]
    assert modes == [0o644, 0o755]


def test_a_folder_without_git_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(ReleaseFailed):
        read_sources(tmp_path)
