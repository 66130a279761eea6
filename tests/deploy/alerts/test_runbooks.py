"""Runbooks: one for each alert, of one shape, with queries of metrics and commands that exist."""

import re
from pathlib import Path

import pytest

from deploy.cli import headrace
from engine.telemetry.metrics import DECLARATIONS
from tests.deploy.test_docs import commands

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "operate" / "runbooks"
RUNBOOKS = sorted(FOLDER.glob("*.md"))
RULES = (ROOT / "deploy" / "alerts" / "rules.yaml").read_text()
ALERTS_PAGE = ROOT / "docs" / "operate" / "watch" / "alerts.md"
HEADINGS = ["What callers notice", "First look", "How to mend", "It is over when"]
SUFFIXES = re.compile(r"_(bucket|sum|count)$")


@pytest.fixture(params=RUNBOOKS, ids=lambda path: path.stem)
def text(request: pytest.FixtureRequest) -> str:
    """Text of a runbook."""
    return str(request.param.read_text())


def test_each_alert_has_one_and_the_page_of_alerts_leads_to_it() -> None:
    page = ALERTS_PAGE.read_text()
    for path in RUNBOOKS:
        assert f"runbook_url: docs/operate/runbooks/{path.name}" in RULES
        assert f"(../runbooks/{path.name})" in page
    assert len(RUNBOOKS) == 10


def test_it_says_what_callers_notice_where_to_look_how_to_mend_and_when_it_is_over(
    text: str,
) -> None:
    title, meaning = text.split("\n\n")[:2]
    assert re.fullmatch(r"# Headrace\w+", title)
    assert meaning[0].isupper()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    look = text.split("## First look")[1].split("## How to mend")[0]
    assert "```" in look
    assert "Dashboard: *" in look


def test_queries_name_metrics_that_there_are(text: str) -> None:
    named = {SUFFIXES.sub("", name) for name in re.findall(r"headrace_[a-z_]+", text)}

    assert named <= DECLARATIONS.keys()


def test_commands_are_those_of_headrace(text: str) -> None:
    known = {command.removeprefix("headrace ") for command in commands(headrace, "headrace")}
    called = re.findall(r"[`/]headrace ([a-z-]+(?: [a-z-]+)?)", text)

    assert all(words in known or words.split()[0] in known for words in called), called
