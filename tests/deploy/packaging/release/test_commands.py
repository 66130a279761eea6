import sys
from pathlib import Path

import pytest

from deploy.packaging.release.commands import ReleaseFailed, run


def test_a_command_gets_the_folder_and_variables_and_its_output_is_returned(tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), os.environ['ONE'])"

    assert run((sys.executable, "-c", code), tmp_path, {"ONE": "1"}) == f"{tmp_path} 1\n"


def test_the_output_of_a_command_that_fails_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "import sys; print('out'); sys.exit('err')"

    with pytest.raises(ReleaseFailed, match="ended with 1"):
        run((sys.executable, "-c", code), tmp_path)

    assert capsys.readouterr().err == "out\nerr\n"


def test_a_command_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReleaseFailed, match="no-such-command does not run"):
        run(("no-such-command",), tmp_path)
