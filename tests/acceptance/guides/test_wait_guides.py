"""The page on delays: its file and its commands run as printed."""

from pathlib import Path

import pytest

from tests.support.acceptance.running_stack import RunningStack
from tests.support.guides.guide_shell import ROOT, GuideShell, blocks

PAGES = ROOT / "docs" / "how-to" / "compose"
WAIT = PAGES / "wait.md"


@pytest.fixture
def shell(stack: RunningStack, tmp_path: Path) -> GuideShell:
    return GuideShell(stack, tmp_path)


def test_the_reminder_of_the_page_comes_after_its_time(
    stack: RunningStack, shell: GuideShell, tmp_path: Path
) -> None:
    push, run, watch = blocks(WAIT)
    [document], [printed] = blocks(WAIT, "json"), blocks(WAIT, "text")
    (tmp_path / "reminder.json").write_text(document)
    shell.run(push)

    assert shell.run(run) == printed
    assert shell.run(watch) == printed
    _, runs = stack.api("GET", "/api/executions?workflowSlug=reminder")
    assert all(each["durationMs"] >= 1000 for each in runs["rows"])
