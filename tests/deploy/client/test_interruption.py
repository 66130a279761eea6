"""Message of an interrupted command."""

import asyncio
from pathlib import Path

import pytest

from deploy.client.interruption import EXECUTION, REPLAY, Interruption
from deploy.client.server_access import Access


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADRACE_DATA_DIR", raising=False)


async def interrupted(access: Access, execution_id: str = "", noun: str = EXECUTION) -> None:
    """Wait for an execution or a list of runs until interrupted."""
    interruption = Interruption(access, noun)
    if execution_id:
        interruption.set_id(execution_id)
    with pytest.raises(asyncio.CancelledError), interruption.reported():
        raise asyncio.CancelledError


async def test_the_commands_that_go_on_are_those_that_can_be_typed_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", [".venv/bin/headrace", "run"])

    await interrupted(Access(data_dir=Path("my data"), account_id="acc_1"), "e-1")

    options = "--account acc_1 --data-dir 'my data'"
    assert capsys.readouterr().err.splitlines() == [
        "headrace: Interrupted; the execution e-1 goes on.",
        f"  Watch it:   .venv/bin/headrace execution watch e-1 {options}",
        f"  Cancel it:  .venv/bin/headrace execution cancel e-1 {options}",
    ]


async def test_a_data_directory_of_the_environment_and_a_secret_are_not_repeated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["/somewhere/deploy/__main__.py"])
    monkeypatch.setenv("HEADRACE_DATA_DIR", "/there")

    await interrupted(Access(data_dir=Path("/there"), key="hr_live_secret"), "e-1")

    events_reported = capsys.readouterr().err
    assert events_reported.endswith("  Cancel it:  headrace execution cancel e-1 --key KEY\n")
    assert "secret" not in events_reported


async def test_an_execution_that_is_not_known_yet_is_to_be_looked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    await interrupted(Access(data_dir=Path(".headrace")))

    assert capsys.readouterr().err == (
        "headrace: Interrupted before the server had said which execution it began. "
        "List executions:  headrace execution list\n"
    )


async def test_a_replay_is_named_below_its_group_of_commands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    await interrupted(Access(data_dir=Path(".headrace")), "r-1", REPLAY)
    await interrupted(Access(data_dir=Path(".headrace")), noun=REPLAY)

    shown = capsys.readouterr().err
    assert "headrace workflow replay show r-1 --watch\n" in shown
    assert "headrace workflow replay cancel r-1\n" in shown
    assert shown.endswith("List replays:  headrace workflow replay list\n")
