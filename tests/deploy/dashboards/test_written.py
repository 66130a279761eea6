"""Files for Grafana and Prometheus have the addresses of an installation in them."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.commands.dashboards import dashboards
from deploy.dashboards.written import DASHBOARDS, RULES, RUNBOOKS, write_all
from tests.support.dashboards.reading import NAMES

ROOT = Path(__file__).parents[3]


def variables(path: Path) -> dict[str, str]:
    """Return the values that text variables of a dashboard have at first."""
    found = json.loads(path.read_bytes())["templating"]["list"]
    texts = [each for each in found if each["type"] == "textbox"]
    assert all(each["query"] == each["current"]["value"] for each in texts)
    return {each["name"]: each["query"] for each in texts}


def test_all_dashboards_the_rules_and_the_runbooks_are_written(tmp_path: Path) -> None:
    written = write_all(tmp_path / "new", "", "")

    names = [path.relative_to(tmp_path / "new").as_posix() for path in written]
    runbooks = [f"runbooks/{path.name}" for path in sorted((ROOT / RUNBOOKS).glob("*.md"))]
    assert names == [
        *(f"dashboards/{name}.json" for name in sorted(NAMES)),
        "rules.yaml",
        "rules_test.yaml",
        *runbooks,
    ]
    for path in written[:5]:
        assert json.loads(path.read_bytes()) == json.loads((DASHBOARDS / path.name).read_bytes())
    assert written[5].read_text() == RULES.read_text()
    assert len(runbooks) == 10


def test_each_runbook_that_the_rules_name_is_written(tmp_path: Path) -> None:
    address = "http://localhost:3000/runbooks"
    write_all(tmp_path, "", address)

    named = re.findall(rf"{address}/(\S+)", (tmp_path / "rules.yaml").read_text())

    assert len(named) >= 10
    assert [name for name in named if not (tmp_path / "runbooks" / name).is_file()] == []


def test_addresses_of_the_installation_are_in_the_files(tmp_path: Path) -> None:
    runbooks = "https://docs.example.org/runbooks"

    boards = write_all(tmp_path, "https://flows.example.org/", f"{runbooks}/")[:5]

    wanted = {"headrace_url": "https://flows.example.org", "runbooks_url": runbooks}
    assert [variables(path) for path in boards] == [wanted] * 5
    text = (tmp_path / "rules.yaml").read_text()
    assert RUNBOOKS not in text
    assert text.count(f"{runbooks}/") == RULES.read_text().count(RUNBOOKS)


def test_former_files_are_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_all(tmp_path, "http://before", "")
    write_all(tmp_path, "http://after", "")

    assert variables(tmp_path / "dashboards" / "runs.json")["headrace_url"] == "http://after"
    assert not list(tmp_path.rglob(".*"))


def test_the_command_takes_the_address_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_PUBLIC_URL", "https://flows.example.org")

    done = CliRunner().invoke(dashboards, [str(tmp_path)])

    assert done.exit_code == 0, done.output
    assert str(tmp_path / "rules.yaml") in done.output.splitlines()
    overview = variables(tmp_path / "dashboards" / "overview.json")
    assert overview["headrace_url"] == "https://flows.example.org"


def test_the_command_says_which_folder_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "dashboards").write_text("a file")

    done = CliRunner().invoke(dashboards, [str(tmp_path)])

    assert isinstance(done.exception, OSError)
