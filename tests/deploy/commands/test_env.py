"""`headrace env`: an environment file on standard output, or as a new file."""

from pathlib import Path

from deploy.admin.environment_file import MAKERS
from tests.support.acceptance.running_stack import environment
from tests.support.process.forked_command import headrace


def test_it_is_printed_for_a_redirection() -> None:
    done = headrace("env", environ=environment())

    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"\n{name}=" in done.stdout for name in MAKERS)


def test_it_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / ".env"

    first = headrace("env", str(path), environ=environment())
    kept = path.read_text()
    second = headrace("env", str(path), environ=environment())

    assert (first.returncode, second.returncode) == (0, 1)
    assert "is there already" in second.stderr
    assert path.read_text() == kept


def test_a_folder_that_is_missing_is_a_sentence(tmp_path: Path) -> None:
    done = headrace("env", str(tmp_path / "none" / ".env"), environ=environment())

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
