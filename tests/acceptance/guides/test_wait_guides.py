"""The pages on approvals and delays: their files, commands and programs run as printed."""

import json
import re
from pathlib import Path

import pytest

from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.guides.guide_shell import ROOT, GuideShell, blocks
from tests.support.http.target import stub_server

PAGES = ROOT / "docs" / "how-to" / "compose"
ASK, WAIT = PAGES / "ask-a-person.md", PAGES / "wait.md"


@pytest.fixture
def shell(stack: RunningStack, tmp_path: Path) -> GuideShell:
    return GuideShell(stack, tmp_path)


def test_the_announcement_of_the_page_is_asked_and_answered(
    stack: RunningStack, shell: GuideShell, tmp_path: Path
) -> None:
    begin, answer, webhook, call = blocks(ASK)
    [document], [program] = blocks(ASK, "json"), blocks(ASK, "python")
    posted, printed = blocks(ASK, "text")
    (tmp_path / "announcement.json").write_text(document)
    (tmp_path / "answer.py").write_text(program)
    push, run, look = begin.strip().split("\n")
    shell.run(push)
    [first] = re.findall(r"[0-9a-f-]{36}", shell.run(run))
    stack.waiting(first)

    listed, before = shell.run(look), shell.run(f".venv/bin/headrace execution show {first}")
    approve, show = answer.replace("EXECUTION", first).strip().split("\n")
    shell.run(approve)
    stack.ended(first)
    shown = shell.run(show)

    assert first in listed and "Post this?" in listed
    assert re.search(
        rf"'ask' waits for an answer until .*: Post this\?\n{stack.url}/approvals/", before
    )
    assert posted.strip() in shown

    with stub_server(values={"/asked": {}}) as server:
        asked = json.loads(shell.run(webhook.replace("https://example.org/hooks", server.url)))
        stack.waiting(asked["executionId"])
        [event] = until(lambda: [json.loads(each.body) for each in server.at("/asked")])
        said = shell.run(call.replace("python3", ".venv/bin/python"))
    result = stack.ended(asked["executionId"])["result"]

    assert event["event"] == "execution.waiting"
    assert event["waiting"]["message"] == "The red mug is here again."
    assert event["waiting"]["url"].startswith(f"{stack.url}/approvals/")
    assert said == printed
    assert result == "Dropped: The red mug is here again. Reason: Sold out"


def test_the_approval_of_the_page_is_refused_with_a_reason(
    stack: RunningStack, shell: GuideShell
) -> None:
    [document] = blocks(ASK, "json")
    stack.api("POST", "/api/workflows", {**json.loads(document), "name": "Refused announcement"})
    [refuse] = re.findall(r"`(headrace approval refuse [^`]*)`", ASK.read_text())
    path = "/api/workflows/refused-announcement/run?async=true"
    asked = stack.api("POST", path, {"inputs": {"product": "Tea"}})[1]["executionId"]
    stack.waiting(asked)

    shell.run(f".venv/bin/{refuse}".replace("EXECUTION", asked))

    run = stack.ended(asked)
    assert run["result"] == "Dropped: Tea is here again. Reason: Sold out"


@pytest.mark.thorough  # it waits for its delays
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
