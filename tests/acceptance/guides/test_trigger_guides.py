"""The pages on triggers: their commands and programs run as printed, and send signed events."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.acceptance.running_stack import RunningStack
from tests.support.guides.guide_shell import ROOT, GuideShell, blocks
from tests.support.http.target import stub_server

PAGES = ROOT / "docs" / "how-to" / "triggers"
GITHUB, STRIPE = PAGES / "start-from-github.md", PAGES / "start-from-stripe.md"
ANYTHING, SCHEDULE = PAGES / "start-from-anything.md", PAGES / "run-on-a-schedule.md"
STRIPE_SECRET = "whsec_of_an_endpoint_of_stripe"
EXPRESSIONS: dict[str, Callable[[datetime], bool]] = {
    "*/15 * * * *": lambda at: at.minute % 15 == 0,
    "0 9 * * 1-5": lambda at: (at.hour, at.minute) == (9, 0) and at.isoweekday() < 6,
    "0 8,20 * * *": lambda at: at.hour in (8, 20) and at.minute == 0,
    "0 6 1 * *": lambda at: (at.day, at.hour, at.minute) == (1, 6, 0),
}


class Shell(GuideShell):
    """Shell that creates triggers."""

    def create(self, block: str) -> tuple[str, str]:
        """Run a block that creates a trigger; return its id, and the last line."""
        printed = self.run(block)
        [trigger_id] = re.findall(r"^(trg_\S+)", printed, re.M)
        return trigger_id, printed.splitlines()[-1]


@pytest.fixture
def shell(stack: RunningStack, tmp_path: Path) -> Shell:
    return Shell(stack, tmp_path)


def test_the_schedule_of_the_page_is_made_run_and_paused(stack: RunningStack, shell: Shell) -> None:
    make, look, changes, manage, by_api = blocks(SCHEDULE)
    stack.api("POST", "/api/workflows", {"copyOf": "daily-digest", "name": "Morning digest"})
    with stub_server(values={"/news": "A blue kettle is out."}) as server:
        trigger_id, _ = shell.create(make.replace("https://example.org/news", f"{server.url}/news"))
        seen = shell.run(look.replace("ID", trigger_id))
        [execution_id] = re.findall(r"started\s+-\s+(\S+)$", seen, re.M)
        run = stack.ended(execution_id)
    by_hand = json.loads(shell.run(by_api))

    assert "blue kettle" in run["result"]["digest"]
    assert (run["source"], run["triggerId"]) == ("trigger", trigger_id)
    assert "03:00 +0200" in shell.run(changes)
    assert shell.run(manage.replace("ID", trigger_id)).count("morning-digest") >= 2
    assert stack.api("GET", f"/api/triggers/{trigger_id}")[0] == 404
    assert (by_hand["cron"], by_hand["enabled"]) == ("30 7 * * 1-5", True)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_each_expression_of_the_page_has_the_times_that_stand_beside_it(
    stack: RunningStack, expression: str
) -> None:
    body = {"cron": expression, "timezone": "UTC", "count": 8}

    times = stack.api("POST", "/api/triggers/preview", body)[1]["at"]

    assert f"| `{expression}` |" in SCHEDULE.read_text()
    assert len(times) == 8
    assert all(EXPRESSIONS[expression](datetime.fromisoformat(at)) for at in times)


def test_an_event_of_github_starts_one_run(stack: RunningStack, shell: Shell) -> None:
    keep, make, send, look, other = blocks(GITHUB)
    stack.api("POST", "/api/workflows", {"copyOf": "on-a-github-issue", "name": "New issue"})
    shell.run(keep)
    trigger_id, address = shell.create(make)

    first = json.loads(shell.run(send.replace("TRIGGER_URL", address)))
    second = json.loads(shell.run(send.replace("TRIGGER_URL", address)))
    ping = shell.run(
        send.replace("TRIGGER_URL", address)
        .replace("x-github-event: issues", "x-github-event: ping")
        .replace("first-try", "ping")
    )
    run = stack.ended(first["executionId"])
    seen = shell.run(look.replace("ID", trigger_id))

    assert second["executionId"] == first["executionId"]
    assert json.loads(ping) == {"skipped": True}
    assert run["result"]["triage"]["kind"] == "bug"
    assert "ada" in run["result"]["reply"]
    assert seen.count(first["executionId"]) == 1 and "condition_false" in seen

    _, address = shell.create(other)
    thanks = json.loads(shell.run(send.replace("TRIGGER_URL", address)))
    text = stack.ended(thanks["executionId"])["result"]["text"]
    assert text.startswith("Dear ada,") and "(thank you)" in text


def test_an_event_of_stripe_starts_one_run(
    stack: RunningStack, shell: Shell, tmp_path: Path
) -> None:
    make, replace, send, look = blocks(STRIPE)
    (tmp_path / "stripe-secret.txt").write_text(STRIPE_SECRET + "\n")
    trigger_id, address = shell.create(make)
    send = send.replace("TRIGGER_URL", address)

    early = json.loads(shell.run(send))
    shell.run(replace)
    first = json.loads(shell.run(send))
    second = json.loads(shell.run(send))
    stack.ended(first["executionId"])
    shown = shell.run(look.replace("EXECUTION", first["executionId"]))

    assert early["code"] == "INVALID_SIGNATURE"
    assert second["executionId"] == first["executionId"]
    [printed] = re.findall(r"^# (.*)$", look, re.M)
    assert printed in shown.splitlines()
    occurrences = stack.api("GET", f"/api/triggers/{trigger_id}/occurrences")[1]["rows"]
    assert [row["status"] for row in occurrences] == ["started"]


def test_a_program_of_ones_own_starts_one_run(stack: RunningStack, shell: Shell) -> None:
    make, bearer, trial = blocks(ANYTHING)
    [program] = blocks(ANYTHING, "python")
    trigger_id, address = shell.create(make)

    first, second = (shell.python(program, HOOK=address).split(maxsplit=1) for _ in range(2))
    tried = shell.run(trial.replace("ID", trigger_id))
    with_bearer, call = bearer.strip().rsplit("\n", 1)
    _, other = shell.create(with_bearer)
    by_token = json.loads(shell.run(call.replace("TRIGGER_URL", other)))

    assert (first[0], second[0]) == ("202", "200")
    execution_id = json.loads(first[1])["executionId"]
    assert json.loads(second[1])["executionId"] == execution_id
    assert stack.ended(execution_id)["result"]["text"].startswith("Dear Ada,")
    assert '{"name": "Eve"}' in tried
    assert stack.ended(by_token["executionId"])["status"] == "completed"
